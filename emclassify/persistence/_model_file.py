"""The file of a model: a zip of a few members, none of them compressed.

Without compression nothing that is read is larger than the file, so that no small file
can fill the memory.
"""

import os
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from sklearn.exceptions import InconsistentVersionWarning

from emclassify._whole_file import whole_file

__all__ = ["FORMAT", "FORMAT_VERSION", "read_members", "refusing", "write_members"]

FORMAT = "emclassify model"
FORMAT_VERSION = 1
MEMBERS = ("card.json", "estimator.json", "arrays.safetensors")
# The same for every file: what is in it decides its bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 1


def write_members(path: str | PathLike[str], members: Mapping[str, bytes]) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : str or path-like
    members : dict of str to bytes

    Raises
    ------
    OSError
        If it can't be written.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}.")
    with whole_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data)


def read_members(
    path: str | PathLike[str], names: Collection[str] | None = None
) -> dict[str, bytes]:
    """Read the members of a file, {name: bytes}.

    Parameters
    ----------
    path : str or path-like
    names : collection of str, default=None
        Which ones; all without it.

    Raises
    ------
    OSError
        If the file can't be opened.
    ValueError
        If it is no model, damaged, or has what a model never has.
    """
    with open(path, "rb") as file, refusing(path):
        start = file.read(2)
        if start != b"PK":
            raise ValueError(f"it is no zip archive{_guess(start)}")
        return _read_archive(file, names)


@contextmanager
def refusing(path: str | PathLike[str], note: str = "") -> Iterator[None]:
    """Turn whatever a damaged or hostile file leads to into one ValueError.

    It ends with the note, a sentence without its full stop.
    """
    try:
        yield
    except (ImportError, InconsistentVersionWarning):
        # No fault of the file: an extra that is not installed, or a warning that the
        # user has made an error.
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if type(error) is ValueError:
            reason = str(error)
        elif isinstance(error, RecursionError):
            reason = "it is nested too deeply"
        raise ValueError(
            f"{os.fspath(path)} can't be loaded as a model of emclassify: {reason}."
            + (f" {note}." if note else "")
        ) from error


def _read_archive(file, names):
    """Read the members of a zip archive that has nothing unusual about it."""
    with zipfile.ZipFile(file) as archive:
        seen = set()
        for member in archive.infolist():
            # The name as the file has it; zipfile cuts it at a null character.
            name = member.orig_filename
            if name not in MEMBERS:
                raise ValueError(f"it has a member {name!r}, which no model has")
            if name in seen:
                raise ValueError(f"it has two members {name!r}")
            seen.add(name)
            if member.flag_bits & _ENCRYPTED:
                raise ValueError(f"its member {name!r} is encrypted")
            stored = member.compress_type == zipfile.ZIP_STORED
            if not stored or member.file_size != member.compress_size:
                raise ValueError(
                    f"its member {name!r} is compressed, which those of a model are not"
                )
        return {
            name: archive.read(name) for name in seen if names is None or name in names
        }


def _guess(start):
    """Say what the first bytes look like."""
    if not start:
        return ": it is empty"
    if start[:1] == b"\x80":
        return ", but looks like a pickle, which is never read"
    return ""
