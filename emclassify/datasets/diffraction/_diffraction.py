"""Simulated diffraction patterns of single particles."""

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation
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
from emclassify.datasets.diffraction._detector import (
    as_type,
    count,
    live_pixels,
    smooth_field,
    stray_light,
)
from emclassify.datasets.diffraction._far_field import (
    ELECTRON_RADIUS,
    amplitude,
    grid_axis,
)
from emclassify.datasets.diffraction._particle_shapes import SHAPES, sphere_thickness

KINDS = ("single", "multiple", "debris", "background")
DEFAULT_SHARES = {"single": 0.5, "multiple": 0.3, "debris": 0.1, "background": 0.1}
# Patterns that a task draws.
_BLOCK = 16

_DESCR = """\
Simulated far-field diffraction patterns ({shapes})

These patterns are SIMULATED. No beamline recorded them, and what a classifier scores on
them says nothing about its score on real ones.

{n_samples} patterns of {image_size}×{image_size} px from {n_groups} simulated runs
(`groups`). "good" are single particles; "bad" are several particles at once, debris,
and shots that hit nothing.

Kinds: {counts}.

`frame` has the truth of each pattern: kind, shape, size (nm), fluence (photons/µm²),
centre (px).
"""

_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "shape": [str, list, tuple],
        "image_size": [Interval(Integral, 8, 2048, closed="both")],
        "n_groups": [None, Interval(Integral, 1, None, closed="left")],
        "q_max": [_POSITIVE],
        "wavelength": [_POSITIVE],
        "background": [_NOT_NEGATIVE],
        "fluctuation": [Interval(Real, 0, 3, closed="both")],
        "jitter": [_NOT_NEGATIVE],
        "beam_stop": [_NOT_NEGATIVE],
        "gap": [_NOT_NEGATIVE],
        "noise": ["boolean"],
        "dtype": [StrOptions({"uint16", "uint32", "float32"})],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_diffraction_patterns(
    n_samples: int = 500,
    *,
    shape: str | list[str] = "icosahedron",
    image_size: int = 256,
    weights: Mapping[Any, float] | Sequence[float] | None = None,
    n_groups: int | None = None,
    size: float | tuple[float, float] = (60.0, 80.0),
    q_max: float = 0.125,
    wavelength: float = 0.7,
    fluence: float | tuple[float, float] = (1e11, 1e12),
    background: float = 0.01,
    fluctuation: float = 0.0,
    jitter: float = 0.0,
    beam_stop: float = 0.0,
    gap: float = 0.0,
    noise: bool = True,
    dtype: Literal["uint16", "uint32", "float32"] = "uint16",
    n_jobs: int | None = None,
    random_state: RandomStateLike = None,
) -> Bunch:
    r"""Simulate X-ray diffraction patterns of single particles, and of what isn't one.

    A particle in a random orientation scatters an X-ray pulse; the detector
    counts the photons of the far field. The question is which patterns are of exactly
    one particle.

    Parameters
    ----------
    n_samples : int, default=500
        Number of patterns.
    shape : str or list of str, default="icosahedron"
        "icosahedron", "soccer_ball" (truncated icosahedron), "torus", "sphere", "cube"
        or "shell" (a hollow sphere); with a list, each pattern draws one.
    image_size : int, default=256
        Height and width of the patterns in px, 8 to 2048.
    weights : dict, Series or sequence of float, default=None
        Share of each kind, by name or in this order: "single", "multiple" (two or
        three particles that interfere), "debris" (clusters of balls), "background"
        (nothing hit). The counts are exact. Default: 0.5, 0.3, 0.1, 0.1.
    n_groups : int, default=None
        Number of runs. Default: one for every 20 patterns, but at least 10 (or
        `n_samples`, if that is less).
    size : float or (low, high), default=(60, 80)
        Diameter in nm of the sphere around a particle.
    q_max : float, default=0.125
        Spatial frequency at the middle of the detector's edge, in 1/nm: its inverse
        is the resolution there. Fringes of a particle of diameter D are 1/D apart.
    wavelength : float, default=0.7
        Of the X-rays, in nm.
    fluence : float or (low, high), default=(1e11, 1e12)
        Photons per µm²; each shot draws its own, evenly on a logarithmic scale.
    background : float, default=0.01
        Photons per pixel at the centre that no particle scattered; each run draws a
        factor between 0.5 and 2. Half of them are even, half fall off over q_max / 4.
    fluctuation : float, default=0.0
        Standard deviation of the logarithm of a smooth field, another for each
        pattern, that multiplies the intensities: at its 5×5 knots, and three quarters
        of that over all pixels.
    jitter : float, default=0.0
        Standard deviation in px, along each axis, of the pattern's centre from run to
        run; from shot to shot it is half of that.
    beam_stop : float, default=0.0
        Radius in px of the blind disc in the middle.
    gap : float, default=0.0
        Width in px of the blind strip between the detector's upper and lower half,
        rounded to whole rows.
    noise : bool, default=True
        Whether photons are counted by Poisson's law. Without it the patterns are
        expected numbers of photons, which integers round; use ``dtype="float32"`` then.
    dtype : {"uint16", "uint32", "float32"}, default="uint16"
        Counts beyond its range are cut off, as a detector saturates.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 is all cores. The patterns don't depend on it.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same patterns every time.

    Returns
    -------
    sklearn.utils.Bunch
        images : ndarray of shape (n_samples, image_size, image_size)
            Photons per pixel; 0 where the detector is blind.
        mask : ndarray of bool of shape (image_size, image_size)
            Where the detector counts.
        target : ndarray of str of shape (n_samples,)
            "good" or "bad".
        target_names : list of str
            ["bad", "good"].
        groups : ndarray of int of shape (n_samples,)
            Run of each pattern.
        frame : DataFrame with a row for each pattern
            target, group, kind, shape, size (nm), fluence (photons/µm²), centre_x and
            centre_y (px), background (photons/px).
        DESCR : str
            Description; says that the patterns are simulated.

    Raises
    ------
    ValueError
        If a parameter has a value outside its range, `shape` or `weights` name what
        isn't there, or there are more groups than patterns.

    Warns
    -----
    UserWarning
        If the detector samples the fringes of the largest particle at fewer than two
        pixels a fringe.

    Notes
    -----
    Simulated sets that don't carry over to the instrument are for method, not for
    models: what is trained on these patterns is not fit for a detector's. No plain
    number tells single hits from the rest with an area under the ROC curve above 0.66
    (450 patterns); the number of bright rings is the best.

    A pixel at spatial frequency q is expected to count

    .. math:: \Phi\, r_e^2\, (\lambda\, \Delta q)^2
        \left| \rho \int t(\mathbf{r})\, e^{-2\pi i \mathbf{q r}}\, d^2r \right|^2

    photons, with fluence Φ, classical electron radius :math:`r_e`, electron density ρ
    = 430 / nm³ (protein), and the thickness t of the particle along the beam. So the
    Ewald sphere is taken as flat, scattering as weak, and the density as even:
    expected patterns are symmetric about their centres. Polarisation and water are left
    out.

    References
    ----------
    .. [1] J. Kirz, C. Jacobsen and M. Howells, "Soft X-ray microscopes and their
       biological applications", Q. Rev. Biophys. 28:33-130, 1995 (weak scattering).

    Examples
    --------
    >>> from emclassify.datasets import make_diffraction_patterns
    >>> patterns = make_diffraction_patterns(40, image_size=64, random_state=0)
    >>> patterns.images.shape, patterns.images.dtype
    ((40, 64, 64), dtype('uint16'))
    >>> patterns.frame["kind"].value_counts().to_dict()
    {'single': 20, 'multiple': 12, 'debris': 4, 'background': 4}
    """
    shapes = _check_shapes(shape)
    shares = check_weights(
        DEFAULT_SHARES if weights is None else weights, list(KINDS), "a pattern"
    )
    size = as_range(size, "size", low=0, closed=False)
    fluence = as_range(fluence, "fluence", low=0, closed=False)
    n_groups = check_n_groups(n_groups, n_samples, "runs")
    if image_size / (2 * q_max) < 2 * size[1]:
        warnings.warn(
            f"Fringes of a particle of {size[1]:g} nm are less than two pixels wide on "
            f"{image_size} px up to q_max={q_max:g} / nm. Raise image_size, or lower "
            "q_max or size.",
            stacklevel=2,
        )

    truth_seed, noise_seed = seed_sequence(random_state).spawn(2)
    rng = np.random.default_rng(truth_seed)
    counts = share_out(n_samples, shares)
    kind = rng.permutation(np.repeat(KINDS, counts))
    groups = draw_groups(rng, n_samples, n_groups)
    of_run = rng.normal(0.0, jitter, (2, n_groups))
    centre = of_run[:, groups] + rng.normal(0.0, jitter / 2, (2, n_samples))
    level = background * np.exp(rng.uniform(-np.log(2), np.log(2), n_groups))
    frame = pd.DataFrame(
        {
            "target": np.where(kind == "single", "good", "bad"),
            "group": groups,
            "kind": kind,
            "shape": rng.choice(shapes, n_samples),
            "size": rng.uniform(*size, n_samples),
            "fluence": np.exp(rng.uniform(*np.log(fluence), n_samples)),
            "centre_x": centre[0],
            "centre_y": centre[1],
            "background": level[groups],
        }
    )
    live = live_pixels(image_size, beam_stop=beam_stop, gap=gap)
    pixel = 2 * q_max / image_size
    cross_section = 1e-6 * (ELECTRON_RADIUS * wavelength * pixel) ** 2
    images = np.empty((n_samples, image_size, image_size), dtype=dtype)
    rows = list(frame.itertuples(index=False))

    def fill(start, seed):
        rng = np.random.default_rng(seed)
        for i in range(start, min(start + _BLOCK, n_samples)):
            qx, qy = _frequencies(image_size, pixel, rows[i])
            expected = _expected(rng, rows[i], qx, qy, cross_section)
            if fluctuation:
                expected *= smooth_field(rng, image_size, fluctuation)
            expected += stray_light(qx, qy, rows[i].background, q_max / 4)
            expected *= live
            counted = count(rng, expected, dtype) if noise else as_type(expected, dtype)
            images[i] = counted

    fill_blocks(fill, n_samples, _BLOCK, noise_seed, n_jobs)
    described = ", ".join(
        f"{name} {n}" for name, n in zip(KINDS, counts.tolist(), strict=True)
    )
    return DataSet(
        images=images,
        mask=live,
        target=frame["target"].to_numpy().astype(str),
        target_names=["bad", "good"],
        groups=groups,
        frame=frame,
        DESCR=_DESCR.format(
            shapes=", ".join(shapes),
            n_samples=n_samples,
            image_size=image_size,
            n_groups=n_groups,
            counts=described,
        ),
    )


