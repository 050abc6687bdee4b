"""Unpacks archives of images that others have made."""

import gzip
import os
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm.auto import tqdm

# An image of 4,000 by 4,000 px in 16 bits takes less; the whole set, much less.
LARGEST_MEMBER = 2**25
LARGEST_SUM = 2**33


def extract_images(archive: Path, folder: Path, *, verbose: int = 0) -> None:
    """Unpack a .tar.gz of files and folders; the folder is there if all of it is.

    Parameters
    ----------
    archive : Path
    folder : Path
        Made; must not exist.
    verbose : int
        1 shows progress.

    Raises
    ------
    ValueError
        If the archive is damaged, or a member lies outside it, is neither a file nor
        a folder, or is too large. Nothing of it stays then.
    """
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        _extract(archive, unfinished, verbose)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{archive} is damaged: {error}. Delete it, and get it again."
        ) from error
    else:
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _extract(archive: Path, folder: Path, verbose: int) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise RuntimeError(
            f"{archive} can't be unpacked safely by this Python: update it to 3.11.4 "
            "or newer."
        )
    progress = tqdm(desc=f"Unpacking {archive.name}", unit="file", disable=not verbose)
    total = 0
    with progress, gzip.open(archive) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                total += member.size
                _refuse_unsafe(archive, member, total)
                tar.extract(member, folder, filter="data")
                progress.update()
        # The checksum of gzip comes last, after what tar reads.
        while stream.read(2**20):
            pass


def _refuse_unsafe(archive: Path, member: tarfile.TarInfo, total: int) -> None:
    """Raise if a member could do more than put a file of modest size in the folder."""
    posix, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
    if posix.is_absolute() or windows.anchor or ".." in (*posix.parts, *windows.parts):
        reason = "lies outside the archive's folder"
    elif not (member.isreg() or member.isdir()):
        reason = "is a link or a device, not a file"
    elif member.size > LARGEST_MEMBER:
        reason = f"has {member.size} bytes, more than {LARGEST_MEMBER}"
    elif total > LARGEST_SUM:
        reason = f"is one too many: all together have more than {LARGEST_SUM} bytes"
    else:
        return
    raise ValueError(
        f"{archive} is not unpacked: its member {os.fsdecode(member.name)!r} {reason}."
    )
