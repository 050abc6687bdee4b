"""Simulated ion images, on the sample and off it."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from emclassify._data_set import DataSet
from emclassify._typing import RandomStateLike
from emclassify.datasets._class_balance import check_weights, share_out
from emclassify.datasets._draws import (
    as_range,
    check_n_groups,
    draw_groups,
    fill_blocks,
    seed_sequence,
)
from emclassify.datasets.ions._ion_detector import (
    displayed,
    draw_acquisition,
    record,
    record_faint,
)
from emclassify.datasets.ions._ion_patterns import (
    OFF_KINDS,
    OFF_SHARES,
    ON_KINDS,
    ON_SHARES,
    draw_dataset,
    off_sample,
    on_sample,
)
from emclassify.datasets.ions._ion_variety import (
    TRAITS,
    add_baseline,
    draw_variety,
    vary_acquisition,
)
from emclassify.datasets.ions._sample_region import IRREGULAR, REGULAR, sample_region

CLASSES = ("off", "on")
# Of the public gold standard: 9,909 of 23,238 images are off-sample.
DEFAULT_SHARES = {"off": 0.426, "on": 0.574}
STRANGE = ("frame", "halo", "weak")

_DESCR = """\
Simulated ion images, on the sample and off it

These images are SIMULATED. No mass spectrometer recorded them, and what a classifier
scores on them says nothing about its score on real ones.

{n_samples} ion images of {n_groups} simulated datasets (`groups`): {counts}.

