"""Gaussian derivatives of images, as products with banded matrices."""

from functools import cached_property, lru_cache

import numpy as np
from scipy import ndimage

# Beyond this side a dense matrix costs more than the kernel it holds.
LARGEST_SIDE = 512
# A kernel reaches this many standard deviations.
REACH = 3


@lru_cache(maxsize=128)
def kernel(sigma: float, order: int) -> np.ndarray:
    """Return a sampled Gaussian, or a derivative of it, as SciPy samples it."""
    radius = max(1, int(np.ceil(REACH * sigma)))
    place = np.arange(-radius, radius + 1)
    gaussian = np.exp(-0.5 * (place / sigma) ** 2)
    gaussian /= gaussian.sum()
    if order == 0:
        return gaussian
    if order == 1:
        return gaussian * -place / sigma**2
    return gaussian * (place**2 / sigma**4 - 1 / sigma**2)


@lru_cache(maxsize=128)
def derivative_matrix(side: int, sigma: float, order: int) -> np.ndarray:
    """Return the (side, side) matrix that convolves with `kernel`, float32.

    At its ends the signal is mirrored about the centre of the last pixel.
    """
    weights = kernel(sigma, order)
    radius = len(weights) // 2
    matrix = np.zeros((side, side))
    place = np.arange(side)
    for offset, weight in enumerate(weights, start=-radius):
        period = max(2 * (side - 1), 1)
        source = np.abs(place - offset) % period
        source = np.where(source >= side, period - source, source)
        np.add.at(matrix, (place, source), weight)
    return matrix.astype(np.float32)


def along_rows(images: np.ndarray, sigma: float, orders: tuple) -> list[np.ndarray]:
    """Convolve each row of images (n, h, w) with derivatives of these orders."""
    width = images.shape[2]
    if width > LARGEST_SIDE:
        return [
            ndimage.convolve1d(images, kernel(sigma, order), axis=2, mode="mirror")
            for order in orders
        ]
    return [images @ derivative_matrix(width, sigma, order).T for order in orders]


def along_columns(images: np.ndarray, sigma: float, order: int) -> np.ndarray:
    """Convolve each column of images (n, h, w) with a derivative."""
    height = images.shape[1]
    if height > LARGEST_SIDE:
        return ndimage.convolve1d(images, kernel(sigma, order), axis=1, mode="mirror")
    return derivative_matrix(height, sigma, order) @ images


def smooth(images: np.ndarray, sigma: float) -> np.ndarray:
    """Return float32 images (n, h, w), smoothed by a Gaussian."""
    (by_rows,) = along_rows(images, sigma, (0,))
    return along_columns(by_rows, sigma, 0)


class Jet:
    """Derivatives of images (n, h, w) up to the second, at one scale.

    Scale-normalised: those of order k are multiplied by sigma**k. All float32
    (n, h*w).
    """

    def __init__(self, images: np.ndarray, sigma: float) -> None:
        n = len(images)
        value, slope, bend = along_rows(images, sigma, (0, 1, 2))
        self.smooth = along_columns(value, sigma, 0).reshape(n, -1)
        self.down = along_columns(value, sigma, 1).reshape(n, -1)
        self.right = along_columns(slope, sigma, 0).reshape(n, -1)
        down_down = along_columns(value, sigma, 2).reshape(n, -1)
        right_right = along_columns(bend, sigma, 0).reshape(n, -1)
        twist = along_columns(slope, sigma, 1).reshape(n, -1)
        self.down *= np.float32(sigma)
        self.right *= np.float32(sigma)
        # Trace of the Hessian, and difference of its eigenvalues.
        self.laplacian = right_right + down_down
        self.laplacian *= np.float32(sigma**2)
        twist *= np.float32(2)
        twist *= twist
        right_right -= down_down
        right_right *= right_right
        twist += right_right
        self.gap = np.sqrt(twist, out=twist)
        self.gap *= np.float32(sigma**2)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Length of the gradient."""
        squared = self.down * self.down
        squared += self.right * self.right
        return np.sqrt(squared, out=squared)

    @cached_property
    def larger(self) -> np.ndarray:
        """Larger eigenvalue of the Hessian."""
        larger = self.laplacian + self.gap
        larger *= np.float32(0.5)
        return larger

    @cached_property
    def smaller(self) -> np.ndarray:
        """Smaller eigenvalue of the Hessian."""
        smaller = self.laplacian - self.gap
        smaller *= np.float32(0.5)
        return smaller
