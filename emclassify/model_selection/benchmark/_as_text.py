"""A comparison put in words, and all tables as plain text."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from emclassify._words import number, p_value
from emclassify.metrics._figures import FIGURES, metric_name


@dataclass
class Training:
    """How the networks of a model were trained, over the folds of a benchmark.

    `networks` and `updates` are the mean number of trainings a fold and of steps of the
    optimizer each, `learning` the folds in which at least half of them were not trained
    enough.
    """

    networks: float
    updates: float
    learning: tuple[int, ...]
    n_folds: int

    @property
    def still_learning(self) -> str | None:
        """What is to be said of training that was too short, if it was."""
        if not self.learning:
            return None
        folds = "the only fold" if self.n_folds == 1 else f"{self.n_folds} folds"
        share = "" if self.n_folds == 1 else f"{len(self.learning)} of "
        return f"still learning in {share}{folds}"

    def describe(self, name: str) -> str:
        """Return "1 training of LipNet-4 a fold (1,500 updates)"."""
        n = f"{self.networks:g} training{'' if self.networks == 1 else 's'}"
        updates = f"{self.updates:,.0f} updates{'' if self.networks == 1 else ' each'}"
        return f"{n} of {name} a fold" + (f" ({updates})" if self.updates else "")

    def in_short(self) -> str:
        """Return "1,500 updates, still learning in 4 of 5 folds"."""
        parts = [f"{self.updates:,.0f} updates"] if self.updates else []
        if self.networks != 1:
            parts.insert(0, f"{self.networks:g} trainings")
        return ", ".join([*parts, *filter(None, [self.still_learning])]) or "–"


@dataclass
class Repeats:
    """How far scores moved when all folds were run several times.

    `scores` is the mean score of each model in each repeat, `over_folds` the standard
    deviation over the folds of all repeats by model; `same_folds` says that each
    repeat had the folds of the first, so that only seeds were new.
    """

    scores: pd.Series
    over_folds: pd.Series
    same_folds: bool = False

    def in_words(self, best: str | None) -> list[str]:
        """Return in how many repeats the best led, and the spreads; or nothing."""
        names = self.scores.index.get_level_values(0).unique()
        scores = pd.DataFrame({name: self.scores[name] for name in names})
        scores = scores.drop(index=["mean", "sd"], errors="ignore").dropna(axis=1)
        n = len(scores)
        if n < 2 or scores.empty:
            return []
        ranges = "; ".join(
            f"{name} {number(of_model.min())} to {number(of_model.max())}"
            for name, of_model in scores.items()
        )
        if scores.shape[1] == 1 or best not in scores:
            led = f"Over {n} repeats of all folds"
        else:
            times = int((scores[best] > scores.drop(columns=best).max(axis=1)).sum())
            share = f"all {n}" if times == n else f"{times} of {n}"
            led = f"{best} led in {share} repeats of all folds"
        folds = "the same folds" if self.same_folds else "new folds"
        return [
            f"{led}: {ranges}.",
            f"Standard deviations over repeats (new seeds, {folds}): "
            f"{_by_model(scores.std())}; over folds: "
            f"{_by_model(self.over_folds[scores.columns])}.",
        ]


def _by_model(spread):
    """Return "a 0.010, b 0.021"."""
    return ", ".join(f"{name} {number(sd)}" for name, sd in spread.items())


def trainings_of(table: pd.DataFrame) -> dict[str, Training]:
    """Return what `BenchmarkResult.training_table` says, over all folds of a model."""
    return {
        str(name): Training(
            networks=rows["networks"].mean(),
            updates=rows["updates"].mean(),
            learning=tuple(
                rows["fold"][2 * rows["still_learning"] >= rows["networks"]]
            ),
            n_folds=len(rows),
        )
        for name, rows in table.groupby("estimator", sort=False)
    }


def _interval(row, level):
    """Return "95 % interval 0.010 to 0.054"."""
    return f"{level:g} % interval {number(row.low)} to {number(row.high)}"


def _oriented(comparison, best):
    """Return the rows of `best` against each other model, best minus other."""
    rows = []
    for row in comparison.itertuples():
        if best not in (row.model_a, row.model_b):
            continue
        sign = 1 if row.model_a == best else -1
        low, high = sorted((sign * row.low, sign * row.high))
        rows.append(
            {
                "other": row.model_b if sign == 1 else row.model_a,
                "difference": sign * row.difference,
                "low": low,
                "high": high,
                "p": row.p_adjusted,
            }
        )
    return pd.DataFrame(rows).sort_values("difference", kind="stable")


def verdict_sentence(
    means: pd.Series,
    comparison: pd.DataFrame,
    metric: str,
    confidence_level: float,
    trainings: Mapping[str, Training] | None = None,
    cut: Mapping[str, tuple[int, int]] | None = None,
    repeats: Repeats | None = None,
    failures: Sequence[str] = (),
) -> str:
    """Say which model wins, by how much, and whether that is more than noise.

    `means` is a Series of the mean score by model, over the folds in which all of them
    have one, `comparison` the table of `BenchmarkResult.compare` over the same;
    `failures` tells of models that have no score in some folds; `trainings` is by the
    name of the model, for those with networks; `cut` the epochs that models
    were to have, and have, for a limit of time; `repeats` what each repeat gave.
    """
    trainings = trainings or {}
    sentence, doubted = _who_wins(
        means, comparison, metric, confidence_level, trainings
    )
    learning = [
        f"{name} was {training.still_learning}."
        for name, training in trainings.items()
        if training.still_learning and name not in doubted
    ]
    rests = [training.describe(name) for name, training in trainings.items()]
    if cut:
        fewer = "; ".join(f"{name}, {now} of {was}" for name, (was, now) in cut.items())
        learning.append(f"For the limit of time there were fewer epochs: {fewer}.")
    if repeats is not None:
        learning.extend(repeats.in_words(means.idxmax() if len(means) else None))
    if rests:
        learning.append(f"It rests on {'; '.join(rests)}.")
    return " ".join([sentence, *failures, *learning])


def _who_wins(means, comparison, metric, confidence_level, trainings):
    """Return the verdict, and whom it names as not trained enough."""
    label, level = metric_name(metric), 100 * confidence_level
    if means.empty:
        return f"No model has a score for {label}.", []
    best = means.idxmax()
    top = number(means[best])
    if len(means) == 1:
        return f"{best} reaches a {label} of {top}, the mean over folds.", []
    against = _oriented(comparison, best)
    if against["p"].isna().all():
        return (
            f"{best} has the highest {label}, {top}; so few folds allow no test of the "
            "differences."
        ), []
    clear = against["p"] < 1 - confidence_level
    learning = against["other"].map(
        lambda name: name in trainings and bool(trainings[name].learning)
    )
    doubted = list(against["other"][clear & learning])
    if len(means) == 2:
        row = against.iloc[0]
        doubt = trainings[row.other].still_learning if doubted else None
        return _between_two(best, means, row, label, level, clear.iloc[0], doubt), (
            doubted
        )
    parts = [f"{best} has the highest {label}, {top}."]
    ahead, its = against["difference"] > 0, "its"
    if not ahead.all():
        its = "their"
        together = " and ".join([best, *against["other"][~ahead]])
        parts = [f"{together} have the highest {label}, {top}."]
    for rows, words in (
        (against[clear & ~learning], f"More than noise is {its} lead over"),
        (against[~clear & ahead], f"Not more than noise is {its} lead over"),
    ):
        if len(rows):
            parts.append(f"{words} {_leads(rows)}.")
    if doubted:
        rows = against[clear & learning]
        reasons = "; ".join(
            f"{name} was {trainings[name].still_learning}" for name in doubted
        )
        parts.append(
            f"{its.capitalize()} lead over {_leads(rows)} decides nothing: {reasons}."
        )
    parts.append("The p values allow for the number of pairs.")
    return " ".join(parts), doubted


def _leads(rows):
    """Return "SVM (0.123, p = 0.004); stump (0.321, p < 0.001)"."""
    return "; ".join(
        f"{row.other} ({number(row.difference)}, {p_value(row.p)})"
        for row in rows.itertuples()
    )


def _between_two(best, means, row, label, level, clear, doubt):
    """Return the sentence for two models; `doubt` is why a clear lead is none."""
    if row.difference == 0:
        return f"{best} and {row.other} are level: {label} {number(means[best])} each."
    figures = (
        f"{label} {number(means[best])} against {number(means[row.other])}, a "
        f"difference of {number(row.difference)} ({_interval(row, level)}, "
        f"{p_value(row.p)})"
    )
    if doubt:
        return (
            f"{best} is ahead of {row.other}, but that decides nothing, since "
            f"{row.other} was {doubt}: {figures}."
        )
    if clear:
        return f"{best} is better than {row.other} by more than noise: {figures}."
    return f"{best} is ahead of {row.other}, but not by more than noise: {figures}."


def _with_interval(row, figure):
    """Return "0.93 (0.90–0.95)"."""
    low, high = row[f"{figure}_low"], row[f"{figure}_high"]
    interval = "" if pd.isna(low) else f" ({number(low, 2)}–{number(high, 2)})"
    return number(row[figure], 2) + interval


def tables_as_text(
    verdict: str,
    overview: pd.DataFrame,
    figures: Mapping[str, pd.DataFrame],
    *,
    n_folds: int,
    confidence_level: float,
    units: str,
    trainings: Mapping[str, Training],
    width: int | None = None,
) -> str:
    """Return verdict, overview and the table of classes, for a terminal.

    `figures` has the figures of each class by model, as
    `BenchmarkResult.shown_figures` gives them. `units` says what the bootstrap draws,
    such as "12 groups". Columns beyond `width` letters go below the others; None: there
    is no limit.
    """
    scores = [c[: -len("_sd")] for c in overview.columns if c.endswith("_sd")]
    top = pd.DataFrame(index=overview.index.rename("model"))
    for score in scores:
        top[metric_name(score)] = [
            f"{number(mean)} ± {number(sd)}"
            for mean, sd in zip(overview[score], overview[f"{score}_sd"], strict=True)
        ]
    top["fit s"] = [number(seconds, 1) for seconds in overview["fit_time"]]
    top["predict s"] = [number(seconds, 2) for seconds in overview["predict_time"]]
    if trainings:
        top["training"] = [
            trainings[name].in_short() if name in trainings else "–"
            for name in overview.index
        ]
    summary = pd.concat(figures, names=["model", "class"])
    classes = pd.DataFrame(
        {f: [_with_interval(row, f) for _, row in summary.iterrows()] for f in FIGURES},
        index=summary.index,
    )
    classes["n"] = summary["support"]
    level = f"{100 * confidence_level:g} %"
    return "\n".join(
        [
            textwrap.fill(verdict, min(88, width or 88)),
            "",
            f"Mean ± standard deviation over {n_folds} folds:",
            top.to_string(line_width=width),
            "",
            f"Classes: pooled out-of-fold predictions, {level} intervals over {units}.",
            "Averages: means over folds, as above.",
            classes.to_string(line_width=width),
        ]
    )