`images` are 8-bit, each scaled to its own 99th percentile; `cubes` hold the
intensities, `masks` the background of each dataset.
"""

_SHARE = Interval(Real, 0, 1, closed="both")


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "imbalance": [Interval(Real, 0, 1, closed="left")],
        "n_groups": [None, Interval(Integral, 1, None, closed="left")],
        "strange": [_SHARE],
        "noise": [Interval(Real, 0, 10, closed="both")],
        "hot_spots": [_SHARE],
        "missing": [_SHARE],
        "variety": [_SHARE],
        "faint": [_SHARE],
        "clip": [StrOptions({"all", "visible"}), None],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_ion_images(
    n_samples: int = 1000,
    *,
    image_size: int | tuple[int, int] = (40, 90),
    weights: Mapping[Any, float] | Sequence[float] | None = None,
    imbalance: float = 0.2,
    n_groups: int | None = None,
    strange: float = 0.2,
    noise: float = 1.0,
    hot_spots: float = 0.003,
    missing: float = 0.003,
    variety: float = 0.0,
    faint: float = 0.0,
    clip: Literal["all", "visible"] | None = "all",
    n_jobs: int | None = None,
    random_state: RandomStateLike = None,
) -> Bunch:
    """Simulate ion images of mass spectrometry imaging, on the sample and off it.

    A mass spectrometer scans a field that holds a sample, such as a tissue section, and
    a background around it. The image of an ion shows where a molecule is: on the
    sample, or off it, as those of the MALDI matrix are. Images of one dataset share the
    sample, how it was prepared and how it was recorded.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of ion images.
    image_size : int or (low, high), default=(40, 90)
        Height and width in px. An int: all images are of this size. A range: each
        dataset draws its own height and width.
    weights : dict, Series or sequence of float, default=None
        Share of each class, by name or in the order "off", "on". The counts are exact.
        Default: 0.426 and 0.574, as in the public gold standard [1]_.
    imbalance : float, default=0.2
        How much datasets differ in their share of off-sample images, in [0, 1): it is
        drawn from a beta distribution whose variance is this share of the largest
        possible. 0 gives all datasets the same.
    n_groups : int, default=None
        Number of datasets. Default: one for every 20 images, but at least 10 (or
        `n_samples`, if that is less).
    strange : float, default=0.2
        Share of datasets that differ from the rest: the sample surrounds the
        background ("frame"), molecules were washed off the sample ("halo"), or the
        background is nearly as bright on the sample ("weak").
    noise : float, default=1.0
        Factor on the randomness from pixel to pixel.
    hot_spots : float, default=0.003
        Share of pixels in each ion image that are several times too bright.
    missing : float, default=0.003
        Mean share of pixels that were not recorded; they are 0 in all images of a
        dataset. One dataset of five misses a whole line besides.
    variety : float, default=0.0
        Chance of each of seven traits in each dataset, one not depending on another: a
        sample that runs out of the field ("cut"), several sections in one field
        ("sections"), an area of acquisition that is no rectangle ("partial"),
        brightness that falls from line to line ("fading"), lines that differ by the
        way they are scanned ("zigzag"), matrix sprayed in drops ("droplets"), a signal
        that is everywhere ("chemical"). 0.3 gives a dataset two of them on average.
    faint : float, default=0.0
        Share of ion images, of both classes, that are seen in few pixels.
    clip : {"all", "visible", None}, default="all"
        Where the brightest pixels of an image are cut: at the 99th percentile of all
        pixels; of those brighter than 1/256 of the brightest, which is METASPACE's rule
        for what its site shows; or nowhere, as in its files.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 is all cores. The images do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same images every time.

    Returns
    -------
    sklearn.utils.Bunch
        images : ndarray of uint8 of shape (n_samples, height, width)
            Each image scaled by itself, see `clip`. If the datasets differ in
            size: a 1-D object array of images.
        target : ndarray of str of shape (n_samples,)
            "off" or "on".
        target_names : list of str
            ["off", "on"].
        groups : ndarray of int of shape (n_samples,)
            Dataset of each image, 0 to ``n_groups - 1``.
        cubes : list of ndarray of float32 of shape (height * width, n_ions)
            For each dataset the spectra of its pixels, row by row: the intensities of
            its images, in their order.
        masks : list of ndarray of bool of shape (height, width)
            For each dataset, where the background was recorded.
        frame : DataFrame with a row for each image
            target, group, kind ("compartments", "gradient", "blobs", "whole", "rim" on
            the sample; "matrix", "edge", "streaks", "side" off it), region (shape of
            the sample), strange ("" for most), traits (of `variety`, separated by
            blanks), faint, height, width.
        DESCR : str
            Description; says that the images are simulated.

    Raises
    ------
    ValueError
        If a parameter has a value outside its range, `weights` name what isn't there,
        or there are more datasets than images.

    Notes
    -----
    For method, not for models: simulated sets that don't carry over to the instrument
    say which method does better, and train none that is of use there. A network
    trained on these images took a real off-sample image for an on-sample one with a
    probability of 0.89. And one number tells the classes: how much brighter the rim of
    the field is than the rest, with an area under the ROC curve of 0.94 (900 images),
    because the sample lies in the middle unless the dataset is strange.
    ``variety=0.3, faint=0.2, clip="visible"`` makes a wider set, where that number has
    0.87. How far either lies from real images was not measured, for want of them;
    `compare_domains <emclassify.model_selection.compare_domains>` does it for yours.

    The sample is an ellipse, a rectangle, irregular, in two pieces, or fills the field
    up to a thin rim. Its molecules lie in soft compartments, gradients, spots, all over
    it or at its rim, and leak a little; what is off the sample is the uneven matrix, a
    rim around the sample, streaks along one axis, or stronger to one side, and is
    suppressed on the sample. Ions are counted (Poisson), in pixels of log-normal
    efficiency; a few counts are not found as a peak. None of it was fitted to real
    data. The traits of `variety` are what is reported of real datasets: brightness that
    fades along the path of acquisition, crystals of the matrix and a chemical
    background [2]_, acquisition areas that are not rectangular and hot spots, for which
    METASPACE's client has a map of recorded pixels and a cut [3]_.

    References
    ----------
    .. [1] K. Ovchinnikova, V. Kovalev, L. Stuart and T. Alexandrov, "OffsampleAI:
       artificial intelligence approach to recognize off-sample mass spectrometry
       images", BMC Bioinformatics 21:129, 2020.
    .. [2] S.-O. Deininger et al., "Normalization in MALDI-TOF imaging datasets of
       proteins: practical considerations", Anal. Bioanal. Chem. 401:167-181, 2011.
    .. [3] METASPACE's Python client, ``metaspace.sm_annotation_utils`` and
       ``metaspace.image_processing``, as read in 2026.

    Examples
    --------
    >>> from emclassify.datasets import make_ion_images
    >>> data = make_ion_images(100, n_groups=5, random_state=0)
    >>> data.images[0].shape == data.masks[data.groups[0]].shape
    True
    >>> data.frame["target"].value_counts().to_dict()
    {'on': 57, 'off': 43}
    """
    low, high = as_range(image_size, "image_size", low=4)
    if low % 1 or high % 1:
        raise ValueError(f"image_size must be whole numbers; got {image_size!r}.")
    shares = check_weights(
        DEFAULT_SHARES if weights is None else weights, list(CLASSES), "an ion image"
    )
    n_groups = check_n_groups(n_groups, n_samples, "datasets")
    # A stream of its own for what came later: with variety=0, the images of before.
    truth_seed, image_seed, variety_seed = seed_sequence(random_state).spawn(3)
    rng = np.random.default_rng(truth_seed)
    groups = draw_groups(rng, n_samples, n_groups)
    n_off = int(share_out(n_samples, shares)[0])
    target = _draw_classes(rng, groups, n_off, imbalance)
    kind = np.where(
        target == "off",
        rng.choice(OFF_KINDS, n_samples, p=OFF_SHARES),
        rng.choice(ON_KINDS, n_samples, p=ON_SHARES),
    )
    sizes = rng.integers(int(low), int(high) + 1, (n_groups, 2))
    region = rng.choice([*REGULAR, *IRREGULAR], n_groups)
    strangeness = np.full(n_groups, "", dtype="<U5")
    odd = rng.permutation(n_groups)[: round(strange * n_groups)]
    strangeness[odd] = np.resize(STRANGE, len(odd))
    region[strangeness == "frame"] = "frame"

    later = np.random.default_rng(variety_seed)
    has_trait = later.random((n_groups, len(TRAITS))) < variety
    traits = [
        [t for t, has in zip(TRAITS, row, strict=True) if has] for row in has_trait
    ]
    is_faint = later.random(n_samples) < faint
    variety_seeds = variety_seed.spawn(n_groups)

    images = np.empty(n_samples, dtype=object)
    cubes, masks = [None] * n_groups, [None] * n_groups

    def fill(group, seed):
        rng = np.random.default_rng(seed)
        inside = sample_region(rng, tuple(sizes[group]), region[group])
        later = np.random.default_rng(variety_seeds[group])
        drawn = draw_variety(later, inside, traits[group])
        inside = drawn.inside
        shared = draw_dataset(rng, inside, strangeness=strangeness[group])
        acquisition = draw_acquisition(rng, inside.shape, missing=missing, noise=noise)
        acquisition = vary_acquisition(acquisition, drawn)
        members = np.flatnonzero(groups == group)
        cube = np.empty((inside.size, len(members)), np.float32)
        for column, i in enumerate(members):
            pattern = off_sample if target[i] == "off" else on_sample
            expected = add_baseline(pattern(rng, shared, kind[i]), drawn)
            recorded_by = record_faint if is_faint[i] else record
            intensity = recorded_by(rng, expected, acquisition, hot_spots=hot_spots)
            cube[:, column] = intensity.ravel()
            images[i] = displayed(intensity, clip)
        cubes[group], masks[group] = cube, ~inside & ~acquisition.missing

    fill_blocks(fill, n_groups, 1, image_seed, n_jobs)
    counts = ", ".join(f"{np.sum(target == name)} {name}-sample" for name in CLASSES)
    return DataSet(
        images=np.stack(images) if low == high else images,
        target=target,
        target_names=list(CLASSES),
        groups=groups,
        cubes=cubes,
        masks=masks,
        frame=pd.DataFrame(
            {
                "target": target,
                "group": groups,
                "kind": kind,
                "region": region[groups],
                "strange": strangeness[groups],
                "traits": [" ".join(traits[group]) for group in groups],
                "faint": is_faint,
                "height": sizes[groups, 0],
                "width": sizes[groups, 1],
            }
        ),
        DESCR=_DESCR.format(n_samples=n_samples, n_groups=n_groups, counts=counts),
    )


def _draw_classes(rng, groups, n_off, imbalance):
    """Return each image's class: `n_off` are off-sample, shared out among datasets."""
    sizes = np.bincount(groups)
    n_samples = len(groups)
    mean = n_off / n_samples
    target = np.full(n_samples, "on", dtype="<U3")
    if n_off in (0, n_samples):
        target[:] = "off" if n_off else "on"
        return target
    share = np.full(len(sizes), mean)
    if imbalance > 0:
        strength = (1 - imbalance) / imbalance
        share = rng.beta(mean * strength, (1 - mean) * strength, len(sizes))
    # Moved on the logit's scale until the expected number is the one asked for.
    score = logit(np.clip(share, 1e-6, 1 - 1e-6))
    move = brentq(lambda by: sizes @ expit(score + by) - n_off, -40, 40)
    exact = sizes * expit(score + move)
    counts = np.floor(exact).astype(int)
    rest = np.argsort(counts - exact, kind="stable")[: n_off - counts.sum()]
    counts[rest] += 1
    for group, count in enumerate(counts):
        members = np.flatnonzero(groups == group)
        target[rng.choice(members, count, replace=False)] = "off"
    return target
