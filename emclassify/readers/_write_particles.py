"""write_particles: images of particles as files, with a table of their labels."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from emclassify._whole_file import whole_folder

__all__ = ["write_particles"]

_TABLE = "labels.csv"


@validate_params(
    {"folder": [str, os.PathLike], "particles": [Bunch]},
    prefer_skip_nested_validation=True,
)
def write_particles(folder: str | os.PathLike[str], particles: Bunch) -> Path:
    """Write each particle to a TIFF file of its own, and a table of them.

    `load_image_folder` reads both, so that particles which were cut once can be looked
    at, sorted by hand, and classified. Values and types of number stay as they are; the
    pixel size goes into OME metadata.

    Parameters
    ----------
    folder : str or path-like
        Is made if it is not there; must be empty. It appears when it is complete.
    particles : Bunch
        From `load_particles`.

    Returns
    -------
    Path
        The table, labels.csv in the folder: columns file, label (where there are
        labels), micrograph and row (of the particle in the table, from 1).

    Raises
    ------
    FileExistsError
        If the folder is not empty.
    ValueError
        If `particles` does not come from `load_particles`.

    See Also
    --------
    load_image_folder : Reads what was written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> import tifffile
    >>> from emclassify.readers import load_particles, write_particles
    >>> table = pd.DataFrame({"micrograph": "grid1.tif", "x": [40, 90], "y": [50, 60]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     folder = Path(folder)
    ...     tifffile.imwrite(folder / "grid1.tif", np.zeros((128, 128), np.uint8))
    ...     data = load_particles(folder, table, box_size=32)
    ...     table = write_particles(folder / "particles", data)
    ...     pd.read_csv(table)["file"].tolist()
    ['grid1_000001.tif', 'grid1_000002.tif']
    """
    if "boxes" not in particles:
        raise ValueError("particles must come from load_particles.")
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"folder={str(folder)!r} is not empty. Name another.")
    with whole_folder(folder) as part:
        _write_all(part, particles)
    return folder / _TABLE


def _write_all(folder: Path, particles: Bunch) -> None:
    names = []
    sizes = particles.pixel_size
    for i, (image, micrograph) in enumerate(
        zip(particles.images, particles.groups, strict=True)
    ):
        stem = str(micrograph).rpartition(".")[0] or str(micrograph)
        names.append(f"{stem.replace('/', '_')}_{i + 1:06d}.tif")
        size = None if sizes is None else np.broadcast_to(sizes[i], 2)
        _write(folder / names[-1], np.asarray(image), size)
    columns = {"file": names}
    if particles.target is not None:
        columns["label"] = particles.target
    columns |= {"micrograph": particles.groups, "row": np.arange(1, len(names) + 1)}
    pd.DataFrame(columns).to_csv(folder / _TABLE, index=False)


def _write(path: Path, image: np.ndarray, size: np.ndarray | None) -> None:
    metadata = {"axes": "YXS" if image.ndim == 3 else "YX"}
    if size is not None and np.isfinite(size).all():
        for axis, nm in zip("YX", size, strict=True):
            metadata[f"PhysicalSize{axis}"] = float(nm)
            metadata[f"PhysicalSize{axis}Unit"] = "nm"
    colour = image.ndim == 3 and image.shape[2] == 3
    tifffile.imwrite(
        path,
        image,
        ome=True,
        photometric="rgb" if colour else "minisblack",
        planarconfig="contig" if image.ndim == 3 else None,
        metadata=metadata,
    )
