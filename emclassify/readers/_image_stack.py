"""Stacks of images in HDF5 and CXI files, read by rows."""

from os import PathLike, fspath
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import validate_params

# Where the Coherent X-ray Imaging Data Bank has the patterns of a file.
CXI_DATASET = "/entry_1/data_1/data"


@validate_params(
    {"path": [str, PathLike], "dataset": [str]}, prefer_skip_nested_validation=True
)
def open_image_stack(path, dataset=CXI_DATASET):
    """Open the stack of images in an HDF5 or CXI file, without reading it.

    What comes back is an X for every estimator here. Networks, `CenterCrop`,
    `PixelStandardizer`, `FeatureExtractor` and `ResizeImages` read it a batch at a
    time; the others read it whole.

    Parameters
    ----------
    path : str or path-like
        The file.
    dataset : str, default="/entry_1/data_1/data"
        Name of the data set (n, height, width) in the file. The default is that of CXI
        files [1]_.

    Returns
    -------
    ImageStack
        Has `shape`, `dtype`, `ndim` and ``len``, and gives arrays when indexed: by a
        row, a slice, or rows in any order. ``close()`` or a ``with`` block closes the
        file. It can be pickled, and opens the file again where it arrives, so that
        worker processes read by themselves.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If h5py is not installed.
    ValueError
        If the file is not HDF5 or damaged, or the data set is not in it or no stack of
        grey images of real numbers. The message lists the stacks that there are.

    See Also
    --------
    load_image_folder : Images with a file each.

    Notes
    -----
    While a file is being written, HDF5 refuses to open it.

    References
    ----------
    .. [1] F. R. N. C. Maia, "The Coherent X-ray Imaging Data Bank", Nat. Methods
       9:854-855, 2012.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import h5py
    >>> import numpy as np
    >>> from emclassify.readers import open_image_stack
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run7.cxi"
    ...     with h5py.File(path, "w") as file:
    ...         file["entry_1/data_1/data"] = np.zeros((50, 8, 8), np.uint16)
    ...     with open_image_stack(path) as stack:
    ...         stack.shape, stack.dtype, stack[[7, 3]].shape
    ((50, 8, 8), dtype('uint16'), (2, 8, 8))
    """
    return ImageStack(path, dataset)


class ImageStack:
    """The data set (n, height, width) of an HDF5 file, read by rows.

    Parameters
    ----------
    path : str or path-like
    dataset : str

    Attributes
    ----------
    path : Path
    dataset : str
    shape : tuple of 3 int
    dtype : numpy dtype
    """

    ndim = 3

    def __init__(self, path, dataset):
        self.path, self.dataset = Path(fspath(path)), dataset
        self._file = _open(self.path)
        try:
            self._source = _stack_in(self._file, self.path, dataset)
        except ValueError:
            self._file.close()
            raise
        self.shape, self.dtype = self._source.shape, self._source.dtype

    def __len__(self):
        """Count the images."""
        return self.shape[0]

    def __getitem__(self, key):
        """Read images at a row, a slice or an array of rows, in any order."""
        if not self._file:
            raise ValueError(f"{self.path} has been closed: open it again.")
        rows, *rest = key if isinstance(key, tuple) else (key,)
        where = ...
        if not isinstance(rows, slice | int | np.integer | type(...)):
            rows = np.asarray(rows)
            rows = np.arange(len(self))[rows] if len(rows) else np.arange(0)
            # HDF5 reads rows that rise, each once.
            rows, where = np.unique(rows, return_inverse=True)
        elif isinstance(rows, slice) and (rows.step or 1) < 0:
            return self[np.arange(len(self))[rows], *rest]
        try:
            return self._source[rows, *rest][where]
        except OSError as error:
            raise ValueError(
                f"{self.path}: images of {self.dataset} can't be read: {error}. The "
                "file is damaged, or compressed by a filter that HDF5 lacks here (pip "
                "install hdf5plugin, and import it first)."
            ) from error

    def __iter__(self):
        """Read the images one by one."""
        return (self[row] for row in range(len(self)))

    def __repr__(self):
        """Say where it is and how large."""
        return f"<ImageStack {self.shape}, {self.dtype}: {self.path}:{self.dataset}>"

    def __enter__(self):
        """Return itself."""
        return self

    def __exit__(self, *exception):
        """Close the file."""
        self.close()

    def __reduce__(self):
        """Pickle the names alone."""
        return type(self), (self.path, self.dataset)

    def close(self):
        """Close the file."""
        self._file.close()


def _open(path):
    """Return the open file, or raise what says why not."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            'Reading HDF5 files needs h5py: pip install "emclassify[hdf5]".'
        ) from error
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if not h5py.is_hdf5(path):
        raise ValueError(f"{path} is not an HDF5 file ({_size(path)}).")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise ValueError(
            f"{path} can't be opened: {error}. It is cut short, damaged or still being "
            "written."
        ) from error


def _size(path):
    return "a folder" if path.is_dir() else f"{path.stat().st_size} bytes"


def _stack_in(file, path, name):
    """Return the data set, or raise ValueError that lists the stacks there are."""
    # Not `name in file`, which says of a link to nothing that it is there.
    found = file.get(name)
    if found is None:
        link = " is a link to nothing" if file.get(name, getlink=True) else None
        what = link or " is not in it"
    elif not hasattr(found, "dtype"):
        what = " is a group, not a data set"
    elif found.ndim != 3:
        what = f" has shape {found.shape}, not (n, height, width)"
    elif found.dtype.kind not in "buif":
        what = f" holds {found.dtype}, not real numbers"
    else:
        return found
    stacks = []

    def note(name, thing):
        if getattr(thing, "ndim", 0) == 3:
            stacks.append(f"/{name} {thing.shape}")

    file.visititems(note)
    advice = (
        f"Give as dataset one of: {', '.join(stacks)}."
        if stacks
        else "It holds no data set of three axes."
    )
    raise ValueError(f"{path}: dataset={name!r}{what}. {advice}")
