"""Simulated fluorescence images of cells with a protein in some of their parts."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from emclassify._data_set import DataSet
from emclassify._typing import RandomStateLike
from emclassify.datasets._class_balance import by_label, check_weights
from emclassify.datasets._draws import (
    as_range,
    check_n_groups,
    draw_groups,
    fill_blocks,
    seed_sequence,
)
from emclassify.datasets.cells._cell_exposure import draw_plates, expose
from emclassify.datasets.cells._cell_labels import draw_dirt, draw_locations, spoil
from emclassify.datasets.cells._cell_shapes import draw_shapes, label_images
from emclassify.datasets.cells._locations import DRAWINGS, LOCATIONS
from emclassify.datasets.cells._mitosis import divide, draw_dividing
from emclassify.datasets.cells._protein_patterns import Patterns

CHANNELS = ("microtubules", "protein", "nucleus", "endoplasmic reticulum")
SPINDLE = "mitotic spindle"
# Unequal, as proteins are.
DEFAULT_SHARES = {
    "nucleoplasm": 0.24,
    "nuclear membrane": 0.03,
    "nucleoli": 0.07,
    "Golgi apparatus": 0.08,
    "actin filaments": 0.04,
    "microtubules": 0.05,
    "mitochondria": 0.11,
    "cytosol": 0.22,
    "vesicles": 0.11,
    "negative": 0.05,
}
ALL_SHARES = {
    "nucleoplasm": 0.18,
    "nuclear membrane": 0.03,
    "nucleoli": 0.06,
    "nucleoli fibrillar center": 0.03,
    "nuclear speckles": 0.05,
    "nuclear bodies": 0.05,
    "endoplasmic reticulum": 0.05,
    "Golgi apparatus": 0.07,
    "intermediate filaments": 0.04,
    "actin filaments": 0.03,
    "microtubules": 0.04,
    "mitotic spindle": 0.015,
    "centrosome": 0.03,
    "plasma membrane": 0.06,
    "mitochondria": 0.08,
    "aggresome": 0.015,
    "cytosol": 0.12,
    "vesicles": 0.03,
    "negative": 0.02,
}
# Images that a task draws.
_BLOCK = 16

_DESCR = """\
Simulated fluorescence images of cells, labelled by where a protein is

These images are SIMULATED, in the manner of the Human Protein Atlas. No microscope
recorded them, and what a classifier scores on them says nothing about its score on
real ones.

{n_samples} images of {image_size}×{image_size} px from {n_groups} simulated plates
(`groups`); those of a plate share staining and exposure.

Channels: {channels}.

Images by label: {counts}.

Wrong labels: {n_wrong}; saturated images: {n_saturated}; empty images: {n_empty}.

