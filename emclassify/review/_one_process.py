"""One process at a time in a folder."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

__all__ = ["FolderInUseError", "alone_in"]

_LOCK = ".lock"
# Windows lets nobody read bytes that are locked: this one lies behind the file's end.
_FAR = 2**30


class FolderInUseError(OSError):
    """Another process works in a folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes, that ask in the same way, out of a folder.

    The lock is the operating system's, and ends with the process however that ends: a
    file that a dead process has left locks nobody out.

    Parameters
    ----------
    folder : Path
        Is made if it is not there, and removed again if nothing but the lock is in it
        at the end.

    Raises
    ------
    FolderInUseError
        If another process is in it. The message says which.
    """
    folder.mkdir(exist_ok=True)
    path = folder / _LOCK
    with open(path, "a+b") as file:
        if not _locked(file):
            raise FolderInUseError(
                f"{folder} is in use by {_holder(path)}. Wait until it has ended, or "
                "end it; nothing was changed."
            )
        file.truncate(0)
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        file.write(json.dumps(holder).encode())
        file.flush()
        try:
            yield
        finally:
            # While it is locked, so that nobody reads of who has gone.
            file.truncate(0)
            if os.listdir(folder) == [_LOCK]:
                # Windows removes no file that is open: the folder stays there.
                with suppress(OSError):
                    path.unlink()
                    folder.rmdir()


def _locked(file: BinaryIO) -> bool:
    """Try to lock an open file; it stays so until it is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        # A file system without locks: as before there was one.
        return True
    return True


def _holder(path: Path) -> str:
    """Return who has locked a folder, as far as its file says."""
    try:
        held = json.loads(path.read_bytes())
        where = "" if held["host"] == socket.gethostname() else f" on {held['host']}"
        return f"process {held['pid']}{where}, since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
