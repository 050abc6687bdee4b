"""predict_folder: a table of predictions for a folder, which may keep growing."""

import warnings
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import check_is_fitted

from emclassify._grey_scale import grey_scale_of, learnt_grey_scale
from emclassify._text_table import refuse_packed
from emclassify._whole_file import whole_path
from emclassify.prediction._learnt_pixel_size import LearntPixelSize, check_range
from emclassify.prediction._predict_stream import (
    check_classifier,
    class_names,
    predict_stream,
    score_names,
)
from emclassify.prediction._prediction_table import PredictionTable
from emclassify.readers._formats import SUFFIXES, format_named
from emclassify.readers._incoming_images import IncomingImages, ReadAs
from emclassify.readers._read_errors import reason_of

__all__ = ["predict_folder"]


@validate_params(
    {
        "estimator": [HasMethods("predict")],
        "folder": [str, PathLike],
        "path": [str, PathLike],
        "watch": ["boolean"],
        "page": [Interval(Integral, 0, None, closed="left"), None],
        "format": [str, None],
        "dataset": [str, None],
        "axes": [str, None],
        "orient": ["boolean"],
        "as_gray": ["boolean"],
        "pixel_size": [Interval(Real, 0, None, closed="neither"), None],
        "model_pixel_size": [Real, "array-like", None],
        "rescale": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "interval": [Interval(Real, 0, None, closed="neither")],
        "on_error": [StrOptions({"raise", "skip"})],
        "model_name": [str],
    },
    prefer_skip_nested_validation=True,
)
def predict_folder(
    estimator: BaseEstimator,
    folder: str | PathLike[str],
    path: str | PathLike[str],
    *,
    watch: bool = False,
    page: int | None = None,
    format: str | None = None,
    dataset: str | None = None,
    axes: str | None = None,
    orient: bool = True,
    as_gray: bool = False,
    pixel_size: float | None = None,
    model_pixel_size: float | Sequence[float] | None = None,
    rescale: bool = False,
    batch_size: int = 128,
    interval: float = 1.0,
    on_error: Literal["raise", "skip"] = "raise",
    model_name: str = "",
) -> int:
    """Predict all images in a folder, and write a CSV table with a row for each.

    Files of all formats in :doc:`/user_guide/formats` are read. PNG and JPEG files hold
    one image each, others may hold a stack, which is read a part at a time. Files lie
    in the folder at any depth; those whose names begin with a dot are left alone.

    Parameters
    ----------
    estimator : classifier or Pipeline
        Fitted; it takes images.
    folder : str or path-like
        Where the images are.
    path : str or path-like
        Table to write. Its columns: "file" (relative to `folder`), "index" (in a stack,
        from 0), "label" (several with spaces between them), the score of each class,
        "model".
    watch : bool, default=False
        Whether to wait for more files, until interrupted. A table that is there is gone
        on with: images that have a row get no other one. So a watch that was killed,
        at any moment, is simply started again. Without it, the table is written anew,
        and appears when it is complete.
    page : int, default=None
        Which image of each file to predict, from 0. Default: all.
    format : str, default=None
        Format to read files as, such as "mrc"; only files named so are taken. Default:
        any, by what is in a file.
    dataset, axes : str, default=None
        As `open_image_stack` has them, for HDF5 and zarr.
    orient : bool, default=True
        Whether to turn images upright, as EXIF data or a TIFF tag say.
    as_gray : bool, default=False
        Whether to make colours grey, as `load_image_folder` does.
    pixel_size : float, default=None
        Size of the pixels of all images, in nm. Default: as each file states it.
    model_pixel_size : float or (float, float), default=None
        Size of the pixels of the images that the estimator has learnt from, in nm, or
        the least and the most. Images that differ by more than 2 % bring a warning.
        Default: nothing is compared.
    rescale : bool, default=False
        Whether to bring images to `model_pixel_size`, as `PixelSizeScaler` does, so
        that the estimator must take images of any size. One whose pixel size is not
        known can't be predicted then.
    batch_size : int, default=128
        Images predicted at a time, at most.
    interval : float, default=1.0
        Seconds between two looks at the folder. A file is read when it has not changed
        from one look to the next; one that can't be read yet is tried again.
    on_error : {"raise", "skip"}, default="raise"
        What to do about a file that can't be read, or an image that the estimator
        refuses: raise, or warn and go on. With `watch`, a file is read again when it
        changes.
    model_name : str, default=""
        What to write in the column "model". A table with rows of another model is not
        gone on with.

    Returns
    -------
    int
        Number of rows written by this call. With `watch`, it returns when interrupted
        (`KeyboardInterrupt`).

    Raises
    ------
    NotADirectoryError
        If `folder` is no folder.
    FileNotFoundError
        If `path` lies in no folder.
    ImportError
        If there are files of a format whose package is not installed.
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If `path` is named as a packed file, such as predictions.csv.gz; if the
        estimator is no classifier; if a file can't be read, or its image is refused,
        and ``on_error="raise"``; if there are no images, without `watch`; if the table
        is of another kind or model, or being written by another process (not noticed on
        Windows).

    Warns
    -----
    UserWarning
        With ``on_error="skip"``, for each file or image that was left out: which and
        why. For each file with pixels of another size than `model_pixel_size`.

    See Also
    --------
    predict_stream : The same for an iterator, without a table.
    emclassify.persistence.load : Loads an estimator.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from PIL import Image
    >>> from emclassify import predict_folder, svm_baseline
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(0, 100, (20, 8, 8)).astype(np.uint8)
    >>> X[10:] += 100
    >>> svm = svm_baseline().fit(X, np.repeat(["dim", "bright"], 10))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for i in (0, 10):
    ...         Image.fromarray(X[i]).save(Path(folder) / f"{i}.png")
    ...     table = Path(folder) / "table.csv"
    ...     n_rows = predict_folder(svm, folder, table)
    ...     pd.read_csv(table)["label"].tolist()
    ['dim', 'bright']
    """
    folder, path = Path(folder), Path(path)
    if not folder.is_dir():
        raise NotADirectoryError(f"folder={str(folder)!r} is not a folder.")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r}: there is no folder {path.absolute().parent}."
        )
    refuse_packed(path)
    check_is_fitted(estimator)
    check_classifier(estimator)
    read_as = ReadAs(page, format, dataset, axes, orient, as_gray)
    suffixes = SUFFIXES if format is None else format_named(format).suffixes
    scaler = LearntPixelSize(check_range(model_pixel_size), pixel_size, rescale)
    stream = _FolderStream(estimator, folder, read_as, batch_size, on_error, scaler)
    columns = score_names(estimator), model_name
    if watch:
        with closing(PredictionTable(path, *columns)) as table:
            return stream.write(table, interval)
    with whole_path(path) as beside:
        with closing(PredictionTable(beside, *columns)) as table:
            n_rows = stream.write(table, None)
        if not n_rows and stream.n_left_out:
            raise ValueError(
                f"{folder} has no image that could be predicted: all "
                f"{stream.n_left_out} were left out, for the reasons in the warnings."
            )
        if not n_rows:
            raise ValueError(
                f"{folder} has no image that can be predicted, neither in it nor in "
                f"folders below it: none named {', '.join(suffixes)}."
            )
    return n_rows


