"""Strategies for images and labels that nobody should give, and some that are fine."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy import sparse

DTYPES = (
    *("bool", "u1", "i1", "u2", ">u2", "i4", "u8", "f2", "f4", ">f8", "f8", "g"),
    *("c8", "O", "U3", "M8[s]"),
)
FILLS = ("noise", "zero", "one value", "huge", "tiny", "NaN", "infinity", "negative")
LAYOUTS = (
    "plain",
    "Fortran",
    "every other",
    "backwards",
    "read-only",
    "a view of more",
)
CONTAINERS = (
    *("array", "array", "array", "array", "list", "tuple", "frame", "sparse"),
    *("ragged", "objects", "memory view", "None"),
)


@st.composite
def odd_images(draw):
    """Return what is passed as X."""
    n = draw(st.sampled_from([0, 1, 2, 3, 6, 9, 12]))
    axes = draw(st.sampled_from([0, 1, 2, 3, 3, 3, 3, 4, 4, 5]))
    shape = [n, *(draw(st.integers(0, 7)) for _ in range(min(axes, 3) - 1))]
    shape += [draw(st.integers(0, 4)) for _ in range(axes - 3)]
    shape = tuple(shape[:axes])
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    X = _filled(shape, draw(st.sampled_from(FILLS)), dtype, rng)
    X = _laid_out(X, draw(st.sampled_from(LAYOUTS)))
    return _contained(X, draw(st.sampled_from(CONTAINERS)), rng)


def _filled(shape, fill, dtype, rng):
    values = rng.normal(100, 30, size=shape)
    if fill == "zero":
        values = np.zeros(shape)
    elif fill == "one value":
        values = np.full(shape, 7.0)
    elif fill == "huge":
        values = values * 1e300
    elif fill == "tiny":
        values = values * 1e-310
    elif fill == "negative":
        values = -values
    elif fill in ("NaN", "infinity") and values.size:
        values.flat[rng.integers(values.size)] = np.nan if fill == "NaN" else np.inf
    with np.errstate(all="ignore"):
        if dtype.kind in "biu":
            values = np.clip(np.nan_to_num(values), -(2**62), 2**62)
        if dtype.kind == "M":
            values = np.nan_to_num(values).clip(-1e9, 1e9).astype("i8")
        return np.asarray(values).astype(dtype)


def _laid_out(X, layout):
    if layout == "Fortran":
        return np.asfortranarray(X)
    if layout == "every other" and X.ndim:
        return np.repeat(X, 2, axis=-1)[..., ::2]
    if layout == "backwards" and X.ndim:
        return X[::-1]
    if layout == "a view of more" and X.ndim:
        return np.concatenate([X, X])[: len(X)]
    if layout == "read-only":
        X.flags.writeable = False
    return X


def _contained(X, container, rng):
    if container in ("list", "tuple") and X.ndim:
        return list(X) if container == "list" else tuple(X)
    if container == "frame" and X.ndim == 2:
        return pd.DataFrame(X)
    if container == "sparse" and X.ndim == 2 and X.dtype.str in ("|u1", "<i4", "<f8"):
        return sparse.csr_array(X)
    if container == "ragged" and X.ndim >= 3 and len(X) > 1:
        return [image[: rng.integers(1, 9)] for image in X]
    if container == "objects" and X.ndim >= 2:
        boxed = np.empty(len(X), dtype=object)
        boxed[:] = list(X)
        return boxed
    if container == "memory view" and X.dtype.kind in "iuf" and X.size:
        return memoryview(np.ascontiguousarray(X).astype("f8"))
    return None if container == "None" else X


@st.composite
def odd_labels(draw, n):
    """Return what is passed as y, mostly for n samples."""
    n = max(0, n + draw(st.sampled_from([0] * 12 + [1, -1])))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    code = np.arange(n) % draw(st.sampled_from([1, 2, 2, 2, 2, 3, 3, 7]))
    kind = draw(
        st.sampled_from(
            [
                *("whole", "whole", "words", "words", "names", "unicode", "truth"),
                *(
                    "big",
                    "float",
                    "continuous",
                    "mixed",
                    "bytes",
                    "NaN",
                    "None",
                    "text",
                ),
                *("column", "indicator", "table", "series", "category", "empty string"),
            ]
        )
    )
    words = np.array(["uni", "multi", "uncertain", "d", "e", "f", "g"], dtype=object)
    made = {
        "whole": lambda: code,
        "words": lambda: words[code].astype(str),
        "names": lambda: words[code],
        "unicode": lambda: np.array(["ß", "日本", "🙂", "é", "ẞ", "a b", "\n"])[code],
        "truth": lambda: code == 1,
        "big": lambda: code * 2**40 - 5,
        "float": lambda: code.astype(float),
        "continuous": lambda: rng.normal(size=n),
        "mixed": lambda: np.array([1, "a", None, 2.5, "b", 3, ()], dtype=object)[code],
        "bytes": lambda: words[code].astype("S"),
        "NaN": lambda: np.where(np.arange(n) == n // 2, np.nan, code),
        "None": lambda: None,
        "text": lambda: "labels",
        "column": lambda: code[:, np.newaxis],
        "indicator": lambda: rng.integers(2, size=(n, 3)),
        "table": lambda: pd.DataFrame({"label": words[code]}),
        "series": lambda: pd.Series(words[code], index=np.arange(n) + 5),
        "category": lambda: pd.Series(words[code], dtype="category"),
        "empty string": lambda: np.where(code == 0, "", "full"),
    }
    return made[kind]()
