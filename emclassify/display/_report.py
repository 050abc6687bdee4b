"""The report: one HTML file that holds everything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _num_samples

from emclassify._typing import ImagesLike
from emclassify._words import number, p_value
from emclassify.display._benchmark_display import BenchmarkDisplay
from emclassify.display._confusion_matrices import predicting
from emclassify.display._parameters import all_parameters, chosen_parameters
from emclassify.display._report_curves import class_curves
from emclassify.display._report_downloads import (
    all_tables,
    report_tables,
    table_download,
)
from emclassify.display._report_figures import drawing, to_svg
from emclassify.display._report_learning import (
    learning_figures,
    learning_key,
    learning_table,
)
from emclassify.display._report_tables import (
    class_rows,
    common_folder,
    comparison_rows,
    confusion_rows,
    copy_rows,
    data_facts,
    fold_rows,
    mistake_kinds,
    overview_rows,
    run_facts,
    worst_groups,
)
from emclassify.display._report_terms import TERMS, term_of
from emclassify.display._scale_bar import PixelWidths
from emclassify.metrics._figures import metric_name

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["result_html", "write_report"]


def write_report(
    result: BenchmarkResult,
    path: str | PathLike[str],
    *,
    metric: str = "F1_macro",
    title: str = "Benchmark of classifiers",
    description: str | None = None,
    command: str | None = None,
    images: ImagesLike | None = None,
    names: Sequence[str] | None = None,
    pixel_size: float | ArrayLike | None = None,
    n_examples: int = 6,
    max_kinds: int = 12,
) -> Any:
    """Write the report of a benchmark as one self-contained HTML file.

    Verdict, tables with intervals, confusion matrices, ROC, precision-recall and
    calibration curves of each class, example images of each kind of mistake, the data,
    settings and versions. Where samples have several labels, there are neither matrices
    nor kinds of mistakes. Every score of a whole model is its mean over folds, on which
    the verdict rests; figures of a class are of the pooled predictions. All tables can
    be saved from the page, as CSV and JSON. The file needs no network and no scripts;
    it reads on a phone, on a dark screen and in print.

    Parameters
    ----------
    result : BenchmarkResult
    path : str or path-like
        File to write.
    metric : str, default="F1_macro"
        The score that decides; one of ``result.metrics``.
    title : str
        Heading.
    description : str, default=None
        What the data are. Say so here if they are simulated.
    command : str, default=None
        The command line that made this.
    images : sequence of n_samples images, default=None
        What to show of each sample: arrays or paths of image files. ``result.X`` by
        default; flat rows can't be shown.
    names : sequence of str, default=None
        Name of each sample, such as its file. The paths where images are paths. The
        folder that all lie in is said once.
    pixel_size : float, or array-like of shape (n_samples,) or (n_samples, 2)
        In nm, such as the `pixel_size` that `load_image_folder` has read; pairs are
        (row, column). Pictures get a scale bar where it is known (not NaN). Default: as
        the files state it, where images are paths.
    n_examples : int, default=6
        Images to show of each kind of mistake.
    max_kinds : int, default=12
        Kinds of mistakes to show of each model, the most frequent first.

    Returns
    -------
    pathlib.Path
        The file written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.display import write_report
    >>> from emclassify.model_selection import benchmark_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> result = benchmark_classifiers({"Bayes": GaussianNB()}, X, y, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(result, f"{folder}/iris.html", title="Iris")
    ...     "<h1>Iris</h1>" in path.read_text(encoding="utf-8")
    True
    """
    environment = _environment()
    images = result.X if images is None else images
    _check_per_sample("images", images, result)
    if names is None and _num_samples(images) and _is_path(_first(images)):
        names = images
    if names is not None:
        _check_per_sample("names", names, result)
        names = [str(name) for name in names]
    for parameter, value in (("n_examples", n_examples), ("max_kinds", max_kinds)):
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"{parameter} must be 0 or more; got {value!r}.")
    widths = PixelWidths(pixel_size, images, len(result.y))
    tables = report_tables(result, metric, names)
    folder = common_folder(names)
    shown = None if names is None else [name[len(folder) :] for name in names]
    models = []
    for i, name in enumerate(predicting(result), start=1):
        confusion = kinds = None  # several labels are not mixed up with each other
        if not result.multilabel:
            confusion = confusion_rows(result, name)
            kinds = mistake_kinds(
                result,
                name,
                images,
                shown,
                widths,
                n_examples=n_examples,
                max_kinds=max_kinds,
            )
        curves = class_curves(result, name)
        if curves is not None:
            tables[f"class scores of {name}"] = curves.table
            tables[f"curves of {name}"] = curves.points()
        learning, key = learning_table(result, name), learning_key(result, name)
        if len(learning):
            tables[f"learning curves of {name}"] = learning
        estimator = result.estimators[name]
        models.append(
            {
                "name": name,
                "classes": class_rows(result, name),
                "confusion": confusion,
                "groups": worst_groups(result, name),
                "mistakes": kinds,
                "curves": curves,
                "figures": curves.figures(f"model-{i}", name) if curves else [],
                "learning": learning_figures(learning, key, f"model-{i}", name),
                "learning_key": key,
                "parameters": chosen_parameters(estimator),
                "all_parameters": all_parameters(estimator),
                "estimator": type(estimator).__name__,
            }
        )
    verdict = result.verdict(metric)
    html = environment.get_template("report.html.j2").render(
        title=title,
        description=[] if description is None else description.split("\n\n"),
        verdict=verdict,
        metric=metric_name(metric),
        figure=_scores_figure(result, metric),
        overview=overview_rows(result, metric),
        comparison=comparison_rows(result, metric),
        models=models,
        failed=[name for name in result.names if result.failed(name)],
        target_names=result.target_names,
        tall=max(map(len, result.target_names)) > 7 or len(result.target_names) > 6,
        multilabel=result.multilabel,
        data=data_facts(result),
        folds=fold_rows(result),
        folder=folder,
        audit=[] if result.audit is None else result.audit.findings(),
        copies=copy_rows(result, images, names, widths),
        facts=run_facts(result, command),
        level=_level(result),
        unit="sample" if result.groups is None else "group",
        n_units=result.pooled.n_units,
        n_folds=len(result.folds),
        n_pairs=len(result.names) * (len(result.names) - 1) // 2,
        terms=TERMS,
        downloads={name: table_download(name, table) for name, table in tables.items()},
        everything=all_tables(title, verdict, tables),
    )
    path = Path(path)
    path.write_text(html, encoding="utf-8")
    return path


def result_html(result: BenchmarkResult) -> str:
    """Return verdict and scores of a benchmark as notebooks show them.

    Parameters
    ----------
    result : BenchmarkResult

    Returns
    -------
    str
        HTML, without style sheet or scripts.
    """
    return (
        _environment()
        .get_template("result.html.j2")
        .render(
            verdict=result.verdict(),
            overview=overview_rows(result, "F1_macro"),
            n_folds=len(result.folds),
            level=_level(result),
        )
    )


def _level(result):
    return f"{100 * result.confidence_level:g}\N{NO-BREAK SPACE}%"


def _environment():
    """Return the jinja2 environment, everything escaped."""
    import jinja2

    folder = resources.files(__package__) / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(
            lambda name: (folder / name).read_text(encoding="utf-8")
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(p_value=p_value, term=term_of)
    return environment


def _first(items):
    """Return the first entry of a sequence, Series or table."""
    return items.iloc[0] if hasattr(items, "iloc") else items[0]


def _is_path(item):
    return isinstance(item, str | os.PathLike)


def _check_per_sample(parameter, values, result):
    """Raise unless there is one value for each sample."""
    n = _num_samples(values)
    if n != len(result.y):
        raise ValueError(f"{parameter} holds {n} entries for {len(result.y)} samples.")


def _scores_figure(result, metric):
    """Return the scores as an SVG element."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(
            figsize=(4.6, 1.0 + 0.5 * len(result.names)), layout="constrained"
        )
        BenchmarkDisplay.from_result(result, metric=metric, ax=figure.subplots())
        return to_svg(figure, "scores", _describe_figure(result, metric))


def _describe_figure(result, metric):
    """Return the figure in words, for those who don't see it."""
    means = result.means([metric])
    parts = []
    for name in predicting(result):
        mean, _, low, high = means.loc[name]
        part = f"{name} {number(mean)}"
        if np.isfinite([low, high]).all():
            part += f", {number(low)} to {number(high)}"
        parts.append(part)
    return f"{metric_name(metric)} with interval: {'; '.join(parts)}."
