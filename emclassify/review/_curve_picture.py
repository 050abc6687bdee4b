"""The learning curve of rounds of labelling, as a picture."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curve_picture"]

_COLOUR = "#0072b2"


def curve_picture(curve: pd.DataFrame) -> "Figure | None":
    """Draw macro-F1 by the number of labels, with its interval.

    Parameters
    ----------
    curve : DataFrame
        As `Labelling.curve` gives it.

    Returns
    -------
    matplotlib Figure or None
        Nothing as long as there was no model. Rounds that knew fewer classes are
        hollow, and not joined to others: their task was easier.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    curve = curve.dropna(subset=["macro_f1"])
    if curve.empty:
        return None
    figure = Figure(figsize=(6, 4), layout="constrained")
    ax = figure.subplots()
    most = curve["n_classes"].max()
    for n_classes, part in curve.groupby("n_classes"):
        full = n_classes == most
        ax.errorbar(
            # Arrays: Matplotlib 3.9 asks pandas what it no longer answers.
            part["n_labels"].to_numpy(),
            part["macro_f1"].to_numpy(),
            yerr=[
                (part["macro_f1"] - part["macro_f1_low"]).to_numpy(),
                (part["macro_f1_high"] - part["macro_f1"]).to_numpy(),
            ],
            marker="o",
            markerfacecolor=_COLOUR if full else "white",
            color=_COLOUR,
            linestyle="-" if full else "none",
            linewidth=1.5,
            elinewidth=1,
            capsize=3,
            label=f"{n_classes} classes",
        )
    for row in curve.itertuples():
        ax.annotate(
            f"round {row.round}",
            (row.n_labels, row.macro_f1),
            textcoords="offset points",
            xytext=(6, -12),
            size="small",
        )
    if curve["n_classes"].nunique() > 1:
        ax.legend(loc="lower right", frameon=False, title="learnt in a round")
    ax.set(
        xlabel="labels",
        ylabel="macro F1 out of fold, 95 % interval",
        ylim=(0, 1.02),
        title="Of the images labelled so far",
    )
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)
    return figure
