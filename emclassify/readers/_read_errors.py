"""Why a file can't be read, in words that fit into a sentence about it."""

import os
import re
from pathlib import Path

__all__ = ["UnclearFileError", "reason_of"]


class UnclearFileError(ValueError):
    """A file can be read in several ways, and doesn't say in which.

    Parameters
    ----------
    fact : str
        What is in the file.
    advice : str
        Which parameter says what to read, for those who have it.
    """

    def __init__(self, fact: str, advice: str) -> None:
        super().__init__(fact, advice)
        self.fact = fact
        self.advice = advice

    def __str__(self) -> str:
        """Return fact and advice as one sentence."""
        return f"{self.fact}; {self.advice}"


# Pillow's: cannot identify image file <_io.BufferedReader name='a.png'>.
_OPEN_FILE = re.compile(r" <_io\.\w+[^>]*>")


def reason_of(error: Exception, path: Path) -> str:
    """Return what an error says, without the path before it and a full stop after."""
    if isinstance(error, OSError) and error.filename in (path, os.fspath(path)):
        return error.strerror or type(error).__name__
    reason = _OPEN_FILE.sub("", str(error)) or type(error).__name__
    return reason.removeprefix(str(path)).lstrip(" :").rstrip(".")
