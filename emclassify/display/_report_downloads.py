"""The tables of the report as files that lie in the page itself."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from emclassify.display._confusion_matrices import predicting
from emclassify.display._mistakes import mistake_table
from emclassify.display._report_tables import (
    data_facts,
    mean_scores,
)

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["Download", "all_tables", "report_tables", "table_download"]


class Download(NamedTuple):
    """A file in the page.

    Attributes
    ----------
    label : str
        What the link says, such as "CSV".
    name : str
        Of the file.
    href : str
        The file itself, as a data URI.
    """

    label: str
    name: str
    href: str


def report_tables(
    result: BenchmarkResult, metric: str, names: Sequence[str] | None
) -> dict[str, pd.DataFrame]:
    """Return the tables of the report, with all digits, by what they are called.

    Parameters
    ----------
    result : BenchmarkResult
    metric : str
        That decides.
    names : sequence of str or None
        Name of each sample.

    Returns
    -------
    dict of str to DataFrame
        Without the curves, and with both kinds of differences between models.
    """
    tables = {
        "scores": mean_scores(result, metric).reset_index(),
        "folds of models": result.to_frame(),
        "differences": result.compare(metric),
    }
    for name in predicting(result):
        tables[f"figures of {name}"] = result.shown_figures(name).reset_index()
        if result.groups is not None:
            tables[f"groups of {name}"] = result.by_group(name).reset_index()
        if not result.multilabel:
            confusion = result.confusion_matrix(name).rename_axis(columns=None)
            tables[f"confusion of {name}"] = confusion.reset_index()
            tables[f"mistakes of {name}"] = mistake_table(result, name, names)
    tables["classes"] = pd.DataFrame(data_facts(result)["classes"])
    tables["folds"] = result.fold_table.reset_index()
    return tables


def all_tables(
    title: str, verdict: str, tables: Mapping[str, pd.DataFrame]
) -> Download:
    """Return title, verdict and all tables as one JSON file."""
    everything = {
        "title": title,
        "verdict": verdict,
        "tables": {name: _as_records(table) for name, table in tables.items()},
    }
    text = json.dumps(everything, ensure_ascii=False)
    return _as_download("JSON", "benchmark.json", "application/json", text)


def table_download(name: str, table: pd.DataFrame) -> list[Download]:
    """Return a table as CSV and as JSON, with all digits.

    Parameters
    ----------
    name : str
        Of the files, without ending.
    table : DataFrame
        Its columns are those of the files; an index is left out.

    Returns
    -------
    list of Download
    """
    name = re.sub(r"\W+", "-", name).strip("-").lower()
    records = json.dumps(_as_records(table), ensure_ascii=False)
    return [
        _as_download("CSV", f"{name}.csv", "text/csv", table.to_csv(index=False)),
        _as_download("JSON", f"{name}.json", "application/json", records),
    ]


def _as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as a list of rows, NaN as None."""
    text = table.to_json(orient="records", double_precision=15, force_ascii=False)
    return json.loads(text)


def _as_download(label, name, kind, text):
    """Return a text as a file in the page."""
    coded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    return Download(label, name, f"data:{kind};charset=utf-8;base64,{coded}")
