"""Images that are the same, or nearly: also turned, mirrored, brighter or noisier."""

import sys
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components
from sklearn.utils.extmath import randomized_svd
from tqdm.auto import tqdm

from emclassify._images import (
    check_each_image,
    check_images,
    is_sequence_of_images,
    number_of_axes,
)
from emclassify._incoming import plain_images
from emclassify._square import TRANSFORMS, turn
from emclassify._typing import ImagesLike
from emclassify.readers._stored_images import StoredImages, is_stored

__all__ = ["find_duplicates", "sets_of_equal"]

# Images are compared at this size, or at their own if that is smaller.
_SIDE = 48
# Scales of what is compared, in those pixels: finer is noise, coarser is shading.
_FINE, _COARSE = 0.7, 4.0
# Principal components taken out, one for each so many images.
_MOST_COMMON, _IMAGES_PER_COMMON = 16, 50
# Random projections that stand in for the pixels in the search for candidates. The
# error of a correlation is about one over the square root of their number.
_N_PROJECTIONS = 256
_SLACK = 0.25
_MOST_CANDIDATES = 20
_BLOCK = 512


def find_duplicates(
    X: ImagesLike, *, threshold: float = 0.9, verbose: int = 0
) -> pd.DataFrame:
    """Find pairs of images that show the same, in any of the eight orientations.

    Each image is brought to 48×48 px (less with several channels, which count alike)
    and stripped of its shading and finest grain (a difference of Gaussians), and of
    what the images of the set have in common (its largest principal components, one for
    each fifty images, up to sixteen). The similarity of a pair is the largest
    correlation of what is left, over quarter turns and mirrors of the second. So other
    brightness and contrast, moderate noise or compression, turns and flips don't hide a
    duplicate. Shifts do, beyond a pixel.

    Parameters
    ----------
    X : array-like of n images
        (n, height, width), (n, height, width, channels), a list of images of
        different sizes, paths, zarr or h5py arrays.
    threshold : float, default=0.9
        Least similarity of a pair, from 0.5 to 1. Lower finds noisier copies, and
        more images that only look alike.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    DataFrame
        One row a pair, most similar first: first and second (their places in X,
        first < second), similarity (1 is equal), transform (what turns the second
        into the first), exact (whether pixel values are equal, after the transform).
        Of each image, the twenty most similar at most. Images of equal pixels are
        found whatever else the set holds.

    Raises
    ------
    ValueError
        If images are no good.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.model_selection import find_duplicates
    >>> X = np.random.default_rng(0).normal(size=(5, 24, 24))
    >>> X[4] = 2 * np.fliplr(X[1]) + 3
    >>> find_duplicates(X).round(3)
       first  second  similarity            transform  exact
    0      1       4         1.0  mirrored left-right  False
    """
    if not 0.5 <= threshold <= 1:
        raise ValueError(f"threshold must be from 0.5 to 1; got {threshold!r}.")
    images = _open(X)
    patterns, keys = _patterns(images)
    common = _common_patterns(patterns)
    # What most images have in common is taken out of them: where that is the whole of
    # an image, only its pixels tell that there are copies.
    groups = _equal_images(images, keys)
    rows = [(i, j, 1.0, e, True) for i, j, e in _equal_pairs(images, groups)]
    group_of = np.full(len(images), -1)
    for number, group in enumerate(groups):
        group_of[group] = number
    for block in _candidates(patterns, common, threshold - _SLACK, verbose):
        block = block[
            (group_of[block[:, 0]] < 0) | (np.diff(group_of[block])[:, 0] != 0)
        ]
        pairs = _verified(patterns, common, block, threshold)
        rows += [(*pair, False) for pair in pairs]
    columns = ["first", "second", "similarity", "transform", "exact"]
    pairs = pd.DataFrame(rows, columns=columns)
    kinds = {"first": np.intp, "second": np.intp, "similarity": float, "exact": bool}
    pairs = pairs.astype(kinds)
    pairs["transform"] = [TRANSFORMS[element] for element in pairs["transform"]]
    order = ["exact", "similarity", "first", "second"]
    pairs = pairs.sort_values(order, ascending=[False, False, True, True])
    return pairs.groupby("first").head(_MOST_CANDIDATES).reset_index(drop=True)


