"""What the layers of a network make of an image."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from emclassify.classifiers._base import BaseImageClassifier
from emclassify.inspection._grid import (
    check_axes,
    draw_grid,
    draw_image,
    n_columns,
    symmetric_limits,
)
from emclassify.inspection._network import (
    convolutions,
    evaluating,
    find_classifier,
    find_image,
    find_images,
    find_layer,
    input_batches,
)
from emclassify.nets._activated import activated_layers
from emclassify.nets._recording import recorded, recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage

__all__ = ["ActivationsDisplay", "layer_activations"]


def layer_activations(
    estimator: BaseEstimator,
    X: ArrayLike,
    layers: str | int | Sequence[str | int] | None = None,
    *,
    raw: bool = False,
) -> dict[str, np.ndarray]:
    """Return what layers of a fitted network give for images.

    Maps of a convolution are those after its batch normalisation and ReLU, as the next
    layer gets them, so that none is negative. The network computes as in `predict`: no
    dropout, no augmentation; but always in single precision, and of each image as it
    is, also where `predict` looks at it eight ways (`test_time_augmentation`).

    Parameters
    ----------
    estimator : network classifier or Pipeline that ends in one
        Fitted. The earlier steps of a pipeline transform X first.
    X : array-like
        Images, as for ``estimator.predict``, of one size.
    layers : str, int or list of these, default=None
        Layers by name, or convolutions by number (0 is the first, -1 the last). All
        convolutions by default.
    raw : bool, default=False
        Whether to return what the convolutions themselves give, before normalisation
        and ReLU. A convolution whose activation is no module has no other maps.

    Returns
    -------
    dict of str to ndarray of float32
        By name of the layer: (n, height, width, channels) of a layer of maps,
        (n, n_units) of a dense one. Of a layer that runs several times in a forward
        pass, the last time.

    Raises
    ------
    TypeError
        If `estimator` has no network of ours.
    ValueError
        If there is no such layer, or X doesn't fit.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import layer_activations
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> found = layer_activations(clf, X[:5])
    >>> {name: maps.shape for name, maps in found.items()}
    {'features.0': (5, 8, 8, 32), 'features.3': (5, 6, 6, 32),
     'features.8': (5, 3, 3, 64), 'features.11': (5, 1, 1, 64)}
    """
    classifier = find_classifier(estimator)
    names = _find_layers(classifier, layers)
    return _activations(classifier, find_images(estimator, X), names, raw)


def _find_layers(
    classifier: BaseImageClassifier, layers: str | int | Sequence[str | int] | None
) -> list[str]:
    if layers is None:
        return list(convolutions(classifier))
    if not isinstance(layers, list | tuple):
        layers = [layers]
    # Each once, in the order asked for.
    return list(dict.fromkeys(find_layer(classifier, layer) for layer in layers))


def _activations(
    classifier: BaseImageClassifier,
    images: np.ndarray,
    names: Sequence[str],
    raw: bool,
) -> dict[str, np.ndarray]:
    """Return {layer: activations} of images (n, h, w, c)."""
    parts = {name: [] for name in names}
    with evaluating(classifier) as module, torch.no_grad():
        sources = {}
        if not raw:
            inputs = next(input_batches(classifier, images[:1]))
            sources = activated_layers(module.net, lambda: module(**inputs))
        sources = {name: sources.get(name, name) for name in names}
        with recording(module.net, list(set(sources.values()))) as outputs:
            for inputs in input_batches(classifier, images):
                module(**inputs)
                for name, source in sources.items():
                    parts[name].append(_channels_last(recorded(outputs, source)))
                outputs.clear()
    return {name: np.concatenate(part) for name, part in parts.items()}


def _channels_last(output: torch.Tensor) -> np.ndarray:
    """Tensor (n, c, h, w) to array (n, h, w, c); other ones as they are."""
    output = output.float().cpu().numpy()
    if output.ndim == 4:
        output = output.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(output)


def _maps_of(
    estimator: BaseEstimator,
    image: ArrayLike,
    layers: str | int | Sequence[str | int] | None,
    raw: bool,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the image (h, w, c) as the network gets it, and {layer: its maps}."""
    classifier = find_classifier(estimator)
    names = _find_layers(classifier, layers)
    images = find_image(estimator, image)
    activations = _activations(classifier, images, names, raw)
    for name, maps in activations.items():
        if maps.ndim != 4:
            raise ValueError(
                f"layer {name!r} gives no maps but an array of shape {maps.shape[1:]} "
                "an image; layer_activations returns it."
            )
    return images[0], {name: maps[0] for name, maps in activations.items()}


