"""CSV tables whose cells are text, whatever they look like."""

import os

import pandas as pd

__all__ = ["read_text_table", "what_is_wrong"]


def read_text_table(
    path: str | os.PathLike[str], *, mark_empty: bool = False
) -> pd.DataFrame:
    """Return a CSV table as text: a class may be called "NA", "01" or "1e3".

    Parameters
    ----------
    path : str or path-like
    mark_empty : bool, default=False
        Whether an empty cell is NaN, not an empty text.

    Raises
    ------
    ValueError
        If the file is no such table, by its name.
    """
    try:
        return pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            na_values=[""] if mark_empty else None,
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{os.fspath(path)} cannot be read as a CSV table: {what_is_wrong(error)}."
        ) from error


def what_is_wrong(error: Exception) -> str:
    """Return what an error of pandas says of a table, in one line without its end."""
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
    return text.removeprefix("C error: ").rstrip(".") or type(error).__name__
