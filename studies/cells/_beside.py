"""Figures of several labels, and the source's beside them."""

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
    """Return a table as Markdown, the source's figures next to those of their name.

    Parameters
    ----------
    table : DataFrame
        Of numbers; NaN is a fit that failed.
    source : DataFrame
        Rows that `table` has not come last, with its figures alone.
    """
    rows = table.index.append(source.index.difference(table.index, sort=False))
    text = numbers_as_text(table).set_axis(table.index).reindex(rows, fill_value="")
    text[""] = rows.astype(str)
    for column in source:
        theirs = source[column].map("{:.2f}".format).reindex(rows, fill_value="")
        place = text.columns.get_loc(column) + 1
        text.insert(place, f"{column}, source", theirs)
    return table_as_markdown(text)