def _open(X):
    """Return images: an array (n, h, w, c), stored images, or a list of (h, w, c)."""
    X = plain_images(X)
    if is_stored(X):
        return StoredImages(X, check_images)
    if is_sequence_of_images(X):
        return check_each_image(X)
    if number_of_axes(X) < 3:
        raise ValueError(
            f"X has {number_of_axes(X)} axes; expected images, (n, height, width) or "
            "(n, height, width, channels), not flat rows."
        )
    return check_images(X)


def _patterns(images):
    """Return what is compared, (n, side, side, channels), each of norm one, and keys.

    The key of an image, as from `_key`.
    """
    shapes = [image.shape for image in images] if isinstance(images, list) else None
    largest = max(map(max, (s[:2] for s in shapes or [images.shape[1:]])))
    channels = images[0].shape[-1]
    # About as many numbers an image, however many channels.
    side = min(round(_SIDE / np.sqrt(channels)), largest)
    patterns = np.empty((len(images), side, side, channels), dtype=np.float32)
    keys = []
    for start in range(0, len(images), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = images[rows]
        keys += [_key(image) for image in block]
        if shapes is None:
            patterns[rows] = _small(block, side)
        else:
            for i, image in enumerate(block, start):
                patterns[i] = _small(image[np.newaxis], side)[0]
    flat = np.ptp(patterns, axis=(1, 2)) == 0
    coarse = _COARSE * side / _SIDE
    patterns = ndimage.gaussian_filter(patterns, (0, _FINE, _FINE, 0)) - (
        ndimage.gaussian_filter(patterns, (0, coarse, coarse, 0))
    )
    patterns -= patterns.mean(axis=(1, 2), keepdims=True)
    # All channels count alike, but for those of one value, which say nothing.
    norm = np.sqrt(np.square(patterns).sum(axis=(1, 2), keepdims=True))
    patterns /= np.where(flat[:, np.newaxis, np.newaxis], np.inf, norm)
    # Images of one value are all alike.
    patterns[flat.all(axis=1)] = 1
    return _unit(patterns.reshape(len(patterns), -1)).reshape(patterns.shape), keys


def _key(image):
    """Return what is equal for images (h, w, c) of equal pixels, turned or not."""
    # Not -0, which equals 0 but for its bits.
    bits = (np.asarray(image, dtype=np.float64) + 0.0).view(np.uint64)
    height, width, channels = image.shape
    bits = _mixed(bits ^ _places(height, width)[:, :, np.newaxis])
    return min(height, width), channels, image.size, int(bits.sum(dtype=np.uint64))


@lru_cache(maxsize=8)
def _places(height, width):
    """Return a number for each pixel, the same for those that turns exchange."""
    rows, columns = (np.abs(2 * np.arange(n) - (n - 1)) for n in (height, width))
    near = np.minimum.outer(rows, columns).astype(np.uint64)
    far = np.maximum.outer(rows, columns).astype(np.uint64)
    return _mixed((near << np.uint64(32)) | far)


def _mixed(bits):
    """Return whole numbers whose sums tell them apart (splitmix64)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def sets_of_equal(exact: np.ndarray, n: int) -> np.ndarray:
    """Return a number for each image, the same for those of equal pixels.

    Of many that are equal, only some are paired with each other.

    Parameters
    ----------
    exact : ndarray of int of shape (n_pairs, 2)
        Pairs of equal images.
    n : int
        How many images there are.

    Returns
    -------
    ndarray of int of shape (n,)
    """
    graph = sparse.coo_array((np.ones(len(exact)), exact.T), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def _equal_images(images, keys):
    """Return lists of images that are equal, turned or not."""
    of_key = {}
    for i, key in enumerate(keys):
        of_key.setdefault(key, []).append(i)
    found = []
    for bucket in of_key.values():
        groups = []
        for i in bucket if len(bucket) > 1 else ():
            for group in groups:
                if _equalizing(images[group[0]], images[i]) is not None:
                    group.append(i)
                    break
            else:
                groups.append([i])
        found += [group for group in groups if len(group) > 1]
    return found


def _equal_pairs(images, groups):
    """Yield (first, second, transform) of equal images, each with the next ones."""
    for group in groups:
        for place, i in enumerate(group):
            for j in group[place + 1 : place + 1 + _MOST_CANDIDATES]:
                yield i, j, _equalizing(images[i], images[j])


def _equalizing(first, second):
    """Return what turns the second image into the first, the plainest, or None."""
    for element in range(8):
        if np.array_equal(first, turn(second[np.newaxis], element)[0]):
            return element
    return None


def _small(stack, side):
    """Return images (n, h, w, c) as (n, side, side, c), in units of their deviation."""
    if stack.dtype.kind == "f":
        # Any number, however large or small, has a place in float32 then.
        largest = abs(stack).max(axis=(1, 2), keepdims=True)
        stack = stack / np.where(largest > 0, largest, 1)
    stack = stack.astype(np.float32)
    mean = stack.mean(axis=(1, 2), keepdims=True)
    std = stack.std(axis=(1, 2), keepdims=True)
    stack = (stack - mean) / np.where(std > 1e-6 * abs(mean), std, np.inf)
    rows, columns = (_resampling(length, side) for length in stack.shape[1:3])
    return (rows @ stack.transpose(0, 3, 1, 2) @ columns.T).transpose(0, 2, 3, 1)


def _resampling(length, side):
    """Return the matrix (side, length) that averages pixels, or interpolates them."""
    step = length / side
    centres = (np.arange(side) + 0.5) * step - 0.5
    distance = abs(np.arange(length) - centres[:, np.newaxis])
    if step > 1:
        weight = np.clip((step + 1) / 2 - distance, 0, 1)
    else:
        inside = np.clip(centres, 0, length - 1)[:, np.newaxis]
        weight = np.clip(1 - abs(np.arange(length) - inside), 0, 1)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


def _unit(rows):
    """Return rows divided by their norm; those of none stay zero."""
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norm > 1e-6, norm, np.inf)


def _common_patterns(patterns):
    """Return mean and principal components (k, pixels) of the set."""
    rows = patterns.reshape(len(patterns), -1)
    k = min(_MOST_COMMON, len(rows) // _IMAGES_PER_COMMON)
    if k == 0:
        return np.zeros_like(rows[0]), rows[:0]
    mean = rows.mean(axis=0)
    return mean, randomized_svd(rows - mean, k, random_state=0)[2]


def _apart(patterns, common):
    """Return the rows of patterns without what is common, of norm one."""
    mean, components = common
    rows = patterns.reshape(len(patterns), -1) - mean
    return _unit(rows - rows @ components.T @ components)


def _candidates(patterns, common, threshold, verbose):
    """Yield pairs (first, second) that may be similar enough, in blocks."""
    n, n_pixels = len(patterns), patterns[0].size
    projection = np.random.RandomState(0).normal(size=(n_pixels, _N_PROJECTIONS))
    projection = (projection / np.sqrt(_N_PROJECTIONS)).astype(np.float32)
    if n_pixels <= _N_PROJECTIONS:
        projection = np.eye(n_pixels, dtype=np.float32)
    turned = [_apart(turn(patterns, e), common) @ projection for e in range(8)]
    starts = tqdm(
        range(0, n, _BLOCK),
        desc="looking for duplicates",
        unit=f"×{_BLOCK} images",
        disable=not verbose,
        file=sys.stderr,
    )
    for start in starts:
        block = turned[0][start : start + _BLOCK]
        best = np.full((len(block), n - start), -np.inf, dtype=np.float32)
        for others in turned:
            np.maximum(best, block @ others[start:].T, out=best)
        # Each pair once: the second comes after the first.
        best[np.tril_indices(*best.shape[:1], 0, best.shape[1])] = -np.inf
        most = min(_MOST_CANDIDATES, best.shape[1])
        top = np.argpartition(-best, most - 1, axis=1)[:, :most]
        row = np.repeat(np.arange(len(block)), most)
        second = top.ravel()
        kept = best[row, second] >= threshold
        yield np.column_stack([row[kept], second[kept]]) + start


def _verified(patterns, common, pairs, threshold):
    """Yield (first, second, similarity, transform) of pairs that are similar enough."""
    if not len(pairs):
        return
    first = _apart(patterns[pairs[:, 0]], common)
    similarity = np.stack(
        [
            np.einsum("ij,ij->i", first, _apart(turn(patterns[pairs[:, 1]], e), common))
            for e in range(8)
        ]
    )
    # Of turns that do equally well, the plainest.
    element = np.argmax(similarity > similarity.max(axis=0) - 1e-5, axis=0)
    best = np.minimum(similarity.max(axis=0), 1)
    for (i, j), value, e in zip(pairs.tolist(), best.tolist(), element, strict=True):
        if value >= threshold:
            yield i, j, value, int(e)
