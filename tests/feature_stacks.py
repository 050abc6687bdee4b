"""Images with masks for the tests of the features."""

import numpy as np
from scipy import ndimage

SIZE = 41
RADIUS_OF = np.hypot(*(np.indices((SIZE, SIZE)) - SIZE // 2))


def disc(radius, size=SIZE):
    return np.hypot(*(np.indices((size, size)) - size // 2)) < radius


def with_mask(image, mask):
    """One image and its mask, as a stack of one."""
    return np.stack([image, mask], axis=-1)[None].astype(np.float64)


def blobs(n=12, height=30, width=37, seed=0):
    """Smooth noise with irregular masks of any size, in several parts."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2, n, height, width))
    image, shape = ndimage.gaussian_filter(noise, (0, 0, 1.5, 1.5))
    shares = np.linspace(0.1, 0.98, n)
    thresholds = [np.quantile(one, q) for one, q in zip(shape, shares, strict=True)]
    mask = shape > np.reshape(thresholds, (n, 1, 1))
    return 100 + 40 * image + rng.normal(size=image.shape), mask


def outline(mask):
    """Midpoints of the edges of all pixels of a mask."""
    half = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    return (np.argwhere(mask)[:, None] + half).reshape(-1, 2)
