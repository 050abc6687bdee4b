"""split_cells: from images of many cells to one image a cell."""

from numbers import Integral, Real
from typing import Literal

import joblib
import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_li, threshold_otsu
from skimage.measure import label
from skimage.segmentation import watershed
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_consistent_length

from emclassify._images import check_each_image, check_images, is_sequence_of_images
from emclassify._incoming import plain_images
from emclassify._typing import ImagesLike

__all__ = ["split_cells"]

_POSITIVE = Interval(Real, 0, None, closed="neither")
# Shares of the area of a round nucleus, and of its diameter.
_LEAST_AREA = 0.15
_LEAST_DISTANCE = 0.35


@validate_params(
    {
        "nucleus_channel": [Integral],
        "cell_channel": [None, Integral],
        "nucleus_diameter": [_POSITIVE],
        "reach": [None, _POSITIVE],
        "min_contrast": [Interval(Real, 0, None, closed="left")],
        "border": [StrOptions({"nucleus", "cell"}), None],
        "size": [Interval(Integral, 1, None, closed="left")],
        "apply_mask": ["boolean"],
        "keep_mask": ["boolean"],
        "on_empty": [StrOptions({"raise", "skip"})],
        "n_jobs": [None, Integral],
    },
    prefer_skip_nested_validation=True,
)
def split_cells(
    images: ImagesLike,
    target: ArrayLike | None = None,
    *,
    nucleus_channel: int,
    cell_channel: int | None = None,
    nucleus_diameter: float = 20.0,
    reach: float | None = None,
    min_contrast: float = 5.0,
    border: Literal["nucleus", "cell"] | None = "nucleus",
    size: int = 64,
    apply_mask: bool = False,
    keep_mask: bool = True,
    on_empty: Literal["raise", "skip"] = "raise",
    n_jobs: int | None = None,
) -> Bunch:
    """Split images of cells into images of one cell each, with the image's label.

    Labels of proteins are given for images, though the question is about cells. Every
    cell gets its image's label, rightly or not; `groups` says which image it is from,
    so that a split by groups never parts the cells of an image, and
    `pool_predictions` brings predictions of cells back to images.

    Parameters
    ----------
    images : array-like of shape (n, h, w) or (n, h, w, c), or sequence of images
        Images may differ in size if they come as a list or 1-D object array.
    target : array-like of shape (n,) or (n, n_labels), default=None
        Labels of the images: of any kind, or an indicator matrix.
    nucleus_channel : int
        Channel that stains nuclei, bright on dark.
    cell_channel : int, default=None
        Channel that stains whole cells, bright on dark. With None a cell is all ground
        within `reach` of its nucleus.
    nucleus_diameter : float, default=20.0
        Typical diameter of a nucleus in px. Sets how much is smoothed, how near to
        each other the centres of two nuclei may be (0.35 of it), and what is too small
        to be a nucleus (0.15 of a disc's area).
    reach : float, default=None
        How far from its nucleus's outline a cell may reach, in px. Default: 1.5 times
        `nucleus_diameter` with a cell channel, half of it without.
    min_contrast : float, default=5.0
        How much brighter nuclei must be than the rest, in standard deviations of the
        rest. Noise cut in two by a threshold gives 2.7, a ramp 3.5; nuclei on an even
        ground give 10 and more. Below, an image has no cell.
    border : {"nucleus", "cell"} or None, default="nucleus"
        Which cells are dropped: those whose nucleus touches the image's border, all
        that touch it, or none.
    size : int, default=64
        Height and width of the crops in px, centred on the cell's bounding box. What
        lies beyond the image is 0; larger cells are cut off.
    apply_mask : bool, default=False
        Whether all that isn't the cell is set to 0.
    keep_mask : bool, default=True
        Whether the cell's mask (0 and 1) is appended to the crops as the last channel.
    on_empty : {"raise", "skip"}, default="raise"
        What to do about an image without any cell: raise an error, or go on without
        it. `n_cells` says which these are.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 is all cores.

    Returns
    -------
    sklearn.utils.Bunch
        images : ndarray of shape (n_all_cells, size, size, c or c + 1)
            A crop for each cell, in the dtype of `images`.
        target : ndarray of shape (n_all_cells,) or (n_all_cells, n_labels), or None
            Each cell has its image's.
        groups : ndarray of int of shape (n_all_cells,)
            The image that each cell is from.
        labels : ndarray of int of shape (n_all_cells,)
            Its number in `cell_masks`.
        boxes : ndarray of int of shape (n_all_cells, 4)
            First row, first column, last row + 1, last column + 1 of each cell.
        n_cells : ndarray of int of shape (n,)
            Cells found in each image.
        cell_masks, nucleus_masks : ndarray of uint16 of shape (n, h, w), or list
            0 outside, and from 1 the cells of each image that were kept. A nucleus has
            its cell's number. A list where images came as a sequence.

    Raises
    ------
    ValueError
        If there is no such channel, `target` has another length, or an image has no
        cell and ``on_empty="raise"``; or if none has any.

    See Also
    --------
    pool_predictions : From predictions of cells to predictions of images.
    emclassify.datasets.make_cell_images : Simulated cells, with masks and true labels.

    Notes
    -----
    The nucleus channel is smoothed (Gaussian, 1/16 of the diameter) and thresholded by
    Otsu's method; holes are filled. Touching nuclei are parted by a watershed of the
    distance to their outline, one for each peak of it. Cells are grown from the nuclei
    by a watershed of the distance to the nearest nucleus, within `reach` and within
    what Li's threshold [1]_ finds in the cell channel: so two cells that touch are
    parted half-way between their nuclei.

    Fine for cells that lie flat and apart, as in the Human Protein Atlas. For tissue,
    segment with a tool of its own.

    References
    ----------
    .. [1] C. H. Li and C. K. Lee, "Minimum cross entropy thresholding", Pattern
       Recognition 26:617-625, 1993.

    Examples
    --------
    >>> from emclassify.datasets import make_cell_images
    >>> from emclassify.preprocessing import split_cells
    >>> data = make_cell_images(5, random_state=0)
    >>> cells = split_cells(
    ...     data.images, data.target, nucleus_channel=2, cell_channel=3
    ... )
    >>> cells.n_cells.tolist()
    [2, 6, 3, 3, 3]
    >>> cells.images.shape, cells.target.shape
    ((17, 64, 64, 5), (17, 10))
    >>> cells.groups.tolist()
    [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    """
    images = plain_images(images)
    sequence = is_sequence_of_images(images)
    checked = check_each_image(images) if sequence else check_images(images)
    n_channels = checked[0].shape[-1]
    _check_channel(nucleus_channel, "nucleus_channel", n_channels)
    if cell_channel is not None:
        _check_channel(cell_channel, "cell_channel", n_channels)
    if target is not None:
        target = np.asarray(target)
        check_consistent_length(checked, target)
    if reach is None:
        reach = nucleus_diameter * (0.5 if cell_channel is None else 1.5)

    def find(image):
        nuclei = _find_nuclei(
            image[..., nucleus_channel], nucleus_diameter, min_contrast
        )
        stain = None if cell_channel is None else image[..., cell_channel]
        cells = _grow_cells(nuclei, stain, reach, nucleus_diameter)
        return _drop_border(cells, nuclei, border)

    # Threads: what is found is small, images are large.
    found = joblib.Parallel(n_jobs=n_jobs, require="sharedmem")(
        joblib.delayed(find)(image) for image in checked
    )
    n_cells = np.array([cells.max() for cells, _ in found], dtype=np.intp)
    _refuse_empty(n_cells, on_empty)
    groups = np.repeat(np.arange(len(checked)), n_cells)
    shape = (len(groups), size, size, n_channels + keep_mask)
    dtype = np.result_type(*{image.dtype for image in checked})
    crops = np.zeros(shape, dtype=dtype)
    boxes = np.empty((len(groups), 4), dtype=np.intp)
    row = 0
    for image, (cells, _) in zip(checked, found, strict=True):
        for number, box in enumerate(ndimage.find_objects(cells), start=1):
            rows, columns = box
            boxes[row] = rows.start, columns.start, rows.stop, columns.stop
            _cut(crops[row], image, cells == number, boxes[row], apply_mask, keep_mask)
            row += 1
    masks = [[of_image[kind] for of_image in found] for kind in (0, 1)]
    if not sequence:
        masks = [np.stack(of_kind) for of_kind in masks]
    return Bunch(
        images=crops,
        target=None if target is None else target[groups],
        groups=groups,
        labels=np.concatenate([np.arange(1, n + 1) for n in n_cells]),
        boxes=boxes,
        n_cells=n_cells,
        cell_masks=masks[0],
        nucleus_masks=masks[1],
    )


