"""Downloads a file, and goes on where an earlier try was cut off."""

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from http import HTTPStatus
from os import PathLike
from pathlib import Path

from tqdm.auto import tqdm

_CHUNK = 2**18
_TIMEOUT = 60  # seconds without a byte


def download(url: str, path: Path, *, verbose: int = 0) -> None:
    """Write what `url` serves to `path`.

    Until it is complete it lies beside it, as ``<name>.part``; a later call asks the
    server for the rest only.

    Parameters
    ----------
    url : str
    path : Path
        File to write; its folder exists.
    verbose : int
        1 shows progress.

    Raises
    ------
    OSError
        If the server can't be reached, refuses, or the line is cut.
    """
    part = path.with_name(f"{path.name}.part")
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url)
    if start:
        request.add_header("Range", f"bytes={start}-")
    by_hand = f"or download it elsewhere and put it at {path}"
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            # Nothing after what is there already: the file is another one now.
            part.unlink()
            download(url, path, verbose=verbose)
            return
        raise OSError(
            f"{url} can't be downloaded: the server answers {error.code} "
            f"({error.reason}). Try again later, {by_hand}."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise OSError(
            f"{url} can't be reached: {reason}. Check the network, {by_hand}."
        ) from error
    with response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            start = 0  # a server that knows no ranges sends all of it again
        else:
            _check_range(response, part, start)
        _receive(response, part, url, start=start, verbose=verbose)
    part.replace(path)


def _check_range(response, part, start):
    """Raise unless the server sends what comes after `start` bytes."""
    sent = response.headers.get("Content-Range", "")
    if not re.match(rf"bytes {start}-", sent):
        raise OSError(
            f"The server was asked for bytes from {start} on, but sends {sent!r}. "
            f"Delete {part}, and call again to get all of it."
        )


def _receive(response, part, url, *, start, verbose):
    """Append the body of `response` to `part`, from byte `start` on, or raise."""
    length = response.headers.get("Content-Length")
    total = None if length is None else start + int(length)
    progress = tqdm(
        initial=start,
        total=total,
        desc=f"Downloading {url.rpartition('/')[2]}",
        unit="B",
        unit_scale=True,
        disable=not verbose,
    )
    done, cut = start, None
    with progress, part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        while True:
            try:
                chunk = response.read(_CHUNK)
            except http.client.IncompleteRead as error:
                chunk, cut = error.partial, "the server closed it"
            except OSError as error:
                cut = str(error) or type(error).__name__
                break
            if not chunk:
                break
            file.write(chunk)
            done += len(chunk)
            progress.update(len(chunk))
    if total is not None and done != total:
        cut = cut or "the server closed it"
    if cut:
        whole = "" if total is None else f" of {total}"
        raise OSError(
            f"The line to {url} was cut after {done}{whole} bytes ({cut}). They are "
            "kept: call again to get the rest."
        )


def file_sha256(path: str | PathLike[str]) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
