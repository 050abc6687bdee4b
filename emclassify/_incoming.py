"""What comes in, in containers that the rest knows: NumPy's, lists, files, frames.

Whatever can be taken as it is meant is taken; the rest is refused by name, before
anything else gets to it.
"""

from collections.abc import Iterable, Iterator, Mapping, Set, ValuesView
from decimal import Decimal
from numbers import Real
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

__all__ = [
    "plain_array",
    "plain_images",
    "plain_labels",
    "plain_numbers",
    "plain_values",
]

_COLUMNS = (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
_ONE_PATH = "is the path of one file; pass a list of paths."


def plain_images(X: Any, name: str = "X") -> Any:
    """Return images, rows or paths in a container that every estimator knows.

    Parameters
    ----------
    X : array-like
        Tensors, of whatever device and precision, and pictures of Pillow become
        arrays; pandas' columns of paths or images 1-D arrays of objects; masked arrays
        without a masked value plain ones. Lists of any of them too. All else stays as
        it is.
    name : str, default="X"
        What to call it in errors.

    Returns
    -------
    array-like

    Raises
    ------
    TypeError
        If it can be read only once (a generator), or has no order (a set, a dict).
    ValueError
        If values are masked, an image or a path is missing, paths stand beside images,
        or a picture has a palette.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify._incoming import plain_images
    >>> plain_images(np.ma.masked_less([[1.0, 2.0]], 0))
    array([[1., 2.]])
    >>> plain_images(np.ma.masked_less([[1.0, 2.0]], 2))
    Traceback (most recent call last):
    ...
    ValueError: X is a masked array, 1 of its 2 values masked. Put numbers in their ...
    """
    _refuse_container(X, name)
    if isinstance(X, str | PathLike):
        raise TypeError(f"{name} {_ONE_PATH}")
    X = plain_array(_column(X), name)
    listed = isinstance(X, list | tuple)
    if listed or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1):
        return _plain_elements(X, name)
    return X


def plain_labels(y: Any, name: str = "y") -> Any:
    """Return labels or an indicator matrix as NumPy's, or sparse as they are.

    Parameters
    ----------
    y : array-like or None
        Columns and frames of pandas' own types (boolean, Int64, category, string)
        become arrays of what they hold. None stays.
    name : str, default="y"

    Returns
    -------
    ndarray, sparse matrix or None

    Raises
    ------
    TypeError
        If it can be read only once, or has no order.
    ValueError
        If a label is missing: a blank cell of a table (NaN), None, pd.NA, masked.

    Examples
    --------
    >>> import pandas as pd
    >>> from emclassify._incoming import plain_labels
    >>> plain_labels(pd.DataFrame({"a": [True, False]}, dtype="boolean"))
    array([[ True],
           [False]])
    >>> plain_labels(["full", None, "empty"])
    Traceback (most recent call last):
    ...
    ValueError: y has no label for sample 1 (1 of 3 samples): None. Label every ...
    """
    if y is None or sparse.issparse(y):
        return y
    _refuse_container(y, name)
    missing = _missing_labels(y)
    if missing.any():
        where = np.flatnonzero(missing)
        raise ValueError(
            f"{name} has no label for sample {where[0]} ({len(where)} of "
            f"{len(missing)} samples): {_what_is_missing(y, where[0])}. Label every "
            "sample, or leave those without a label out."
        )
    y = plain_array(y, name)
    if isinstance(y, pd.DataFrame):
        columns = [_values_of(y.iloc[:, column]) for column in range(y.shape[1])]
        return np.column_stack(columns) if columns else np.empty(y.shape)
    if isinstance(y, _COLUMNS):
        return _values_of(y)
    advice = (
        "Several labels a sample come as an indicator matrix of 0 and 1, (n, n_labels)."
    )
    return plain_values(y, name, advice)


def plain_values(values: Any, name: str, advice: str = "") -> np.ndarray:
    """Return values of any kind as an array.

    ValueError if some are masked, or rows differ in length: then with the advice.
    """
    values = plain_array(values, name)
    try:
        return np.asarray(values)
    except ValueError:
        message = f"{name} holds sequences of different lengths. {advice}"
        raise ValueError(message.rstrip()) from None


def plain_numbers(values: Any, name: str, *, finite: bool = True) -> np.ndarray:
    """Return numbers as float64, whatever holds them.

    Parameters
    ----------
    values : array-like
        Real numbers or truth values; None and pd.NA are NaN. Text is refused.
    name : str
        What to call them in errors.
    finite : bool, default=True
        Whether NaN and infinite ones are refused.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    TypeError
        If they can be read only once, or have no order.
    ValueError
        If something else is among them, or lengths of rows differ.

    Examples
    --------
    >>> from emclassify._incoming import plain_numbers
    >>> plain_numbers([[1, 2], [3, 4.5]], "score")
    array([[1. , 2. ],
           [3. , 4.5]])
    >>> plain_numbers(["high", "low"], "score")
    Traceback (most recent call last):
    ...
    ValueError: score must hold real numbers; got 'high'.
    """
    _refuse_container(values, name)
    found = plain_values(values, name)
    if found.dtype.kind == "O":
        found = np.where(pd.isna(found), np.nan, found)
        odd = [value for value in found.flat if not isinstance(value, Real | Decimal)]
    else:
        odd = [] if found.dtype.kind in "biuf" else found.ravel().tolist()
    if odd:
        raise ValueError(f"{name} must hold real numbers; got {odd[0]!r}.")
    found = found.astype(np.float64)
    if finite and not np.isfinite(found).all():
        place = tuple(np.argwhere(~np.isfinite(found))[0].tolist())
        what = "NaN" if np.isnan(found[place]) else "infinity"
        raise ValueError(f"{name} contains {what} at {place}; give finite numbers.")
    return found


