"""Our figures, and the source's beside them."""

import pandas as pd

from studies._markdown import numbers_as_text, table_as_markdown

__all__ = ["beside_source"]


def beside_source(table, source):
    """Return a table as Markdown, with the source's figures.

    Parameters
    ----------
    table : DataFrame
        Of numbers, or (value, low, high); NaN is a fit that failed.
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
