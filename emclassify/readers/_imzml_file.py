"""An imzML file and its ibd: where spectra lie, and whether the two files are one.

The XML is parsed by pyimzml. The binary is read here, because pyimzml hands back what
a truncated file still has, and takes the machine's size of an integer for the file's.
"""

import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# pyimzml's letters; imzML is little-endian.
_DTYPES = {"f": "<f4", "d": "<f8", "i": "<i4", "l": "<i8"}
_UUID = "IMS:1000080"
_CHECKSUMS = {"IMS:1000090": "md5", "IMS:1000091": "sha1", "IMS:1000092": "sha256"}
_COMPRESSIONS = ("MS:1000574", "MS:1002312", "MS:1002313", "MS:1002314")


@dataclass
class _Arrays:
    """Where one array of each spectrum lies in the ibd."""

    offset: np.ndarray
    length: np.ndarray
    dtype: np.dtype

    @property
    def end(self):
        """First byte after each array."""
        return self.offset + self.length * self.dtype.itemsize

    def read(self, file, row):
        """Return the array of spectrum `row`; short if the file is."""
        file.seek(self.offset[row])
        data = file.read(self.length[row] * self.dtype.itemsize)
        return np.frombuffer(data, self.dtype)


class ImzMLFile:
    """Coordinates and spectra of an imzML file.

    Parameters
    ----------
    path : str or path-like
        The .imzML; its .ibd lies beside it.

    Attributes
    ----------
    path, ibd : Path
    coordinates : ndarray of int, shape (n_spectra, 3)
        x, y, z as the file has them.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`emclassify.readers.load_imzml` says, but for checksums.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        parsed = _parse(self.path)
        self.ibd = _find_ibd(self.path)
        _refuse_compressed(self.path, parsed.metadata)
        self.coordinates = np.array(parsed.coordinates, dtype=np.int64).reshape(-1, 3)
        self._mz = self._arrays(
            "m/z", parsed.mzOffsets, parsed.mzLengths, parsed.mzPrecision
        )
        self._intensity = self._arrays(
            "intensity",
            parsed.intensityOffsets,
            parsed.intensityLengths,
            parsed.intensityPrecision,
        )
        self._stated = parsed.metadata.file_description.param_by_accession
        self._check_lengths()
        self._check_size()
        self._check_uuid()

    def _arrays(self, what, offset, length, precision):
        if precision not in _DTYPES:
            raise ValueError(
                f"{self.path} does not say in which type of number its {what} arrays "
                "are; 32 and 64 bit floats and integers are read."
            )
        return _Arrays(
            np.array(offset, dtype=np.int64),
            np.array(length, dtype=np.int64),
            np.dtype(_DTYPES[precision]),
        )

    def name(self, row: int) -> str:
        """Return how to call spectrum `row` in errors."""
        x, y, _ = self.coordinates[row]
        return f"the spectrum at x={x}, y={y} of {self.path}"

    def _check_lengths(self):
        bad = np.flatnonzero(
            (self._mz.length != self._intensity.length) | (self._mz.length < 0)
        )
        if len(bad):
            row = bad[0]
            raise ValueError(
                f"{self.name(row)} has {self._mz.length[row]} m/z values and "
                f"{self._intensity.length[row]} intensities. Export the file again."
            )

    def _check_size(self):
        if min(self._mz.offset.min(), self._intensity.offset.min()) < 0:
            raise ValueError(
                f"{self.path} places spectra before the start of {self.ibd.name}. "
                "Export the file again."
            )
        size = self.ibd.stat().st_size
        needed = max(self._mz.end.max(), self._intensity.end.max())
        if size < needed:
            raise ValueError(
                f"{self.ibd} is truncated: it has {size} bytes, but {self.path.name} "
                f"speaks of {needed}. Copy or export it again."
            )

    def _check_uuid(self):
        stated = self._stated.get(_UUID)
        if stated is None:
            return
        stated = str(stated).strip("{} ").replace("-", "").lower()
        with self.ibd.open("rb") as file:
            found = file.read(16)
        # Some writers store it as Windows does, its first three parts reversed.
        swapped = found[3::-1] + found[5:3:-1] + found[7:5:-1] + found[8:]
        if stated not in (found.hex(), swapped.hex()):
            raise ValueError(
                f"{self.ibd} does not belong to {self.path.name}: its UUID is "
                f"{found.hex()}, that of the imzML {stated}. Put the two files of one "
                "export together."
            )

    def check_sums(self) -> None:
        """Raise ValueError unless the ibd has the checksums that the imzML states."""
        for accession, algorithm in _CHECKSUMS.items():
            stated = self._stated.get(accession)
            if stated is None:
                continue
            with self.ibd.open("rb") as file:
                found = hashlib.file_digest(file, algorithm).hexdigest()
            if found != str(stated).strip().lower():
                raise ValueError(
                    f"{self.ibd} was changed or damaged: its {algorithm.upper()} is "
                    f"{found}, but {self.path.name} states {str(stated).lower()}. "
                    "Copy or export it again, or pass verify=False."
                )

    def spectra(self, rows: Iterable[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (m/z, intensities) of the spectra at `rows`.

        Arrays of m/z values that spectra share, as in continuous mode, are read once
        and are then the same object.
        """
        place, mz = None, None
        with self.ibd.open("rb") as file:
            for row in rows:
                here = (self._mz.offset[row], self._mz.length[row])
                if here != place:
                    place, mz = here, self._mz.read(file, row)
                    self._check_mz(mz, row)
                intensities = self._intensity.read(file, row)
                if not np.isfinite(intensities).all():
                    raise ValueError(
                        f"{self.name(row)} has intensities that are not finite. "
                        "Export the file again."
                    )
                yield mz, intensities

    def _check_mz(self, mz, row):
        # Also False for NaN. Bytes that are something else look like this.
        if not (mz[1:] >= mz[:-1]).all() or (len(mz) and not np.isfinite(mz[-1])):
            raise ValueError(
                f"{self.name(row)} has m/z values that do not ascend: they are "
                "compressed, damaged or not sorted. Export the file again, "
                "uncompressed."
            )


def _parse(path):
    """Return pyimzml's parser of the XML, the ibd not opened, or raise."""
    try:
        from pyimzml.ImzMLParser import ImzMLParser
    except ImportError as error:
        raise ImportError(
            'Reading imzML needs pyimzml: pip install "emclassify[msi]"'
        ) from error
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r}: no such file.")
    try:
        with warnings.catch_warnings():
            # Of every term that its ontology lacks; what is needed is checked here.
            warnings.simplefilter("ignore", UserWarning)
            return ImzMLParser(os.fspath(path), ibd_file=None)
    except Exception as error:
        # Whatever it stumbles over: broken XML, missing parts, no spectra.
        raise ValueError(
            f"{path} cannot be read as imzML ({type(error).__name__}: {error}). It is "
            "truncated, damaged or another format. Copy or export it again."
        ) from error


def _find_ibd(path):
    """Return the path of the ibd beside an imzML, or raise."""
    for found in sorted(path.parent.iterdir()):
        if found.stem == path.stem and found.suffix.lower() == ".ibd":
            return found
    raise FileNotFoundError(
        f"{path} has no {path.with_suffix('.ibd').name} beside it, which holds its "
        "spectra. Put both into one folder, under one name."
    )


def _refuse_compressed(path, metadata):
    for group in metadata.referenceable_param_groups.values():
        stated = group.param_by_accession
        if any(accession in stated for accession in _COMPRESSIONS):
            raise ValueError(
                f"{path} holds compressed spectra, which are not read. Export it "
                "without compression."
            )