def _aspect(maps: np.ndarray) -> float:
    """Return height over width of the grid of maps (h, w, n)."""
    height, width, n_maps = maps.shape
    across = n_columns(n_maps)
    return -(-n_maps // across) * height / (across * width)


def _new_columns(displays: "Sequence[ActivationsDisplay]") -> np.ndarray:
    """Return axes in a new figure, a column for each display, the image on top."""
    import matplotlib.pyplot as plt

    width, image_height = 4.0, 1.6
    n_rows = max(len(display.activations) for display in displays)
    heights = np.full(n_rows, 1.2)
    for display in displays:
        for row, maps in enumerate(display.activations.values()):
            heights[row] = np.clip(width * _aspect(maps), heights[row], 8)
    heights = [image_height, *heights]
    _, axes = plt.subplots(
        len(heights),
        len(displays),
        figsize=(len(displays) * (width + 0.4), sum(heights) + 0.4 * len(heights)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    return axes.T


class ActivationsDisplay:
    """An image, and the activation maps of layers for it.

    Parameters
    ----------
    image : ndarray of shape (height, width, channels)
        As the network gets it.
    activations : dict of str to ndarray of shape (height, width, channels)
        Maps by layer.
    scale : {"map", "layer"}, default="map"
        Whether each map is stretched from its least to its greatest value, so that
        its pattern is seen, or the maps of a layer share one colour scale, so that
        their strengths are: from zero where none is negative, else symmetric about
        zero.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (1 + n_layers,)
        The image's, then the layers'.

    See Also
    --------
    layer_activations : The numbers, for many images.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import ActivationsDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> display = ActivationsDisplay.from_estimator(clf, X[0], layers=[0, 1])
    >>> [ax.get_title() for ax in display.axes_]
    ['image', 'features.0', 'features.3']
    """

    def __init__(
        self,
        image: np.ndarray,
        activations: dict[str, np.ndarray],
        *,
        scale: str = "map",
    ) -> None:
        self.image = image
        self.activations = activations
        self.scale = scale

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        image: ArrayLike,
        layers: str | int | Sequence[str | int] | None = None,
        *,
        raw: bool = False,
        scale: str = "map",
        axes: "Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw the activations of a fitted classifier for one image.

        Parameters
        ----------
        estimator : network classifier or Pipeline that ends in one
            Fitted. The earlier steps of a pipeline transform the image first.
        image : array-like
            One image, an element of what ``estimator.predict`` takes: (height,
            width), (height, width, channels), or a flat row.
        layers : str, int or list of these, default=None
            Layers by name, or convolutions by number (0 is the first, -1 the last).
            All convolutions by default.
        raw : bool, default=False
            Whether to show convolutions before normalisation and ReLU.
        scale : {"map", "layer"}, default="map"
            Whether each map or each layer has a colour scale of its own.
        axes : sequence of matplotlib Axes, default=None
            One for the image and one for each layer; a new figure by default.

        Returns
        -------
        ActivationsDisplay

        Raises
        ------
        ValueError
            If there is no such layer, or it gives no maps.
        """
        return cls(*_maps_of(estimator, image, layers, raw), scale=scale).plot(axes)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, BaseEstimator],
        image: ArrayLike,
        layers: str | int | Sequence[str | int] | Mapping | None = None,
        *,
        raw: bool = False,
        scale: str = "map",
    ) -> dict[str, Self]:
        """Draw the activations of several fitted classifiers side by side.

        Parameters
        ----------
        estimators : dict of str to network classifier or Pipeline
            Fitted, by the names to write above their columns.
        image : array-like
            One image, which all take.
        layers : str, int or list of these, or dict of these, default=None
            As in `from_estimator`, for all; or a dict of each one's by its name. All
            convolutions by default.
        raw : bool, default=False
            Whether to show convolutions before normalisation and ReLU.
        scale : {"map", "layer"}, default="map"
            Whether each map or each layer has a colour scale of its own.

        Returns
        -------
        dict of str to ActivationsDisplay
            By name, all in one figure: a column each, the image on top.

        Raises
        ------
        ValueError
            If `estimators` is empty, `layers` is a dict without one of them, there is
            no such layer, or it gives no maps.

        Examples
        --------
        >>> import numpy as np
        >>> from emclassify import LipNetClassifier, ResNetClassifier
        >>> from emclassify.inspection import ActivationsDisplay
        >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
        >>> networks = {
        ...     "LipNet-2": LipNetClassifier(2, max_epochs=1, random_state=0),
        ...     "ResNet10": ResNetClassifier(max_epochs=1, random_state=0),
        ... }
        >>> for network in networks.values():
        ...     _ = network.fit(X, [0, 1] * 10)
        >>> displays = ActivationsDisplay.from_estimators(networks, X[0], [0, -1])
        >>> displays["LipNet-2"].figure_ is displays["ResNet10"].figure_
        True
        """
        if not isinstance(layers, dict):
            layers = dict.fromkeys(estimators, layers)
        if not estimators or set(layers) != set(estimators):
            raise ValueError(
                "estimators must hold at least one network, and layers, as a dict, the "
                f"same names; got {list(estimators)} and {list(layers)}."
            )
        displays = {
            name: cls(*_maps_of(estimator, image, layers[name], raw), scale=scale)
            for name, estimator in estimators.items()
        }
        columns = _new_columns(list(displays.values()))
        for (name, display), axes in zip(displays.items(), columns, strict=True):
            n = 1 + len(display.activations)
            display.plot(axes[:n])
            display.axes_[0].set_title(name)
            for spare in axes[n:]:
                spare.remove()
        return displays

    def plot(
        self,
        axes: "Sequence[Axes] | None" = None,
        *,
        cmap: "str | Colormap | None" = None,
        colorbar: bool = True,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            One for the image and one for each layer; a new figure by default.
        cmap : str or Colormap, default=None
            "viridis" by default, and "RdBu_r" for a layer with values of both signs
            on one scale.
        colorbar : bool, default=True
            Whether to add a colour bar to each layer that has one scale.

        Returns
        -------
        ActivationsDisplay
        """
        if self.scale not in ("map", "layer"):
            raise ValueError(f"scale must be 'map' or 'layer'; got {self.scale!r}.")
        n = 1 + len(self.activations)
        if axes is None:
            axes = self._new_axes()
        axes = check_axes(axes, n, "the image and its layers")
        draw_image(axes[0], self.image)
        axes[0].set_title("image", size="medium")
        for ax, (name, maps) in zip(axes[1:], self.activations.items(), strict=True):
            picture = self._draw_maps(ax, maps.transpose(2, 0, 1), cmap)
            ax.set_title(name, size="medium")
            if colorbar and self.scale == "layer":
                ax.figure.colorbar(picture, ax=ax, shrink=0.8)
        self.axes_ = axes
        self.figure_ = axes[0].figure.figure
        return self

    def _draw_maps(
        self, ax: "Axes", tiles: np.ndarray, cmap: "str | Colormap | None"
    ) -> "AxesImage":
        """Draw the maps (n, h, w) of one layer."""
        low, high, colours = 0.0, 1.0, "viridis"
        if self.scale == "map":
            least = tiles.min(axis=(1, 2), keepdims=True)
            span = tiles.max(axis=(1, 2), keepdims=True) - least
            tiles = (tiles - least) / np.where(span > 0, span, 1)
        else:
            low, high = symmetric_limits(tiles)
            if tiles.min() >= 0:
                low = 0.0
            else:
                colours = "RdBu_r"
        return draw_grid(
            ax, tiles, range(len(tiles)), cmap=cmap or colours, vmin=low, vmax=high
        )

    def _new_axes(self) -> "list[Axes]":
        """Return axes in a new figure: the image left of rows of up to two layers."""
        import matplotlib.pyplot as plt

        n = len(self.activations)
        columns = min(n, 2)
        aspects = [_aspect(maps) for maps in self.activations.values()]
        image_width, width = 2.0, 4.0
        heights = [
            float(np.clip(width * max(aspects[k : k + columns]), 1.2, 8))
            for k in range(0, n, columns)
        ]
        # The image stands in the first row.
        image_height = image_width * self.image.shape[0] / self.image.shape[1]
        heights[0] = max(heights[0], min(image_height, 4.0))
        figure = plt.figure(
            figsize=(
                image_width + columns * (width + 0.4) + 0.2,
                sum(heights) + 0.4 * len(heights),
            ),
            layout="constrained",
        )
        grid = figure.add_gridspec(
            len(heights),
            1 + columns,
            width_ratios=[image_width, *columns * [width]],
            height_ratios=heights,
        )
        axes = [figure.add_subplot(grid[0, 0])]
        axes += [
            figure.add_subplot(grid[k // columns, 1 + k % columns]) for k in range(n)
        ]
        return axes
