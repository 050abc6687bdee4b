"""Speed of FeatureExtractor against a loop over images with scikit-image.

The opponent computes the same 102 features one image at a time with scikit-image
(regionprops, moments, sobel), scipy and numpy. Both run on one core in the same
process, on 64x64 images with masks; the ratio is that of the medians of five runs.
The seven families of texture and structure follow, in ms an image without a mask, best
of three runs: at most 5 are wanted of all.

    python benchmarks/bench_features.py [number of images]
"""

import sys

import numpy as np
from _timing import by_turns, report, seconds
from scipy import ndimage
from scipy.spatial.distance import pdist, squareform
from skimage.filters import sobel
from skimage.measure import (
    moments_central,
    moments_hu,
    moments_normalized,
    regionprops,
)
from threadpoolctl import threadpool_limits

from emclassify.features import FeatureExtractor
from emclassify.features._feature_extractor import FAMILIES, THESIS

N_BINS = N_RINGS = 16
EXTENT = 1.25
HALF_PIXEL = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
NOISE_KERNEL = np.outer([1, -2, 1], [1, -2, 1])


def outline_axis(mask):
    """Length and the extent across it, from all pairs of outline points."""
    edge = mask & ~ndimage.binary_erosion(mask)
    points = (np.argwhere(edge)[:, None] + HALF_PIXEL).reshape(-1, 2)
    distances = pdist(points)
    length = distances.max()
    width = 0.0
    square = squareform(distances)
    for i, k in np.argwhere(np.triu(square > length * (1 - 1e-12))):
        along = (points[i] - points[k]) / square[i, k]
        across = points @ np.array([along[1], -along[0]])
        width = max(width, np.ptp(across))
    return length, width


def histogram(image, mask):
    """Histogram of standardised grey values, and statistics of the raw ones."""
    values = image[mask]
    mean, sd = values.mean(), values.std()
    z = (values - mean) / sd
    counts = np.histogram(np.clip(z, -3, 3), bins=N_BINS, range=(-3, 3))[0]
    quantiles = np.percentile(values, [5, 25, 50, 75, 95])
    return [*counts / len(z), mean, sd, (z**3).mean(), (z**4).mean() - 3, *quantiles]


def moments(image, mask):
    """Central, normalised and Hu moments of the contrast within the mask."""
    weight = (image - image.min()) * mask
    weight /= weight[mask].mean()
    mu = moments_central(weight, order=3)
    nu = moments_normalized(mu, order=3)
    hu = moments_hu(nu)
    powers = [(p, total - p) for total in (2, 3) for p in range(total + 1)]
    return [
        mu[0, 0],
        *(mu[power] for power in powers),
        *(nu[power] for power in powers),
        *np.sign(hu) * np.log10(1 + np.abs(hu) / 1e-12),
    ]


def profiles(values, ring):
    """Mean and spread in each ring; a line between neighbours if a ring is empty."""
    counts = np.bincount(ring, minlength=N_RINGS + 1)[:N_RINGS]
    filled = np.flatnonzero(counts)
    sums, squares = (
        np.bincount(ring, weights=weights.ravel(), minlength=N_RINGS + 1)[filled]
        for weights in (values, values**2)
    )
    mean = sums / counts[filled]
    sd = np.sqrt(np.maximum(squares / counts[filled] - mean**2, 0))
    return [np.interp(np.arange(N_RINGS), filled, means) for means in (mean, sd)]


def signal_to_noise(image, mask):
    """Contrast to noise, mean to spread, spread to Immerkaer's noise."""
    inside, outside = image[mask], image[~mask]
    noise = np.abs(ndimage.convolve(image, NOISE_KERNEL)[1:-1, 1:-1]).mean()
    return [
        (inside.mean() - outside.mean()) / outside.std(),
        inside.mean() / inside.std(),
        inside.std() / (np.sqrt(np.pi / 2) / 6 * noise),
    ]


def features_of(image, mask):
    """All features of one image, as `FeatureExtractor()` orders them."""
    image = image.astype(np.float64)
    region = regionprops(mask.astype(np.uint8))[0]
    radius = region.equivalent_diameter_area / 2
    length, width = outline_axis(mask)
    rows, columns = np.indices(image.shape)
    distance = np.hypot(rows - region.centroid[0], columns - region.centroid[1])
    ring = np.minimum(distance / (EXTENT * radius) * N_RINGS, N_RINGS)
    ring = ring.astype(int).ravel()
    mean, sd = image.mean(), image.std()
    z = (image - mean) / sd
    radial, spread = profiles(z, ring)
    gradient = sobel(image) / sd
    return [
        width,
        region.equivalent_diameter_area,
        length,
        *histogram(image, mask),
        *moments(image, mask),
        *radial,
        *spread,
        gradient[mask].mean(),
        *profiles(gradient, ring)[0],
        *signal_to_noise(image, mask),
    ]


def make_stack(n, size=64, random_state=0):
    """Noisy ellipses with their masks, uint8 (n, size, size, 2)."""
    rng = np.random.default_rng(random_state)
    rows, columns = np.indices((size, size))
    row, column = size / 2 + rng.normal(0, size / 16, (2, n, 1, 1))
    a, b = rng.uniform(size / 8, size / 2.5, (2, n, 1, 1))
    turn = rng.uniform(0, np.pi, (n, 1, 1))
    u = (rows - row) * np.cos(turn) + (columns - column) * np.sin(turn)
    v = (columns - column) * np.cos(turn) - (rows - row) * np.sin(turn)
    mask = (u / a) ** 2 + (v / b) ** 2 < 1
    image = 150 - 40 * mask + rng.normal(0, 25, mask.shape)
    return np.stack([image.clip(0, 255), mask], axis=-1).astype(np.uint8)


def main(n=2000):
    X = make_stack(n)
    few = X[: max(1, n // 10)]
    extractor = FeatureExtractor().fit(X)

    def loop():
        return np.array([features_of(pair[..., 0], pair[..., 1] > 0) for pair in few])

    ours, theirs = extractor.transform(few), loop()
    error = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    fast, slow = by_turns(lambda: extractor.transform(X), loop)
    report(
        "FeatureExtractor, 64×64 with masks",
        len(X) / fast,
        "loop over scikit-image",
        len(few) / slow,
        unit="images/s",
        goal=20,
    )
    print(f"largest difference {error.max():.1e}")
    texture = [name for name in FAMILIES if name not in THESIS]
    for names in (*([name] for name in texture), texture):
        new = FeatureExtractor(names).fit(X[..., 0])
        best = min(seconds(lambda new=new: new.transform(X[..., 0])) for _ in range(3))
        title = names[0] if len(names) == 1 else "all seven"
        print(f"{title}: {1000 * best / len(X):.2f} ms an image")


if __name__ == "__main__":
    with threadpool_limits(1):
        main(*map(int, sys.argv[1:]))
