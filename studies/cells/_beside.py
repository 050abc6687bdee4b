"""Figures of several labels, and the source's beside them."""

import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from studies._markdown import numbers_as_text, table_as_markdown

__all__ = ["beside_source", "figures"]


def figures(true, said, average):
    """Return F1, recall and precision over all labels, by the names of the tables."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        true, said, average=average, zero_division=0
    )
    return {
        f"{average}-F1": f1,
        f"{average} recall": recall,
        f"{average} precision": precision,
    }


def beside_source(table, source):
    """Return a table as Markdown, with the source's figures.

    Parameters
    ----------
    table : DataFrame
        Of numbers; NaN is a fit that failed.
    source : DataFrame
        Figures of the same rows stand in a column "source" next to ours. Where all
        rows are its own, they come last.
    """
    theirs = source.map("{:.2f}".format)
    text = numbers_as_text(table).set_axis(table.index)
    if table.index.intersection(source.index).empty:
        theirs.insert(0, "", theirs.index)
        return table_as_markdown(pd.concat([text, theirs]).fillna(""))
    for column in source:
        place = text.columns.get_loc(column) + 1
        beside = theirs[column].reindex(text.index, fill_value="")
        text.insert(place, "source", beside, allow_duplicates=True)
    return table_as_markdown(text)
