"""Learning curves of the networks of a model, fold by fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from emclassify.display._report_figures import LINES, drawing, to_svg

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._out_of_fold import OutOfFold

__all__ = ["learning_figures", "learning_table"]

_TITLES = {
    "train_loss": "Training loss",
    "train_accuracy": "Training accuracy",
    "valid_loss": "Validation loss",
}


def learning_table(result: OutOfFold, name: str) -> pd.DataFrame:
    """Return what each epoch of each network of model `name` recorded.

    Returns
    -------
    DataFrame
        Columns fold, network, epoch (from 1), then train_loss, train_accuracy and
        valid_loss where there are any. Empty for models without networks.
    """
    parts = [
        pd.DataFrame(
            {
                "fold": run.fold,
                "network": network,
                "epoch": range(1, 1 + len(next(iter(curve.values())))),
                **curve,
            }
        )
        for run in result._runs(name)
        for network, curve in enumerate(run.curves)
        if curve
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def learning_figures(table: pd.DataFrame, prefix: str, model: str) -> list[dict]:
    """Return the figures of a `learning_table`, {"title", "svg"}.

    Parameters
    ----------
    table : DataFrame
    prefix : str
        Put before the ids in the figures.
    model : str
        For those who hear what the figure shows.
    """
    from matplotlib.figure import Figure

    figures = []
    for column in [c for c in _TITLES if c in table and table[c].notna().any()]:
        with drawing():
            figure = Figure(figsize=(3.2, 2.6), layout="constrained")
            ax = figure.subplots()
            for (fold, _), rows in table.groupby(["fold", "network"]):
                colour, _ = LINES[fold % len(LINES)]
                ax.plot(rows["epoch"], rows[column], color=colour, lw=1.2)
            ax.set(xlabel="epoch", ylabel=_TITLES[column].lower())
            ax.grid()
            ax.spines[["top", "right"]].set_visible(False)
            text = f"{_TITLES[column]} by epoch, each fold, {model}"
            svg = to_svg(figure, f"{prefix}-{column}", text)
        figures.append({"title": _TITLES[column], "svg": svg})
    return figures