`target` is what the labels say, `true_target` what was drawn, `cell_target` what each
cell shows. `cell_masks` and `nucleus_masks` number the cells of each image from 1.
"""

_SHARE = Interval(Real, 0, 1, closed="both")


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "image_size": [Interval(Integral, 16, 1024, closed="both")],
        "multilabel": ["boolean"],
        "max_locations": [Interval(Integral, 1, 3, closed="both")],
        "n_groups": [None, Interval(Integral, 1, None, closed="left")],
        "nucleus_radius": [None, Interval(Real, 2, None, closed="left")],
        "silent_cells": [Interval(Real, 0, 1, closed="left")],
        "label_noise": [_SHARE],
        "dirt": [_SHARE],
        "photons": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_cell_images(
    n_samples: int = 500,
    *,
    image_size: int = 128,
    multilabel: bool = True,
    weights: Mapping[Any, float] | Sequence[float] | Literal["all"] | None = None,
    max_locations: int = 3,
    n_groups: int | None = None,
    n_cells: int | tuple[int, int] = (4, 9),
    nucleus_radius: float | None = None,
    expression: float | tuple[float, float] = (0.25, 0.9),
    silent_cells: float = 0.1,
    label_noise: float = 0.0,
    dirt: float = 0.0,
    photons: float = 150.0,
    n_jobs: int | None = None,
    random_state: RandomStateLike = None,
) -> Bunch:
    """Simulate fluorescence images of cells, labelled by where a protein is.

    Each image shows some cells in four channels, as the Human Protein Atlas [1]_ has
    them. The label is the image's, says at which locations its protein is, and may be
    wrong; single cells may not express the protein at all. What is true of each cell
    is told too.

    Parameters
    ----------
    n_samples : int, default=500
        Number of images.
    image_size : int, default=128
        Height and width of the images in px, 16 to 1024.
    multilabel : bool, default=True
        Whether a protein may be at several locations. If not, each image has one, and
        labels are names.
    weights : dict, sequence of float or "all", default=None
        Share of each location: by name; 19 numbers in the order of `target_names`; or
        10 for the ten of the default. Scaled to sum to 1. The first location of each
        image is shared out by these exactly, and each location whose weight is not 0
        has at least one image if `n_samples` allows; further ones are drawn by them.
        Default: ten locations, from 0.24 (nucleoplasm) down to 0.03 (nuclear membrane).
        "all": the 19 labels of [2]_, from 0.18 (nucleoplasm) down to 0.015 (mitotic
        spindle, aggresome).
    max_locations : int, default=3
        With ``multilabel=True``: the most locations of a protein, 1 to 3.
    n_groups : int, default=None
        Number of plates. Default: one for every 20 images, but at least 10 (or
        `n_samples`, if that is less).
    n_cells : int or (low, high), default=(4, 9)
        Cells in an image, some of them cut by its border; each image draws its number,
        up to 100. There are fewer where no more fit in.
    nucleus_radius : float, default=None
        Mean radius of nuclei in px, at least 2; plates differ by some 5 %. Default: a
        twelfth of `image_size`.
    expression : float or (low, high), default=(0.25, 0.9)
        Brightness of the protein, as a share of full scale; each image draws its own,
        and cells differ by some 25 %. The less, the harder.
    silent_cells : float, default=0.1
        Probability that a cell does not express the protein. One cell of an image
        always does, unless its label is "negative".
    label_noise : float, default=0.0
        Share of images in whose label one location is replaced by a wrong one.
    dirt : float, default=0.0
        Share of images that are no good: half are saturated in all channels, half are
        empty, with no cells. Their labels are those of the others.
    photons : float, default=150.0
        Photons at full scale. The less, the noisier.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 is all cores. The images do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same images every time.

    Returns
    -------
    sklearn.utils.Bunch
        images : ndarray of uint8 of shape (n_samples, image_size, image_size, 4)
            Channels: microtubules, protein, nucleus, endoplasmic reticulum; the
            atlas's red, green, blue and yellow.
        target : ndarray of uint8 of shape (n_samples, n_labels), or of str (n_samples,)
            The labels, wrong ones included: 1 where the protein is said to be. With
            ``multilabel=False``, names.
        target_names : list of str
            The locations with a weight above 0. The ten of the default, in order:
            nucleoplasm, nuclear membrane, nucleoli, Golgi apparatus, actin filaments,
            microtubules, mitochondria, cytosol, vesicles, negative. The others go
            between them: nucleoli fibrillar center, nuclear speckles, nuclear bodies
            and endoplasmic reticulum after the nucleoli, intermediate filaments after
            the Golgi apparatus, mitotic spindle, centrosome and plasma membrane after
            the microtubules, aggresome after the mitochondria. "negative" (no protein)
            is never with others.
        true_target : ndarray like `target`
            Where the protein was drawn.
        groups : ndarray of int of shape (n_samples,)
            Plate of each image.
        cell_masks, nucleus_masks : ndarray of uint8 of shape (n_samples, size, size)
            0 outside, and from 1 the cells of each image. A nucleus has its cell's
            number.
        cell_target : ndarray of uint8 of shape (n_all_cells, n_labels), or of str
            What each cell shows: the image's true locations, the mitotic spindle only
            if the cell is in mitosis, or "negative" if it shows none of them; all 0 if
            "negative" has no weight.
        cell_frame : DataFrame with a row for each cell
            image, label (in `cell_masks`), group, expressing, area and nucleus_area
            (px), dividing (in mitosis: only where the image has the mitotic spindle).
        frame : DataFrame with a row for each image
            group, wrong_label, dirt ("none", "saturated", "empty"), n_cells (that
            show), expression.
        DESCR : str
            Description; says that the images are simulated.

    Raises
    ------
    ValueError
        If a parameter has a value outside its range, `weights` names an unknown
        location or leaves one location only while there is label noise, or there are
        more groups than images.

    Notes
    -----
    Simulated sets that don't carry over to the instrument are for method, not for
    models: what is trained on these images is not fit for a microscope's. And one
    number tells some classes: the standard deviation finds the cytosol with an area
    under the ROC curve of 0.92, the maximum "negative" with 0.89; for the others of the
    ten no plain number does better than 0.76 (900 images). Of all 19, the mitotic
    spindle has 0.87 and the endoplasmic reticulum 0.83, the others 0.80 at most.

    Cells are ellipses with wandering outlines; where they meet, the nearer one (in
    units of its own size) has the ground. What each location looks like is a model made
    by eye: grains, threads and spots of random fields. The proteins "microtubules" and
    "endoplasmic reticulum" have the images of these channels. Where an image has the
    mitotic spindle, one cell at least and 40 % of the others are in mitosis: round,
    with the spindle in the microtubules' channel and a plate of chromatin for a
    nucleus. Intensities pass a Gaussian blur of 0.6 px; photons are
    counted with a normal law of Poisson's variance. Cells are flat: there is one focal
    plane, and nothing lies over anything.

    The same seed draws the same cells on the same plates, whatever their labels and
    dirt, but for those in mitosis; `image_size`, `n_cells` and `n_groups` change them.

    References
    ----------
    .. [1] P. J. Thul et al., "A subcellular map of the human proteome", Science
       356:eaal3321, 2017.
    .. [2] T. Le et al., "Analysis of the Human Protein Atlas Weakly Supervised
       Single-Cell Classification competition", Nature Methods 19:1221-1229, 2022.

    Examples
    --------
    >>> from emclassify.datasets import make_cell_images
    >>> cells = make_cell_images(60, label_noise=0.1, dirt=0.05, random_state=0)
    >>> cells.images.shape, cells.target.shape
    ((60, 128, 128, 4), (60, 10))
    >>> cells.frame[["wrong_label"]].sum().item()
    6
    >>> cells.frame["dirt"].value_counts().to_dict()
    {'none': 57, 'saturated': 2, 'empty': 1}
    >>> make_cell_images(60, weights="all", random_state=0).target.shape
    (60, 19)
    """
    locations = list(LOCATIONS)
    shares = check_weights(_by_name(weights), locations, "a protein")
    names = [name for name, share in zip(locations, shares, strict=True) if share > 0]
    shares = shares[shares > 0]
    if label_noise and len(names) < 2:
        raise ValueError(
            f"label_noise={label_noise:g} needs at least two locations to confuse; "
            f"weights leave {names[0]!r} only."
        )
    low, high = as_range(n_cells, "n_cells", low=1)
    if high > 100 or low != int(low) or high != int(high):
        raise ValueError(
            "n_cells must be a whole number from 1 to 100 or a pair (low, high) of "
            f"these; got {n_cells!r}."
        )
    expression = as_range(expression, "expression", low=0, closed=False)
    n_groups = check_n_groups(n_groups, n_samples, "plates")
    if nucleus_radius is None:
        nucleus_radius = max(2.0, image_size / 12)

    # Other labels or other dirt leave the cells where they are.
    label_seed, plate_seed, image_seed = seed_sequence(random_state).spawn(3)
    rng = np.random.default_rng(label_seed)
    truth = draw_locations(
        rng, n_samples, names, shares, max_locations if multilabel else 1
    )
    target, wrong = spoil(rng, truth, names, label_noise)
    kind = draw_dirt(rng, n_samples, dirt)
    rng = np.random.default_rng(plate_seed)
    groups = draw_groups(rng, n_samples, n_groups)
    plates = draw_plates(rng, n_groups)
    n_drawn = rng.integers(low, high, n_samples, endpoint=True)
    frame = pd.DataFrame(
        {
            "group": groups,
            "wrong_label": wrong,
            "dirt": kind,
            "expression": rng.uniform(*expression, n_samples),
        }
    )
    rows = list(frame.itertuples())

    shape = (n_samples, image_size, image_size)
    images = np.empty((*shape, len(CHANNELS)), dtype=np.uint8)
    cell_masks = np.zeros(shape, dtype=np.uint8)
    nucleus_masks = np.zeros(shape, dtype=np.uint8)
    expressing = [np.empty(0, dtype=bool)] * n_samples
    dividing = list(expressing)

    def fill(start, seed):
        shape_rng, rng = (np.random.default_rng(child) for child in seed.spawn(2))
        for i in range(start, min(start + _BLOCK, n_samples)):
            image = rows[i]
            plate = plates[groups[i]]
            radius = nucleus_radius * plate.size
            shapes = draw_shapes(shape_rng, image_size, n_drawn[i], radius)
            express = _draw_expressing(rng, shapes.n_cells, silent_cells)
            present = [name for name, true in zip(names, truth[i], strict=True) if true]
            if SPINDLE in present:
                shapes = divide(shapes, draw_dividing(rng, shapes.n_cells))
            light = _light(
                Patterns(rng, shapes, DRAWINGS), present, express, image.expression
            )
            images[i] = expose(rng, light, plate, image.dirt, photons)
            if image.dirt != "empty":
                cell_masks[i], nucleus_masks[i], shown = label_images(shapes)
                expressing[i] = express[shown]
                dividing[i] = shapes.dividing[shown]

    fill_blocks(fill, n_samples, _BLOCK, image_seed, n_jobs)
    frame["n_cells"] = [len(of_image) for of_image in expressing]
    has_protein = np.ones(n_samples, dtype=bool)
    if "negative" in names:
        has_protein = truth[:, names.index("negative")] == 0
    cell_frame = _list_cells(
        (cell_masks, nucleus_masks), expressing, dividing, groups, has_protein
    )
    cell_target = _of_cells(truth, names, cell_frame)
    counts = zip(names, target.sum(axis=0).tolist(), strict=True)
    if not multilabel:
        target, truth, cell_target = (
            _as_names(matrix, names) for matrix in (target, truth, cell_target)
        )
    return DataSet(
        images=images,
        target=target,
        target_names=names,
        true_target=truth,
        groups=groups,
        cell_masks=cell_masks,
        nucleus_masks=nucleus_masks,
        cell_target=cell_target,
        cell_frame=cell_frame,
        frame=frame,
        DESCR=_DESCR.format(
            n_samples=n_samples,
            image_size=image_size,
            n_groups=n_groups,
            channels=", ".join(CHANNELS),
            counts=", ".join(f"{name} {n}" for name, n in counts),
            n_wrong=int(wrong.sum()),
            n_saturated=int((frame["dirt"] == "saturated").sum()),
            n_empty=int((frame["dirt"] == "empty").sum()),
        ),
    )


def _by_name(weights):
    """Return weights by name; those that are for all 19 stay as they are."""
    if weights is None:
        return DEFAULT_SHARES
    if isinstance(weights, str):
        if weights != "all":
            raise ValueError(
                'weights must be a dict by location, a sequence of numbers or "all"; '
                f"got {weights!r}."
            )
        return ALL_SHARES
    weights = by_label(weights)
    listed = isinstance(weights, Sequence | np.ndarray)
    if listed and len(weights) == len(DEFAULT_SHARES):
        return dict(zip(DEFAULT_SHARES, weights, strict=True))
    return weights


def _draw_expressing(rng, n_cells, silent_cells):
    """Draw which cells express the protein; the first does."""
    express = rng.random(n_cells) >= silent_cells
    express[0] = True
    return express


def _light(patterns, present, express, expression):
    """Return what each channel emits, (4, height, width)."""
    rng, n_cells = patterns.rng, patterns.shapes.n_cells
    of_location = rng.uniform(0.6, 1.0, len(present))
    of_location /= of_location.max()
    bright = expression * express * np.exp(rng.normal(0, 0.25, n_cells))
    protein = sum(
        share * patterns[name] for name, share in zip(present, of_location, strict=True)
    )
    stain = np.exp(rng.normal(0, 0.15, (3, n_cells)))
    # Antibodies bind a little to whatever is there.
    unspecific = 0.025 * (patterns["cytosol"] + 0.5 * patterns["chromatin"])
    return np.stack(
        [
            0.55 * patterns["microtubules"] * patterns.of_cell(stain[0]),
            protein * patterns.of_cell(bright) + unspecific,
            0.6 * patterns["chromatin"] * patterns.of_cell(stain[1]),
            0.55 * patterns["reticulum"] * patterns.of_cell(stain[2]),
        ]
    )


def _list_cells(masks, expressing, dividing, groups, has_protein):
    """Return a table with a row for each cell that shows."""
    n_cells = [len(of_image) for of_image in expressing]
    image = np.repeat(np.arange(len(n_cells)), n_cells)
    area, nucleus_area = (
        np.concatenate(
            [
                np.bincount(mask.ravel(), minlength=n + 1)[1:]
                for mask, n in zip(of_kind, n_cells, strict=True)
            ]
        )
        for of_kind in masks
    )
    return pd.DataFrame(
        {
            "image": image,
            "label": np.concatenate([np.arange(1, n + 1) for n in n_cells]),
            "group": groups[image],
            "expressing": np.concatenate(expressing) & has_protein[image],
            "area": area,
            "nucleus_area": nucleus_area,
            "dividing": np.concatenate(dividing),
        }
    )


def _of_cells(truth, names, cell_frame):
    """Return the locations that each cell shows."""
    cell_target = truth[cell_frame["image"]]
    cell_target[~cell_frame["expressing"].to_numpy()] = 0
    if SPINDLE in names:
        cell_target[~cell_frame["dividing"].to_numpy(), names.index(SPINDLE)] = 0
    silent = ~cell_target.any(axis=1)
    if "negative" in names:
        cell_target[silent, names.index("negative")] = 1
    return cell_target


def _as_names(matrix, names):
    """Return the name of the one location in each row."""
    return np.array(names)[matrix.argmax(axis=1)]
