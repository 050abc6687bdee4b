"""Completed local binary patterns of a particle."""

from collections.abc import Sequence
from functools import lru_cache
from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._basic_image_features import count, share
from emclassify.features._jets import smooth
from emclassify.features._particles import Particles

N_NEIGHBOURS = 8
# Uniform patterns by the number of ones, and all others.
N_PATTERNS = N_NEIGHBOURS + 2
N_CODES = N_PATTERNS**2 * 2
# Neighbours between pixels are rounded: differences as small, in standard deviations
# of the image, count as none.
ROUNDING = np.float32(1e-5)
# From this radius on, a neighbour stands for its surroundings.
SMOOTHED_FROM = 3
# Pixels worked on at once: what is computed of them stays in the cache.
PIXELS_AT_ONCE = 2**15


class CompletedLBP(FeatureFamily):
    """Completed local binary patterns: how often each pattern of neighbours comes.

    Eight neighbours on a circle about each pixel, interpolated between pixels, give
    two rings of bits [1]_: whether a neighbour is at least as bright as the pixel
    (sign), and whether it differs from it at least as much as neighbours do on average
    over the particle (magnitude). A ring of bits with at most two changes is uniform
    and named by its number of ones, 0 to 8; all others are 9. The features, a radius,
    are the square roots of the shares of each pair of sign and magnitude (100
    numbers), and of sign and whether the pixel is at least as bright as the image on
    average (20). From a radius of 3 px on, the image is smoothed first by a Gaussian
    of a third of the radius.

    Pixels count that lie in the mask and have the whole circle in the image; without
    any, all is 0. Turning the image by quarters or mirroring it changes nothing.

    Parameters
    ----------
    radii : sequence of int, default=(1, 2, 3, 5)
        Radii of the circles, px.
    mask : {"auto", "last", "otsu", "full"}, default="auto"
        Where the particle is. "last": the last channel, where it isn't 0. "otsu": the
        largest 4-connected part on the particle's side of Otsu's threshold of the
        first channel, of equals the first. "full": the whole image. "auto": "last" for
        images of exactly two channels, else "full".
    particle : {"auto", "dark", "bright"}, default="auto"
        The particle's side of Otsu's threshold. "auto": the side that holds at most
        half of the image's border.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of the image in a flat row.
    n_jobs : int, default=None
        Number of threads that share the images; None is 1, -1 is all cores.

    Attributes
    ----------
    image_shape_ : tuple of int
        (height, width, channels) of the images seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]``.
    n_features_out_ : int
        Number of features.

    See Also
    --------
    BasicImageFeatures : Kinds of structure, from derivatives.

    References
    ----------
    .. [1] Z. Guo, L. Zhang and D. Zhang (2010). A completed modeling of local binary
       pattern operator for texture classification. IEEE Transactions on Image
       Processing 19, 1657-1663.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import CompletedLBP
    >>> image = np.zeros((1, 7, 7))
    >>> image[0, 3, 3] = 1.0  # darker neighbours all around
    >>> lbp = CompletedLBP([1]).set_output(transform="pandas")
    >>> shares = lbp.fit_transform(image) ** 2
    >>> shares["clbp_1_sign0_bright"].round(2).item()  # one pixel of 5 by 5
    0.04
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "radii": ["array-like", Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        radii: ArrayLike = (1, 2, 3, 5),
        *,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.radii = radii
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        images = particles.standardized
        radii = check_radii(self.radii)
        mask = particles.masks.mask
        n, height, width = images.shape
        step = max(1, PIXELS_AT_ONCE // (height * width))
        counts = np.zeros((n, len(radii), N_CODES))
        for column, radius in enumerate(radii):
            if min(height, width) <= 2 * radius:
                continue
            for start in range(0, n, step):
                part = slice(start, start + step)
                counts[part, column] = count_codes(
                    images[part], radius, None if mask is None else mask[part]
                )
        counts = counts.reshape(n * len(radii), N_PATTERNS, N_PATTERNS, 2)
        shares = np.hstack(
            [
                share(counts.sum(axis=3).reshape(len(counts), -1)),
                share(counts.sum(axis=2).reshape(len(counts), -1)),
            ]
        )
        return np.sqrt(shares).reshape(n, -1)

    def _feature_names(self) -> list[str]:
        signs = [
            f"sign{i}" if i <= N_NEIGHBOURS else "other" for i in range(N_PATTERNS)
        ]
        pairs = [f"{s}_{m.replace('sign', 'size')}" for s in signs for m in signs]
        pairs += [f"{s}_{c}" for s in signs for c in ("dark", "bright")]
        return [f"clbp_{r}_{pair}" for r in check_radii(self.radii) for pair in pairs]


def check_radii(radii: object) -> list[int]:
    """Return the radii as a list of int, or raise ValueError."""
    asked = [radii] if isinstance(radii, Integral) else list(radii)
    valid = [isinstance(r, Integral) and not isinstance(r, bool) for r in asked]
    if not asked or not all(valid) or min(asked) < 1 or len(set(asked)) < len(asked):
        raise ValueError(
            "radii must be different whole numbers of px, each at least 1; "
            f"got {radii!r}."
        )
    return [int(r) for r in asked]


def count_codes(images: np.ndarray, radius: int, mask: np.ndarray | None) -> np.ndarray:
    """Count sign pattern, magnitude pattern and brightness together, (n, N_CODES)."""
    n, height, width = images.shape
    inner = slice(None), slice(radius, height - radius), slice(radius, width - radius)
    weight = None if mask is None else mask[inner].reshape(n, -1)
    values = smooth(images, radius / 3) if radius >= SMOOTHED_FROM else images
    # Flat, a neighbour is a shift, and numpy has one long row to work on. What is
    # wrong are neighbours across the image's edge, and they are cut off.
    flat = np.ascontiguousarray(values).ravel()
    reach = radius * width + radius
    centre = flat[reach : flat.size - reach]
    off = differences(flat, width, radius, centre)
    signs = pack(off, -ROUNDING)
    total = np.zeros(flat.size, dtype=np.float32)
    sizes = total[reach : flat.size - reach]
    for difference in off:
        np.abs(difference, out=difference)
        sizes += difference
    sizes = total.reshape(images.shape)[inner].reshape(n, -1)
    if weight is None:
        mean = sizes.mean(axis=1)
    else:
        mean = np.vecdot(sizes, weight.astype(np.float32))
        mean /= np.maximum(weight.sum(axis=1), 1)
    mean /= N_NEIGHBOURS
    threshold = np.repeat(mean * (1 - ROUNDING), height * width).astype(np.float32)
    magnitudes = pack(off, threshold[reach : flat.size - reach])
    code = np.zeros(flat.size, dtype=np.uint8)
    inside = code[reach : flat.size - reach]
    np.take(pattern_of_bits() * np.uint8(2 * N_PATTERNS), signs, out=inside)
    inside += np.take(pattern_of_bits() * np.uint8(2), magnitudes)
    inside += centre >= -ROUNDING
    code = code.reshape(images.shape)[inner].reshape(n, -1)
    if weight is None:
        return count(code, N_CODES)
    code = np.where(weight, code, np.uint8(N_CODES))
    return count(code, N_CODES + 1)[:, :N_CODES]


def differences(
    flat: np.ndarray, width: int, radius: int, centre: np.ndarray
) -> list[np.ndarray]:
    """Differences of the eight neighbours and the centre, in order around it."""
    reach = radius * width + radius
    size = flat.size - 2 * reach
    diagonal = radius * np.sqrt(0.5)
    whole = int(diagonal)
    part = np.float32(diagonal - whole)

    def at(values: np.ndarray, offset: int) -> np.ndarray:
        return values[reach + offset : reach + offset + size]

    def between(sign: int) -> np.ndarray:
        """Every row `diagonal` rows above or below, for all columns that are used."""
        near, far = sign * whole * width, sign * (whole + 1) * width
        start, stop = radius * width, flat.size - radius * width
        line = np.zeros_like(flat)
        within = line[start:stop]
        np.subtract(
            flat[start + far : stop + far], flat[start + near : stop + near], out=within
        )
        within *= part
        within += flat[start + near : stop + near]
        return line

    def corner(line: np.ndarray, sign: int) -> np.ndarray:
        near, far = at(line, sign * whole), at(line, sign * (whole + 1))
        value = far - near
        value *= part
        value += near
        value -= centre
        return value

    above, below = between(-1), between(1)
    return [
        at(flat, radius) - centre,
        corner(above, 1),
        at(flat, -radius * width) - centre,
        corner(above, -1),
        at(flat, -radius) - centre,
        corner(below, -1),
        at(flat, radius * width) - centre,
        corner(below, 1),
    ]


def pack(values: list[np.ndarray], threshold: np.ndarray | np.float32) -> np.ndarray:
    """Return which of eight values reach the threshold, as the bits of a byte."""
    bits = np.zeros(len(values[0]), dtype=np.uint8)
    for k, value in enumerate(values):
        bits |= (value >= threshold).view(np.uint8) << np.uint8(k)
    return bits


@lru_cache(maxsize=1)
def pattern_of_bits() -> np.ndarray:
    """Return the pattern of each byte: its ones if uniform, else 9; uint8 (256,)."""
    bits = np.arange(256)[:, None] >> np.arange(N_NEIGHBOURS) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    ones = bits.sum(axis=1)
    return np.where(changes <= 2, ones, N_NEIGHBOURS + 1).astype(np.uint8)