class _FolderStream:
    """The images in a folder on their way into a table."""

    def __init__(self, estimator, folder, read_as, batch_size, on_error, scaler):
        self.estimator = estimator
        self.folder = folder
        self.read_as = read_as
        self.batch_size = batch_size
        self.on_error = on_error
        self.scaler = scaler
        self._scale = learnt_grey_scale(estimator)
        self._names = class_names(estimator)
        self.n_left_out = 0

    def write(self, table, interval):
        """Write a row for each image that has none; return how many."""
        self._table = table
        n_before = table.n_rows
        # Images that are read but not predicted, and rows that are not yet written.
        self._keys, self._rows = deque(), []
        incoming = IncomingImages(
            self.folder,
            self.read_as,
            {file: set(indices) for file, indices in table.done.items()},
            interval,
            self._leave_out,
            None if self._scale is None else self._why_not,
        )
        predictions = predict_stream(
            self.estimator,
            self._images(incoming),
            batch_size=self.batch_size,
            on_error="skip",
        )
        try:
            for label, scores, error in predictions:
                file, index = self._keys.popleft()
                if error is None:
                    label = _as_text(label, self._names)
                    self._rows.append((file, index, label, scores))
                else:
                    self._leave_out(f"{file}, image {index}", ValueError(error))
        except KeyboardInterrupt:
            if interval is None:
                raise
            # It may have come while rows were written.
            table.read()
        return table.n_rows - n_before

    def _images(self, incoming):
        for item in incoming:
            if item is None:
                yield None
            else:
                key, image = item
                try:
                    image = self.scaler.apply(image, incoming.pixel_size, key[0])
                except ValueError as error:
                    self._leave_out(key[0], error)
                    continue
                self._keys.append(key)
                yield image
            # Asked for another image: all predictions there are have been taken.
            self._write_rows()

    def _write_rows(self):
        if self._rows:
            self._table.append(self._rows)
            self._rows = []

    def _why_not(self, images: np.ndarray) -> str:
        """Say why the greys of images are none for this model, or nothing."""
        scale = grey_scale_of(images)
        if not scale.clashes_with(self._scale):
            return ""
        return (
            f"it is {scale}, and the model has learnt from {self._scale}: their grey "
            "values are not on one scale"
        )

    def _leave_out(self, what: str, error: Exception) -> None:
        self.n_left_out += 1
        reason = reason_of(error, self.folder / what)
        for start in ("can't be opened: ", "can't be read: "):
            reason = reason.removeprefix(start)
        if self.on_error == "skip":
            warnings.warn(f"{what} was left out: {reason}", stacklevel=2)
            return
        self._write_rows()
        if isinstance(error, ImportError):
            raise ImportError(f"{self.folder / what} can't be predicted: {reason}.")
        raise ValueError(
            f"{self.folder / what} can't be predicted: {reason}. With "
            "on_error='skip', such files are left out."
        )


def _as_text(label, names):
    """Return the label, or the labels that a row of the indicator matrix has."""
    if np.ndim(label) == 0:
        return str(label)
    return " ".join(name for name, on in zip(names, label, strict=True) if on == 1)