def _refuse_container(X, name):
    """Raise if X can't be gone through twice and in order."""
    if sparse.issparse(X):
        return  # not for here; and scipy 1.14 has sparse arrays that are mappings
    kind = type(X).__name__
    if isinstance(X, Iterator):
        raise TypeError(
            f"{name} is a {kind}, which can be read only once: pass a list, "
            f"list({name}), or an array."
        )
    if isinstance(X, Mapping):
        keys = ", ".join(map(repr, list(X)[:3])) or "nothing"
        raise TypeError(f"{name} is a {kind} of {keys}: pass one of its values.")
    if isinstance(X, Set | ValuesView):
        raise TypeError(f"{name} is a {kind}, which has no order: pass a list.")
    if type(X).__module__.startswith("torch.utils.data"):
        raise TypeError(
            f"{name} is a {kind} of torch: pass the images and labels themselves, as "
            "arrays or tensors."
        )


def _column(X):
    """Return pandas' column of objects or text as an array of objects."""
    if isinstance(X, _COLUMNS) and X.dtype.kind == "O":
        return X.to_numpy(dtype=object)
    return X


def _plain_elements(X, name):
    """Return a list or 1-D array of objects with plain arrays in it."""
    is_path = [isinstance(x, str | PathLike) for x in X]
    missing = [i for i, x in enumerate(X) if not is_path[i] and _is_missing(x)]
    if any(is_path):
        if missing:
            raise ValueError(
                f"{name} has no path at place {missing[0]}: {X[missing[0]]}. Name "
                "every file, or leave that row out."
            )
        if not all(is_path):
            i = is_path.index(False)
            raise ValueError(
                f"{name} holds paths and other things: at place {i} is a "
                f"{type(X[i]).__name__}. Pass paths only, or images only."
            )
        return X
    if missing and (len(missing) == len(X) or any(hasattr(x, "shape") for x in X)):
        raise ValueError(
            f"{name} has no image at place {missing[0]} ({len(missing)} of {len(X)} "
            f"are missing): {X[missing[0]]}. Leave it out, and its label too."
        )
    plain = [plain_array(x, f"{name}[{i}]") for i, x in enumerate(X)]
    if all(new is old for new, old in zip(plain, X, strict=True)):
        return X
    if isinstance(X, np.ndarray):
        boxed = np.empty(len(plain), dtype=object)
        for i, image in enumerate(plain):
            boxed[i] = image
        return boxed
    return type(X)(plain) if type(X) in (list, tuple) else plain


def plain_array(X: Any, name: str) -> Any:
    """Return a tensor or a masked array as a plain array; others as they are."""
    if isinstance(X, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(X)
        if masked.any():
            raise ValueError(
                f"{name} is a masked array, {masked.sum()} of its {masked.size} values "
                f"masked. Put numbers in their place, as {name}.filled(0), or leave "
                "these samples out."
            )
        return np.asarray(X)
    package = str(type(X).__module__).partition(".")[0]
    if package == "PIL" and hasattr(X, "mode"):
        if X.mode in ("P", "PA"):
            raise ValueError(
                f"{name} is a picture with a palette, whose numbers are no greys: "
                'convert it, .convert("L") or .convert("RGB").'
            )
        return np.asarray(X)
    if package == "torch" and hasattr(X, "detach"):
        return _of_torch(X, name)
    if package == "cupy" and hasattr(X, "get"):
        return X.get()
    dtype = str(getattr(X, "dtype", ""))
    if dtype.startswith(("bfloat16", "float8")) and hasattr(X, "astype"):
        return np.asarray(X.astype(np.float32))
    if isinstance(X, np.ndarray):
        for axis in range(X.ndim):
            if X.shape[axis] == 1 and X.strides[axis] < 0:
                # torch wants none, though nothing is ever reached by it.
                X = np.expand_dims(X.squeeze(axis), axis)
    return X


def _of_torch(tensor, name):
    try:
        tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
        try:
            return tensor.numpy()
        except TypeError:  # precisions that NumPy hasn't
            return tensor.float().numpy()
    except Exception as error:
        raise TypeError(
            f"{name} is a tensor that is no plain array ({error}). Pass a dense one."
        ) from error


def _missing_labels(y):
    """Return which labels are missing, bool (n,); NaN among numbers counts as one."""
    if isinstance(y, np.ma.MaskedArray):
        missing = np.ma.getmaskarray(y)
    elif isinstance(y, (pd.DataFrame, *_COLUMNS)):
        missing = np.asarray(pd.isna(y))
    elif isinstance(y, np.ndarray):
        missing = pd.isna(y) if y.dtype.kind in "Of" else np.zeros(y.shape, bool)
    elif isinstance(y, Iterable) and not hasattr(y, "dtype") and hasattr(y, "__len__"):
        missing = np.array([_is_missing(label) for label in y], dtype=bool)
    else:
        missing = np.zeros(0, bool)
    return missing.any(axis=tuple(range(1, missing.ndim)))


def _is_missing(label):
    if label is None or label is pd.NA or label is pd.NaT:
        return True
    return isinstance(label, float | np.floating) and bool(np.isnan(label))


def _what_is_missing(y, row):
    if isinstance(y, np.ma.MaskedArray):
        return "masked"
    value = y.iloc[row] if hasattr(y, "iloc") else y[row]
    return "a cell is blank" if np.ndim(value) else f"{value}"


def _values_of(column):
    """Return what a column of pandas holds, in NumPy's type where there is one."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(getattr(column, "cat", column).codes)
        return _values_of(dtype.categories)[codes]
    kind = getattr(dtype, "numpy_dtype", None)
    if isinstance(kind, np.dtype):
        return column.to_numpy(dtype=kind)
    return np.asarray(column)