def _check_shapes(shape):
    shapes = [shape] if isinstance(shape, str) else list(shape)
    unknown = [name for name in shapes if name not in SHAPES]
    if unknown or not shapes:
        raise ValueError(
            f"shape must be one or more of {', '.join(sorted(SHAPES))}; got {shape!r}."
        )
    return shapes


def _frequencies(image_size, pixel, row):
    """Return the spatial frequencies (qx, qy) of columns and rows."""
    offset = np.arange(image_size) - (image_size - 1) / 2
    return (offset - row.centre_x) * pixel, (offset - row.centre_y) * pixel


def _expected(rng, row, qx, qy, cross_section):
    """Return the photons (rows, columns) that what was hit is expected to scatter."""
    if row.kind == "background":
        return np.zeros((len(qy), len(qx)), np.float32)
    bodies = _debris(rng, row) if row.kind == "debris" else _particles(rng, row)
    field = sum(amplitude(*body[:2], qx, qy, body[2]) for body in bodies)
    expected = field.real**2 + field.imag**2
    expected *= np.float32(cross_section * row.fluence)
    return expected


def _particles(rng, row):
    """Return (thickness, radius, place) of one particle, or of two or three."""
    n = 1 if row.kind == "single" else rng.choice([2, 3], p=[0.75, 0.25])
    radius = row.size / 2
    axis = grid_axis()
    bodies = []
    for number in range(n):
        rotation = Rotation.random(random_state=rng).as_matrix()
        angle = rng.uniform(0, 2 * np.pi)
        away = 0.0 if number == 0 else rng.uniform(1.6, 7.0) * radius
        place = (away * np.cos(angle), away * np.sin(angle))
        # Particles of one sort differ a little in size.
        own = radius if number == 0 else radius * rng.uniform(0.95, 1.05)
        bodies.append((SHAPES[row.shape](rotation, axis), own, place))
    return bodies


def _debris(rng, row):
    """Return balls of many sizes, close together."""
    extent = row.size / 2 * rng.uniform(0.6, 2.0)
    ball = sphere_thickness(None, grid_axis())
    n = rng.integers(3, 8)
    radii = extent * rng.uniform(0.1, 0.5, n)
    angles = rng.uniform(0, 2 * np.pi, n)
    away = (extent - radii) * np.sqrt(rng.random(n))
    return [
        (ball, radius, (r * np.cos(angle), r * np.sin(angle)))
        for radius, r, angle in zip(radii, away, angles, strict=True)
    ]
