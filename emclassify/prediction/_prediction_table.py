"""A CSV table that grows by whole rows, whatever happens to the one who writes it."""

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:
    # Windows: nothing stops a second process from writing.
    fcntl = None

__all__ = ["PredictionTable"]


class PredictionTable:
    """Append predictions to a CSV file, and know which ones are there.

    What `append` has returned from is on the disk. Half a row, as a killed process
    leaves it, is cut off when the table is opened again.

    Parameters
    ----------
    path : str or path-like
    score_names : list of str
        Columns between "label" and "model".
    model_name : str
        Goes into each row; a table with rows of another model is refused.

    Attributes
    ----------
    done : dict of str to set of int
        For each file that has rows: the indices of its images that have one.
    n_rows : int

    Raises
    ------
    ValueError
        If the file is another table, or another process is writing it.
    """

    def __init__(
        self, path: str | PathLike[str], score_names: Sequence[str], model_name: str
    ) -> None:
        self.path = Path(path)
        self.model_name = model_name
        self.columns = ["file", "index", "label", *score_names, "model"]
        self._file = self.path.open("ab+", buffering=0)
        try:
            self._lock()
            self.read()
        except BaseException:
            self._file.close()
            raise

    def append(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows (file, index, label, scores) to the disk."""
        table = [
            (file, index, label, *scores, self.model_name)
            for file, index, label, scores in rows
        ]
        for row in table:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"The model gives {len(row) - 4} scores for {row[0]}; {self.path} "
                    f"has columns for {len(self.columns) - 4}."
                )
        self._write(table)
        for file, index, *_ in table:
            self._count(file, index)

    def close(self) -> None:
        """Close the file, and let others write it."""
        self._file.close()

    def _lock(self):
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(
                f"{self.path} is being written by another process: wait for it to end, "
                "or write another file."
            ) from error

    def _write(self, table):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(table)
        if text.getvalue().count("\n") != len(table) or "\r" in text.getvalue():
            raise ValueError(
                f"{self.path} has a line a row: no class may have a line break in its "
                "name."
            )
        data = text.getvalue().encode(errors="surrogateescape")
        while data:
            data = data[self._file.write(data) :]
        os.fsync(self._file.fileno())

    def read(self) -> None:
        """Take over the rows that are there; cut off half a row at the end."""
        self.done, self.n_rows = defaultdict(set), 0
        whole = 0
        with open(self.path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    break
                self._take(line.decode(errors="surrogateescape"), number)
                whole += len(line)
        self._file.truncate(whole)
        if not whole:
            self._write([self.columns])

    def _take(self, line, number):
        """Take over a line; the first one has the columns."""
        try:
            (row,) = csv.reader([line])
        except csv.Error:
            row = [line[:80]]
        if number == 1:
            if row != self.columns:
                raise ValueError(
                    f"{self.path} has the columns {', '.join(row)}; this model's are "
                    f"{', '.join(self.columns)}. Write another file."
                )
            return
        if len(row) != len(self.columns) or not row[1].isdecimal():
            raise ValueError(
                f"{self.path}, line {number}, is no row of the table: "
                f"{','.join(row)!r}. Mend it, or write another file."
            )
        if row[-1] != self.model_name:
            raise ValueError(
                f"{self.path}, line {number}, is of the model {row[-1]}; this is "
                f"{self.model_name}. Write another file."
            )
        self._count(row[0], int(row[1]))

    def _count(self, file, index):
        self.done[file].add(index)
        self.n_rows += 1
