"""Learning curves of the networks of a model, fold by fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from emclassify.display._report_figures import LINES, drawing, to_svg

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._out_of_fold import OutOfFold
    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["learning_figures", "learning_key", "learning_table"]

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


def learning_key(result: BenchmarkResult, name: str) -> list[dict]:
    """Return which line is which fold of model `name`, and where it was still learning.

    Returns
    -------
    list of dict
        {"fold", "colour", "dashes", "still_learning"}; empty for models without
        networks.
    """
    trainings = result.trainings
    learning = trainings[name].learning if name in trainings else ()
    return [
        {"fold": fold, "still_learning": fold in learning}
        | dict(zip(("colour", "dashes"), LINES[fold % len(LINES)], strict=True))
        for fold in sorted({run.fold for run in result._runs(name) if any(run.curves)})
    ]


def learning_figures(
    table: pd.DataFrame, key: list[dict], prefix: str, model: str
) -> list[dict]:
    """Return the figures of a `learning_table`, {"title", "svg"}.

    Parameters
    ----------
    table : DataFrame
    key : list of dict
        As `learning_key` returns it. Lines of folds that were still learning end in a
        circle.
    prefix : str
        Put before the ids in the figures.
    model : str
        For those who hear what the figure shows.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    lines = {row["fold"]: row for row in key}
    figures = []
    for column in [c for c in _TITLES if c in table and table[c].notna().any()]:
        with drawing():
            figure = Figure(figsize=(3.2, 2.6), layout="constrained")
            ax = figure.subplots()
            for (fold, _), rows in table.groupby(["fold", "network"]):
                colour, dashes = lines[fold]["colour"], lines[fold]["dashes"]
                style = (0, dashes) if dashes else "-"
                ax.plot(rows["epoch"], rows[column], color=colour, ls=style, lw=1.2)
                if lines[fold]["still_learning"]:
                    last = rows.iloc[-1]
                    ax.plot(last["epoch"], last[column], "o", mfc="none", color=colour)
            ax.set(xlabel="epoch", ylabel=_TITLES[column].lower())
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
            ax.grid()
            ax.spines[["top", "right"]].set_visible(False)
            text = f"{_TITLES[column]} by epoch, each fold, {model}"
            svg = to_svg(figure, f"{prefix}-{column}", text)
        figures.append({"title": _TITLES[column], "svg": svg})
    return figures
