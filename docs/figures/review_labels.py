"""Figures of the page on cleaning labels, from docs/results."""

import matplotlib.pyplot as plt
import pandas as pd

# Sphinx runs this file in its own folder.
TABLE = "../results/review_labels.csv"
SETS = ["vnc_sstem", "jurkat", "pneumoniamnist"]
COLOURS = {"random": "#888888", "suggested": "#0b5cad"}


def draw_curves() -> None:
    """Draw macro-F1 against the number of labels, a line a seed."""
    table = pd.read_csv(TABLE)
    table = table[table["part"] == "suggest"]
    _, axes = plt.subplots(1, len(SETS), figsize=(9, 3.2), layout="constrained")
    for ax, name in zip(axes, SETS, strict=True):
        of_set = table[table["set"] == name]
        for (way, seed), rows in of_set.groupby(["way", "seed"]):
            ax.plot(
                rows["n_labels"],
                rows["figure"] / rows["full"],
                color=COLOURS[way],
                marker=".",
                markersize=3,
                linewidth=1,
                label=way if seed == 0 else None,
            )
        ax.axhline(0.9, color="black", linewidth=0.8, linestyle="--")
        ax.set_title(name)
        ax.set_xscale("log")
        ax.set_xlabel("labels")
    axes[0].set_ylabel("macro-F1, of that with all labels")
    axes[0].legend(title="chosen")