def _check_channel(channel, name, n_channels):
    if not -n_channels <= channel < n_channels:
        raise ValueError(
            f"{name}={channel} is not there: the images have {n_channels} channel"
            f"{'s' * (n_channels > 1)}, counted from 0."
        )


def _refuse_empty(n_cells, on_empty):
    empty = np.flatnonzero(n_cells == 0)
    hint = (
        "Check nucleus_channel and nucleus_diameter, or lower min_contrast; "
        "border=None keeps cells at the border."
    )
    if len(empty) == len(n_cells):
        raise ValueError(f"No image has any cell. {hint}")
    if empty.size and on_empty == "raise":
        others = len(empty) - 1
        tail = f" and {others} other{'s' * (others > 1)}" if others else ""
        raise ValueError(
            f'Image {empty[0]}{tail} of {len(n_cells)} has no cell. on_empty="skip" '
            f"goes on without. {hint}"
        )


def _find_nuclei(stain, diameter, min_contrast):
    """Return a label image of the nuclei."""
    sigma = diameter / 16
    smooth = ndimage.gaussian_filter(stain.astype(np.float32), sigma)
    if smooth.min() == smooth.max():
        return np.zeros(stain.shape, dtype=np.uint16)
    bright = smooth > threshold_otsu(smooth)
    rest = smooth[~bright]
    if smooth[bright].mean() - rest.mean() < min_contrast * rest.std():
        return np.zeros(stain.shape, dtype=np.uint16)
    parts = label(ndimage.binary_fill_holes(bright), connectivity=1)
    least = _LEAST_AREA * np.pi / 4 * diameter**2
    parts = _keep(parts, np.bincount(parts.ravel())[1:] >= least)
    # The border of the image is no outline.
    depth = ndimage.distance_transform_edt(np.pad(parts > 0, 1, mode="edge"))
    depth = ndimage.gaussian_filter(depth[1:-1, 1:-1], sigma)
    peaks = peak_local_max(
        depth,
        min_distance=max(1, round(_LEAST_DISTANCE * diameter)),
        labels=parts,
        exclude_border=False,
    )
    seeds = np.zeros(stain.shape, dtype=np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-depth, seeds, mask=parts > 0).astype(np.uint16)


