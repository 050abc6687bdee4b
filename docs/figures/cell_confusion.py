"""Figures of the cell study: which labels images are given that have others."""

import pandas as pd

from emclassify.display import LabelConfusionDisplay

# Sphinx runs this file in its own folder.
TABLE = "../results/cell_confusion.csv"


def draw_cooccurrence() -> None:
    """Draw the labels that are given to the images of each label."""
    draw("cooccurrence")


def draw_mistakes() -> None:
    """Draw what each label is taken for."""
    draw("mistakes")


def draw(kind: str) -> None:
    """Draw one kind of the matrix, shaded by shares of the row."""
    table = pd.read_csv(TABLE, keep_default_na=False)
    table = table[table["kind"] == kind]
    names = table["true"].unique().tolist()
    counts, shares = (
        table.pivot(index="true", columns="predicted", values=column)
        .loc[names, names]
        .to_numpy()
        for column in ("images", "share")
    )
    LabelConfusionDisplay(counts, shares=shares, display_labels=names).plot()
