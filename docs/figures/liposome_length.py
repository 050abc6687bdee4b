"""Figure of the liposome study: what augmentation is worth by length of training."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import FuncFormatter

# Sphinx runs this file in its own folder.
TABLE = "../results/liposome_length.csv"
WAYS = {
    "none": ("none", "o", "C0"),
    "turns": ("flips and quarter turns", "s", "C2"),
    "affine": ("as in the thesis", "^", "C1"),
}


def draw_lengths() -> None:
    """Draw macro F1 against epochs: means of the seeds as lines, seeds as points."""
    table = pd.read_csv(TABLE)
    _, ax = plt.subplots(figsize=(6.5, 4))
    for way, (label, marker, colour) in WAYS.items():
        part = table[table["way"] == way]
        ax.plot(part["epochs"], part["F1_macro"], marker, color=colour, ms=4, alpha=0.5)
        mean = part.groupby("epochs")["F1_macro"].mean()
        ax.plot(mean.index, mean, color=colour, marker=marker, label=label)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(table["epochs"].unique()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
    ax.set_xlabel("epochs of the whole training")
    ax.set_ylabel("macro F1 of the test images")
    ax.grid(alpha=0.3)
    ax.legend(title="augmentation", loc="lower right")
