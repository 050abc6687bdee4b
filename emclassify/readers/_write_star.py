"""write_star: a table of particles back, with what was predicted."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from emclassify._whole_file import whole_path

__all__ = ["write_star"]

_SUFFIXES = (".star", ".csv")
_LABEL, _PROBABILITY = "emclassifyLabel", "emclassifyProbability"
_CLASS, _BEFORE = "rlnClassNumber", "emclassifyClassBefore"


@validate_params(
    {
        "path": [str, PathLike],
        "particles": [Bunch],
        "labels": ["array-like"],
        "probabilities": ["array-like", None],
        "classes": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def write_star(
    path: str | PathLike[str],
    particles: Bunch,
    labels: ArrayLike,
    probabilities: ArrayLike | None = None,
    *,
    classes: ArrayLike | None = None,
) -> None:
    """Write the table of particles back, with their predicted labels.

    All columns and all blocks of the table that `load_particles` has read are kept. New
    are emclassifyLabel and emclassifyProbability, which RELION keeps as it does any
    column that it doesn't know, and rlnClassNumber, by which RELION and cryoSPARC
    select: 1 for the first of `classes`, and so on. A rlnClassNumber that was there
    moves to emclassifyClassBefore.

    Parameters
    ----------
    path : str or path-like
        File to write: .star, or .csv. One that is there is replaced.
    particles : Bunch
        From `load_particles`.
    labels : array-like of shape (n,)
        Predicted labels.
    probabilities : array-like of shape (n,) or (n, n_classes), default=None
        Of the predicted label, or of all `classes`, of which the largest is written.
    classes : array-like of shape (n_classes,), default=None
        The labels there may be, in the order of the class numbers. Default: those that
        occur, sorted.

    Raises
    ------
    ImportError
        If starfile is missing, for .star.
    ValueError
        If `path` has another suffix, there are not as many labels as particles, a label
        is not among `classes`, or probabilities are not from 0 to 1.

    See Also
    --------
    load_particles : Read it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> import tifffile
    >>> from emclassify.readers import load_particles, write_star
    >>> table = pd.DataFrame({"micrograph": "grid1.tif", "x": [40, 90], "y": [50, 60]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     folder = Path(folder)
    ...     tifffile.imwrite(folder / "grid1.tif", np.zeros((128, 128), np.uint8))
    ...     data = load_particles(folder, table, box_size=32)
    ...     write_star(folder / "out.csv", data, ["full", "empty"], [0.9, 0.8])
    ...     print((folder / "out.csv").read_text().strip())
    micrograph,x,y,emclassifyLabel,emclassifyProbability,rlnClassNumber
    grid1.tif,40,50,full,0.9,2
    grid1.tif,90,60,empty,0.8,1
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(f"path={str(path)!r} must end in {' or '.join(_SUFFIXES)}.")
    if "frame" not in particles or "blocks" not in particles:
        raise ValueError("particles has no table: it must come from load_particles.")
    frame = _with_predictions(particles.frame, labels, probabilities, classes)
    with whole_path(path) as beside:
        if suffix == ".csv":
            frame.to_csv(beside, index=False)
        else:
            _write(beside, frame, particles)


def _with_predictions(
    frame: pd.DataFrame, labels: Any, probabilities: Any, classes: Any
) -> pd.DataFrame:
    labels = np.asarray(labels)
    if labels.shape != (len(frame),):
        raise ValueError(
            f"labels has shape {labels.shape}; expected a label for each of the "
            f"{len(frame)} particles."
        )
    classes = np.unique(labels) if classes is None else np.asarray(classes)
    number = {name: i for i, name in enumerate(classes.tolist(), start=1)}
    strange = sorted({str(x) for x in labels.tolist() if x not in number})
    if strange:
        raise ValueError(f"labels holds {strange[0]!r}, which is not among classes.")
    if _CLASS in frame:
        # One of an earlier labelling would be there twice.
        frame = frame.drop(columns=_BEFORE, errors="ignore")
    frame = frame.rename(columns={_CLASS: _BEFORE})
    frame[_LABEL] = [str(label) for label in labels.tolist()]
    if probabilities is not None:
        frame[_PROBABILITY] = _largest(probabilities, len(frame), len(classes))
    frame[_CLASS] = [number[label] for label in labels.tolist()]
    return frame


def _largest(probabilities: Any, n: int, n_classes: int) -> np.ndarray:
    values = np.asarray(probabilities, float)
    if values.shape not in ((n,), (n, n_classes)):
        raise ValueError(
            f"probabilities has shape {values.shape}; expected ({n},) or "
            f"({n}, {n_classes})."
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("probabilities holds values that are not from 0 to 1.")
    return values.max(axis=1) if values.ndim == 2 else values


def _write(path: Path, frame: pd.DataFrame, particles: Bunch) -> None:
    try:
        import starfile
    except ImportError as error:
        raise ImportError(
            'Writing STAR files needs starfile: pip install "emclassify[mrc]"'
        ) from error
    if "rlnCoordinateX" not in frame:
        frame = _as_relion(frame, particles)
    blocks = dict(particles.blocks) or {"particles": None}
    blocks = {name: frame if block is None else block for name, block in blocks.items()}
    starfile.write(blocks, path)


def _as_relion(frame: pd.DataFrame, particles: Bunch) -> pd.DataFrame:
    """Give a table of another kind RELION's columns of places."""
    top, left, height, width = particles.boxes.T
    return pd.DataFrame(
        {
            "rlnMicrographName": particles.groups,
            "rlnCoordinateX": left + width // 2,
            "rlnCoordinateY": top + height // 2,
            _CLASS: frame[_CLASS],
            _LABEL: frame[_LABEL],
            **({_PROBABILITY: frame[_PROBABILITY]} if _PROBABILITY in frame else {}),
        }
    )
