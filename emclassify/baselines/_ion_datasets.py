"""Ion images by dataset: what lies at one pixel of all of them is its spectrum."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify._groups import check_groups
from emclassify._images import (
    ImageInputMixin,
    check_images,
    is_sequence_of_images,
)

# As METASPACE shows images: what is brighter are hot spots.
HOT_SPOTS = 99


class IonDatasetsMixin(ImageInputMixin):
    """Checks ion images that may differ in size between datasets, and sorts them."""

    _depends_on_scale = False

    def _datasets(self, X, groups, *, reset):
        """Check X and return {dataset: (indices, images (n, height, width))}.

        Without `groups`, the one dataset is called None. Images are scaled to 0 to 1.
        """
        images = self._validate_images_of_any_size(X, reset=reset)
        names = np.zeros(len(images), int)
        datasets = [None]
        if groups is not None:
            groups = check_groups(groups, len(images))
            datasets, names = np.unique(groups, return_inverse=True)
            datasets = datasets.tolist()
        members = [np.flatnonzero(names == code) for code in range(len(datasets))]
        return {
            dataset: (index, _stack([images[i] for i in index], dataset, index))
            for dataset, index in zip(datasets, members, strict=True)
        }


def scaled(images: NDArray[Any]) -> NDArray[np.float64]:
    """Return images (n, height, width) from 0 to 1, cut at their 99th percentile."""
    images = images - images.min(axis=(1, 2), keepdims=True)
    top = np.percentile(images, HOT_SPOTS, axis=(1, 2), keepdims=True)
    top = np.where(top > 0, top, images.max(axis=(1, 2), keepdims=True))
    return np.minimum(images / np.where(top > 0, top, 1), 1)


def _stack(images, dataset, index):
    """Return the scaled images of a dataset, which must be of one size."""
    for i, image in zip(index, images, strict=True):
        if image.shape != images[0].shape:
            which = "" if dataset is None else f" of dataset {dataset!r}"
            raise ValueError(
                f"Images{which} differ in size: X[{index[0]}] has shape "
                f"{images[0].shape}, X[{i}] has shape {image.shape} (height, width, "
                "channels). Those of one dataset show the same field; say with groups "
                "which images belong together."
            )
    grey = np.stack([image.mean(axis=-1, dtype=np.float64) for image in images])
    return scaled(grey)


def refuse_other_field(
    shape: tuple[int, int], known: tuple[int, int], dataset: object, name: str
) -> None:
    """Raise unless the images of a dataset seen in fit have the size they had there."""
    if shape != known:
        which = "" if dataset is None else f" of dataset {dataset!r}"
        raise ValueError(
            f"X has images{which} of shape {(*shape, 1)}, but {name} was fitted on "
            f"images of shape {(*known, 1)} (height, width, channels) of the same "
            "dataset. Give new datasets by name, with groups."
        )


def check_dataset(images: NDArray[Any]) -> NDArray[np.float64]:
    """Return the ion images of one dataset, scaled (n, height, width), or raise."""
    if is_sequence_of_images(images):
        # An object array of images of one size is stacked as a list of them is.
        images = list(images)
    return scaled(check_images(images, name="images").mean(axis=-1, dtype=np.float64))


def rim_of(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels, row by row, are next to the edge of the field."""
    inner = np.zeros(shape, bool)
    inner[1:-1, 1:-1] = True
    return ~inner.ravel()
