"""Small ion datasets of known background, for the tests of the baselines."""

import numpy as np


def make_dataset(shape, n_off=6, n_on=8, *, seed=0):
    """Return images, labels and the background of a dataset with a disc as sample."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    away = np.hypot(rows - shape[0] / 2, columns - shape[1] / 2)
    background = away > 0.32 * min(shape)
    images = rng.gamma(2, 0.1, (n_off + n_on, *shape))
    images[:n_off, background] += 2
    for image in images[n_off:]:
        # Molecules of the sample are in parts of it.
        image[~background] += rng.uniform(0, 2, (~background).sum()) + 1
    scale = 10.0 ** rng.uniform(0, 5, len(images))
    target = np.repeat(["off", "on"], [n_off, n_on])
    return images * scale[:, np.newaxis, np.newaxis], target, background


def make_datasets(shapes, *, seed=0, **counts):
    """Return images of any size, labels, datasets "A", "B", ..., and backgrounds."""
    images, target, groups, backgrounds = [], [], [], {}
    for k, shape in enumerate(shapes):
        of_set, labels, background = make_dataset(shape, seed=seed + k, **counts)
        name = "ABCDEFGH"[k]
        images += list(of_set)
        target.append(labels)
        groups += [name] * len(labels)
        backgrounds[name] = background
    ragged = np.empty(len(images), dtype=object)
    ragged[:] = images
    return ragged, np.concatenate(target), np.array(groups), backgrounds