def _grow_cells(nuclei, stain, reach, diameter):
    """Return a label image of the cells, numbered as their nuclei."""
    if not nuclei.any():
        return nuclei
    away = ndimage.distance_transform_edt(nuclei == 0)
    ground = away <= reach
    if stain is not None:
        smooth = ndimage.gaussian_filter(stain.astype(np.float32), diameter / 16)
        if smooth.min() < smooth.max():
            ground &= smooth > threshold_li(smooth)
    return watershed(away, nuclei, mask=ground | (nuclei > 0)).astype(np.uint16)


def _drop_border(cells, nuclei, border):
    """Return (cells, nuclei) without what touches the border, numbered anew."""
    keep = np.ones(cells.max(), dtype=bool)
    if border is not None:
        image = nuclei if border == "nucleus" else cells
        edges = (image[0], image[-1], image[:, 0], image[:, -1])
        touching = np.unique(np.concatenate(edges))
        keep[touching[touching > 0] - 1] = False
    return _keep(cells, keep), _keep(nuclei, keep)


def _keep(labels, keep):
    """Return a label image with the parts to keep only, numbered without gaps."""
    number = np.where(keep, np.cumsum(keep), 0)
    return np.concatenate([[0], number]).astype(np.uint16)[labels]


def _cut(crop, image, mask, box, apply_mask, keep_mask):
    """Fill `crop` (size, size, channels) with the image around a box."""
    size = len(crop)
    start = (box[:2] + box[2:] - size) // 2
    low = np.maximum(start, 0)
    high = np.minimum(start + size, mask.shape)
    source = tuple(slice(*pair) for pair in zip(low, high, strict=True))
    place = tuple(slice(*pair) for pair in zip(low - start, high - start, strict=True))
    n_channels = image.shape[-1]
    crop[place][..., :n_channels] = image[source]
    if apply_mask:
        inside = np.zeros(crop.shape[:2], dtype=bool)
        inside[place] = mask[source]
        crop[~inside] = 0
    if keep_mask:
        crop[place][..., n_channels] = mask[source]
