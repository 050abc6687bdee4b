"""Figures of the page on the length of training, from docs/results."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from emclassify.training._budget import auto_batch_size, auto_max_epochs

# Sphinx runs this file in its own folder.
TABLE = "../results/training_length.csv"
MARKERS = {"LipNet-4": "o", "LipNet-8": "^", "ResNet(2, 2)": "s"}
TITLES = {
    "vnc_sstem": "vnc_sstem, 5 classes",
    "jurkat": "jurkat, 7 classes",
    "elpv": "elpv, 2 classes",
    "pneumoniamnist": "pneumoniamnist, 2 classes",
    "liposomes": "liposomes (simulated), 3 classes",
}


def read_trainings() -> pd.DataFrame:
    """Return one row for each whole training from scratch: its last figures."""
    table = pd.read_csv(TABLE)
    last = table[table["epoch"] == table["max_epochs"]]
    return last[last["network"].isin(list(MARKERS))]


def draw_curves() -> None:
    """Draw macro-F1 against the images that a whole training has seen."""
    trainings = read_trainings()
    _, axes = plt.subplots(3, 2, figsize=(8, 9))
    for ax, (name, title) in zip(axes.flat, TITLES.items(), strict=False):
        draw_set(ax, trainings[trainings["set"] == name])
        ax.set_title(title)
    for ax in axes[:, 0]:
        ax.set_ylabel("macro-F1 of the test images")
    keys = [
        Line2D([], [], marker=marker, color="0.3", label=name)
        for name, marker in MARKERS.items()
    ]
    keys.append(Line2D([], [], ls=":", color="0.3", label="where the rule stops"))
    axes.flat[-1].axis("off")
    axes.flat[-1].legend(handles=keys, loc="center", frameon=False)


def draw_set(ax: Axes, trainings: pd.DataFrame) -> None:
    """Draw the trainings of a set: a colour for each number of images."""
    sizes = sorted(trainings["n_train"].unique())
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(sizes)))
    # Batches of 32, and 16 where there is no other: batch sizes have their own figure.
    trainings = trainings[trainings["batch_size"].isin([16, 32])]
    by_batch = trainings.sort_values("batch_size")
    same = ["n_train", "network", "image_size", "max_epochs", "seed"]
    trainings = by_batch.drop_duplicates(same, keep="last")
    for n_train, colour in zip(sizes, colours, strict=True):
        part = trainings[trainings["n_train"] == n_train]
        for (network, _, _), line in part.groupby(["network", "image_size", "seed"]):
            line = line.sort_values("images_seen")
            ax.plot(
                line["images_seen"],
                line["test_macro_f1"],
                marker=MARKERS[network],
                ms=4,
                color=colour,
            )
        n_classes = int(part["n_classes"].iloc[0])
        epochs = auto_max_epochs(n_train, n_classes, auto_batch_size(n_train))
        ax.axvline(epochs * n_train, color=colour, ls=":")
        ax.plot([], [], color=colour, lw=3, label=f"{n_train:,}")
    ax.set_xscale("log")
    ax.set_xlim(2_000, 300_000)
    ax.set_xticks([3_000, 10_000, 30_000, 100_000])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("images seen")
    ax.legend(
        title="trained on",
        loc="lower right",
        fontsize="small",
        title_fontsize="small",
        framealpha=1,
    )
    ax.grid(alpha=0.3)


def draw_batches() -> None:
    """Draw macro-F1 against the batch size, with the same images seen."""
    trainings = read_trainings()
    same = ["set", "n_train", "network", "image_size", "max_epochs", "seed"]
    _, ax = plt.subplots(figsize=(8, 3.6))
    for (name, n_train, network, *_), line in trainings.groupby(same):
        if line["batch_size"].nunique() < 3:
            continue
        line = line.sort_values("batch_size")
        seen = line["images_seen"].iloc[0]
        (drawn,) = ax.plot(
            line["batch_size"],
            line["test_macro_f1"],
            marker=MARKERS[network],
            label=f"{name}, {n_train:,} images,\n{network}, {seen:,} seen",
        )
        for _, row in line.iterrows():
            ax.annotate(
                f"{row['updates']:,}",
                (row["batch_size"], row["test_macro_f1"]),
                textcoords="offset points",
                xytext=(0, 5 if network == "LipNet-4" else -11),
                ha="center",
                fontsize=7,
                color=drawn.get_color(),
            )
    ax.set_xscale("log", base=2)
    ax.set_xlim(7, 150)
    ax.margins(y=0.12)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
    ax.set_xlabel("batch size")
    ax.set_ylabel("macro-F1 of the test images")
    ax.grid(alpha=0.3)
    ax.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
