"""Simulated cryo-TEM images of liposomes."""

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_params,
)

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
from emclassify.datasets.liposomes._micrograph import draw_micrographs
from emclassify.datasets.liposomes._render import render, to_grey
from emclassify.datasets.liposomes._scene import draw_scene

CLASS_COUNTS = {
    "lamellarity": {"unilamellar": 12368, "multilamellar": 1717, "uncertain": 84},
    "encapsulation": {"full": 24255, "empty": 161, "uncertain": 502},
}
# Pixels that are computed together, at most.
_BLOCK_PIXELS = 16 * 64**2

_DESCR = """\
Simulated cryo-TEM images of liposomes ({task})

These images are SIMULATED. No microscope recorded them, and what a classifier scores
on them says nothing about its score on real images.

{n_samples} images of {image_size}×{image_size} px, from {n_groups} simulated
micrographs (`groups`). Images of one micrograph share defocus, dose, ice and grey
scale.

Classes: {counts}.

`masks` marks the particle, without its neighbours. `pixel_size` is in nm.
`frame` has the true parameters of each image; lengths are in nm, defocus in µm
(underfocus), dose in electrons per square ångström, potentials in V.
"""


_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "task": [StrOptions(set(CLASS_COUNTS))],
        "image_size": [Interval(Integral, 8, 1024, closed="both")],
        "n_groups": [None, Interval(Integral, 1, None, closed="left")],
        "pixel_size": [None, _POSITIVE],
        "radius": [Interval(Real, 10, None, closed="left")],
        "radius_spread": [Interval(Real, 0, 1, closed="both")],
        "max_ellipticity": [Interval(Real, 0, 0.5, closed="both")],
        "bilayer_thickness": [Interval(Real, 2, 8, closed="both")],
        "filling": [Interval(Real, 0, 10, closed="both")],
        "neighbours": [_NOT_NEGATIVE],
        "contamination": [Interval(Real, 0, 1, closed="both")],
        "voltage": [Interval(Real, 20, 1000, closed="both")],
        "spherical_aberration": [_NOT_NEGATIVE],
        "amplitude_contrast": [Interval(Real, 0, 1, closed="left")],
        "ice_noise": [_NOT_NEGATIVE],
        "ice_gradient": [_NOT_NEGATIVE],
        "dtype": [StrOptions({"uint8", "uint16", "float32"})],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_liposomes(
    n_samples: int = 1000,
    *,
    task: Literal["lamellarity", "encapsulation"] = "lamellarity",
    image_size: int = 64,
    weights: Mapping[Any, float] | Sequence[float] | None = None,
    n_groups: int | None = None,
    pixel_size: float | None = None,
    margin: float | tuple[float, float] = (0.15, 0.4),
    radius: float = 45.0,
    radius_spread: float = 0.3,
    max_ellipticity: float = 0.25,
    bilayer_thickness: float = 3.8,
    filling: float = 0.1,
    neighbours: float = 0.8,
    contamination: float = 0.04,
    defocus: float | tuple[float, float] = (1.5, 4.0),
    dose: float | tuple[float, float] = (10.0, 30.0),
    voltage: float = 200.0,
    spherical_aberration: float = 2.0,
    amplitude_contrast: float = 0.1,
    ice_noise: float = 0.03,
    ice_gradient: float = 1.0,
    dtype: Literal["uint8", "uint16", "float32"] = "uint8",
    n_jobs: int | None = None,
    random_state: RandomStateLike = None,
) -> Bunch:
    r"""Simulate cryo-TEM images of liposomes, with labels, masks and micrographs.

    Each image is a crop around one liposome: spherical or ellipsoidal shells with the
    potential of a lipid bilayer, projected along the beam, imaged by a defocused
    microscope through amorphous ice, and recorded electron by electron. Classes are
    as unequal, and borderline cases as ambiguous, as experts find them in practice.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of images.
    task : {"lamellarity", "encapsulation"}, default="lamellarity"
        What the label says. The classes, in order:

        - "lamellarity": unilamellar; multilamellar (2 to 5 concentric bilayers, or
          vesicles inside); uncertain (most often hardly any contrast; two liposomes
          on top of each other, no visible water between two bilayers, or broken).
        - "encapsulation": full (the interior scatters more than the solvent); empty;
          uncertain (a faint or a partial filling).
    image_size : int, default=64
        Height and width of the images in px, 8 to 1024.
    weights : dict, Series or sequence of float, default=None
        Share of each class, by name or in the order above; scaled to sum to 1. The
        counts are exact (largest remainder), and each class whose weight is not 0 has
        at least one image if `n_samples` allows. Default: the counts of [1]_,
        12,368 : 1,717 : 84 and 24,255 : 161 : 502.
    n_groups : int, default=None
        Number of micrographs. Default: one for every 20 images, but at least 10 (or
        `n_samples`, if that is less).
    pixel_size : float, default=None
        nm per px of every image. With None each particle fills its image, and each
        image has a pixel size of its own.
    margin : float or (low, high), default=(0.15, 0.4)
        With ``pixel_size=None``: what an image shows around the particle, in units of
        the particle's half-width.
    radius : float, default=45.0
        Median radius of the liposomes in nm, at least 10.
    radius_spread : float, default=0.3
        Standard deviation of the logarithm of the radius, 0 to 1.
    max_ellipticity : float, default=0.25
        Largest 1 - (short axis / long axis), 0 to 0.5.
    bilayer_thickness : float, default=3.8
        Distance in nm between the head groups of the two leaflets, 2 to 8. Fluid
        phosphatidylcholines have 3.5 to 3.8 nm [2]_. The bilayer reaches 0.9 nm
        further on each side.
    filling : float, default=0.1
        With ``task="encapsulation"``: median potential in V of the inside of full
        liposomes above the medium outside, 0 to 10. 0.1 is of the order of 50 g of
        protein a litre: 3.5 % of the volume, some 3 V above ice (our estimate). The
        more, the easier.
    neighbours : float, default=0.8
        Mean number of other liposomes near the particle (Poisson, 3 at most).
    contamination : float, default=0.04
        Probability that a small crystal of ice lies in the image.
    defocus : float or (low, high), default=(1.5, 4.0)
        Underfocus in µm; each micrograph draws its own.
    dose : float or (low, high), default=(10.0, 30.0)
        Electrons per Å²; each micrograph draws its own. ``inf``: no shot noise.
    voltage : float, default=200.0
        Acceleration voltage in kV, 20 to 1000.
    spherical_aberration : float, default=2.0
        Spherical aberration of the objective lens in mm.
    amplitude_contrast : float, default=0.1
        Share of the amplitude contrast, 0 to below 1.
    ice_noise : float, default=0.03
        Standard deviation in rad of the phase that a column of 1 nm² of 120 nm thick
        amorphous ice adds. It passes through the lens, shot noise does not.
    ice_gradient : float, default=1.0
        Scale of the changes of ice thickness across a micrograph; 0 is even ice.
    dtype : {"uint8", "uint16", "float32"}, default="uint8"
        Integers are grey values on a scale that the images of a micrograph share.
        "float32" is intensity relative to the centre of an empty micrograph.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 is all cores. The images do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same images every time.

    Returns
    -------
    sklearn.utils.Bunch
        images : ndarray of shape (n_samples, image_size, image_size)
            Grey values of type `dtype`.
        masks : ndarray of uint8, of the same shape
            1 inside the outer face of the particle's outer bilayer, 0 elsewhere.
            ``np.stack([images, masks], axis=-1)`` makes images whose last channel is
            the mask.
        target : ndarray of str of shape (n_samples,)
            Names of the classes.
        target_names : list of str
            The classes with a weight above 0, in the order above.
        groups : ndarray of int of shape (n_samples,)
            Micrograph of each image.
        pixel_size : ndarray of shape (n_samples,)
            nm per px.
        frame : DataFrame with a row for each image
            True parameters: target, group, structure (what makes the image of its
            class), radius, semi-axes, angle (rad), number of bilayers, filling
            (potential of the interior in V), number of neighbours, pixel size,
            defocus, dose, place in the micrograph, ice, grey scale.
        DESCR : str
            Description; says that the images are simulated.

    Raises
    ------
    ValueError
        If a parameter has a value outside its range, `weights` names an unknown class
        or has nothing above 0, or there are more groups than images.

    Warns
    -----
    UserWarning
        If `pixel_size` is so small that particles do not fit into their images.

    Notes
    -----
    Simulated sets that don't carry over to the instrument are for method, not for
    models: what is trained on these images is not fit for a microscope's. And one
    number tells some classes: how much darker the middle is than the rest finds full
    liposomes with an area under the ROC curve of 0.92, empty ones with 0.84 and
    multilamellar ones with 0.86 (900 images a task), so that methods on such numbers do
    well here.

    A bilayer's potential is a sum of three Gaussians: two head-group leaflets (1.6 V
    above vitreous ice, standard deviation 0.45 nm) and the core between (-0.6 V,
    0.8 nm). These depths are a model of the order that [3]_ measured, not a fit.
    Ellipsoids have the depth of a sphere of the same area in projection.

    The image of a projected potential is that of a weak phase object [4]_: its
    Fourier transform is multiplied by twice

    .. math:: \mathrm{CTF}(k) = -E(k) \sin\left(\pi \lambda \Delta z k^2
        - \tfrac{\pi}{2} C_s \lambda^3 k^4 + \arcsin Q\right),

    with underfocus Δz > 0, amplitude contrast Q, relativistic wavelength λ, and the
    envelope E of a focal spread of 8 nm and an illumination half-angle of 0.1 mrad.
    It is computed on a field larger than the image, so nothing comes round the edge.
    The detector's point spread has a standard deviation of half a pixel. Electrons
    are counted by Poisson's law; above 1,000 a pixel it is drawn as a normal law.

    References
    ----------
    .. [1] S. Gryshkevych, thesis, 2016 (numbers of images in each class).
    .. [2] J. F. Nagle and S. Tristram-Nagle, "Structure of lipid bilayers",
       Biochim. Biophys. Acta 1469:159-195, 2000.
    .. [3] L. Wang, P. S. Bose and F. J. Sigworth, "Using cryo-EM to measure the
       dipole potential of a lipid membrane", PNAS 103:18528-18533, 2006.
    .. [4] J. Frank, "Three-Dimensional Electron Microscopy of Macromolecular
       Assemblies", 2nd edition, Oxford University Press, 2006.

    Examples
    --------
    >>> from emclassify.datasets import make_liposomes
    >>> liposomes = make_liposomes(200, random_state=0)
    >>> liposomes.images.shape, liposomes.images.dtype
    ((200, 64, 64), dtype('uint8'))
    >>> liposomes.frame["target"].value_counts().to_dict()
    {'unilamellar': 175, 'multilamellar': 24, 'uncertain': 1}
    """
    names = list(CLASS_COUNTS[task])
    shares = check_weights(
        CLASS_COUNTS[task] if weights is None else weights, names, f"{task=}"
    )
    margin = as_range(margin, "margin", low=0)
    defocus = as_range(defocus, "defocus", low=0)
    dose = as_range(dose, "dose", low=0, closed=False, infinite=True)
    n_groups = check_n_groups(n_groups, n_samples, "micrographs")

    scene_seed, noise_seed = seed_sequence(random_state).spawn(2)
    rng = np.random.default_rng(scene_seed)
    counts = share_out(n_samples, shares)
    target = rng.permutation(np.repeat(names, counts))
    groups = draw_groups(rng, n_samples, n_groups)
    scene = draw_scene(
        rng,
        task,
        target,
        radius=radius,
        radius_spread=radius_spread,
        max_ellipticity=max_ellipticity,
        thickness=bilayer_thickness,
        filling=filling,
        neighbours=neighbours,
        contamination=contamination,
        margin=margin,
        half_field=None if pixel_size is None else pixel_size * image_size / 2,
    )
    micrographs = draw_micrographs(
        rng, n_groups, defocus=defocus, dose=dose, ice_gradient=ice_gradient
    )
    columns = dict(scene.columns)
    extent = columns.pop("extent")
    half_field = columns.pop("half_field")
    too_large = int((extent > half_field).sum())
    if too_large:
        warnings.warn(
            f"{too_large} of {n_samples} liposomes are larger than their images of "
            f"{image_size} px at pixel_size={pixel_size:g} nm and are cut off. Raise "
            "image_size or pixel_size, or lower radius.",
            stacklevel=2,
        )
    columns["pixel_size"] = 2 * half_field / image_size
    columns |= {name: values[groups] for name, values in micrographs.items()}
    place = rng.uniform(-1, 1, (2, n_samples))
    columns |= {"micrograph_x": place[0], "micrograph_y": place[1]}
    columns["ice_noise"] = ice_noise * np.sqrt(columns["ice_thickness"] / 120.0)

    block = max(1, _BLOCK_PIXELS // image_size**2)
    images = np.empty((n_samples, image_size, image_size), dtype=dtype)
    masks = np.empty(images.shape, dtype=np.uint8)

    def fill(start, seed):
        stop = min(start + block, n_samples)
        intensity, inside = render(
            scene,
            columns,
            seed,
            start,
            stop,
            image_size=image_size,
            thickness=bilayer_thickness,
            optics={
                "voltage": voltage,
                "spherical_aberration": spherical_aberration,
                "amplitude_contrast": amplitude_contrast,
            },
        )
        grey = {name: columns[name][start:stop] for name in ("grey_mean", "grey_gain")}
        images[start:stop] = to_grey(intensity, grey, images.dtype)
        masks[start:stop] = inside

    fill_blocks(fill, n_samples, block, noise_seed, n_jobs)

    described = zip(names, counts.tolist(), strict=True)
    return DataSet(
        images=images,
        masks=masks,
        target=target,
        target_names=[n for n, share in zip(names, shares, strict=True) if share > 0],
        groups=groups,
        pixel_size=columns["pixel_size"],
        frame=pd.DataFrame({"target": target, "group": groups, **columns}),
        DESCR=_DESCR.format(
            task=task,
            n_samples=n_samples,
            image_size=image_size,
            n_groups=n_groups,
            counts=", ".join(f"{name} {count}" for name, count in described),
        ),
    )
