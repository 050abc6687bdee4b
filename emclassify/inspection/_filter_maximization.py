"""Activation maximisation: the images that excite filters most."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from emclassify.classifiers._base import BaseImageClassifier
from emclassify.inspection._grid import draw_grid, figure_size, picture_of
from emclassify.inspection._network import (
    check_channels,
    evaluating,
    find_classifier,
    find_layer,
    gradient,
)
from emclassify.nets._recording import recorded, recording
from emclassify.training import ImageModule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = ["FilterMaximizationDisplay", "maximize_activation"]

# Standard deviation of the noise to begin with, in standard deviations of the pixels.
_START = 0.1


@validate_params(
    {
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "decay": [Interval(Real, 0, 1, closed="left")],
        "blur": [Interval(Real, 0, 1, closed="left")],
        "jitter": [Interval(Real, 0, 0.5, closed="both")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def maximize_activation(
    estimator: BaseEstimator,
    layer: str | int = -1,
    channels: ArrayLike | None = None,
    *,
    n_steps: int = 100,
    lr: float = 0.1,
    decay: float = 0.03,
    blur: float = 0.1,
    jitter: float = 0.05,
    image_size: Sequence[int] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Find the images that excite channels of a layer most.

    Gradient ascent from faint noise in the space of images [1]_. What rises is the
    mean of a channel's map, where negative values count a hundredth: positions that
    are silent neither help nor hinder, but a silent channel can wake. Each image is
    found by itself: it doesn't depend on which other channels are asked for.

    Parameters
    ----------
    estimator : network classifier or Pipeline that ends in one
        Fitted. The images are those that the classifier gets to see, after the
        earlier steps of a pipeline.
    layer : str or int, default=-1
        The layer by name, or the convolution by number (0 is the first, -1 the last).
        Of the output layer, the channels are the classes.
    channels : int or array-like of int, default=None
        Which channels; all by default, which takes its time in a wide layer.
    n_steps : int, default=100
        Steps of the ascent.
    lr : float, default=0.1
        Root mean square of a step, in standard deviations of the pixels.
    decay : float, default=0.03
        Share of the contrast lost at each step. Without blur, the contrast can't go
        beyond ``lr / decay`` standard deviations.
    blur : float, default=0.1
        Share of each pixel that its 3×3 surroundings replace at each step, which
        damps the finest detail most.
    jitter : float, default=0.05
        Each step sees the image shifted at random by up to this share of height and
        width, rounded to pixels and wrapped around, which keeps patterns from
        clinging to pooling grids and borders.
    image_size : tuple of 2 int, default=None
        (height, width); those in `fit` by default. Only for classifiers that take
        images of any size.
    random_state : int, RandomState instance or None, default=None
        Noise and jitter.

    Returns
    -------
    ndarray of float32 of shape (n_channels, height, width, image_channels)
        In the units of the pixels in `fit`, but not confined to their range. With
        ``normalization="image"``, in standard deviations about 0. A channel that the
        noise doesn't excite at all, as behind a dead ReLU, stays flat.

    Raises
    ------
    TypeError
        If `estimator` has no network of ours.
    ValueError
        If there is no such layer or channel, or a parameter is no good.

    References
    ----------
    .. [1] D. Erhan, Y. Bengio, A. Courville and P. Vincent, Visualizing higher-layer
       features of a deep network, technical report 1341, Université de Montréal,
       2009.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import maximize_activation
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> images = maximize_activation(clf, 0, [3, 5], n_steps=10, random_state=0)
    >>> images.shape
    (2, 8, 8, 1)
    """
    classifier = find_classifier(estimator)
    name = find_layer(classifier, layer)
    # check_random_state(None) would draw from NumPy's global state.
    rng = check_random_state(
        np.random.RandomState() if random_state is None else random_state
    )
    shape = _input_shape(classifier, image_size)
    start = rng.normal(scale=_START, size=shape)
    reach = np.array([round(jitter * side) for side in shape[2:]])
    shifts = rng.randint(-reach, reach + 1, size=(n_steps, 2)).tolist()
    start = torch.as_tensor(start, dtype=torch.float32, device=classifier.device_)
    found = []
    with evaluating(classifier) as module, recording(module.net, [name]) as outputs:
        with torch.no_grad():
            n_channels = _respond(module, outputs, name, start).shape[1]
        index = check_channels(channels, n_channels, name)
        for part in torch.as_tensor(index).split(classifier.batch_size_):
            images = start.expand(len(part), -1, -1, -1)
            for shift in shifts:
                images = images.detach().requires_grad_()
                with torch.enable_grad():
                    rolled = images.roll(shift, dims=(2, 3))
                    maps = _respond(module, outputs, name, rolled)
                    own = torch.arange(len(part), device=maps.device)
                    chosen = maps[own, part.to(maps.device)]
                    # Each image has its own score, so its gradient is its own, too.
                    scores = F.leaky_relu(chosen).reshape(len(part), -1).mean(1)
                    uphill = gradient(scores, images)
                images = _regularize(
                    images.detach() + lr * _to_unit_rms(uphill), decay, blur
                )
            found.append(_to_pixels(module, images).cpu())
    return torch.cat(found).numpy()


def _input_shape(
    classifier: BaseImageClassifier, image_size: Sequence[int] | None
) -> tuple[int, int, int, int]:
    """Return (1, channels, height, width) of what the network takes."""
    shape = classifier.image_shape_
    if image_size is None:
        if shape is None:
            raise ValueError(
                f"{type(classifier).__name__} was fitted on images of different sizes: "
                "give image_size=(height, width)."
            )
        height, width, channels = shape
        return 1, channels, height, width
    try:
        height, width = (int(side) for side in image_size)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < 1:
        raise ValueError(
            "image_size must be (height, width), each a whole number of at least 1; "
            f"got {image_size!r}."
        )
    channels = classifier.n_channels_ if shape is None else shape[2]
    classifier._validate_images(np.zeros((1, height, width, channels)), reset=False)
    return 1, channels, height, width


def _respond(
    module: ImageModule,
    outputs: dict[str, torch.Tensor],
    name: str,
    images: torch.Tensor,
) -> torch.Tensor:
    """Return a layer's output (n, channels, ...) for normalised (n, c, h, w)."""
    inputs = {"images": _to_pixels(module, images)}
    if module.features_mean is not None:
        # Features of the average sample: the image alone is asked about.
        inputs["features"] = module.features_mean.expand(len(images), -1)
    module(**inputs)
    return recorded(outputs, name)


def _to_pixels(module: ImageModule, images: torch.Tensor) -> torch.Tensor:
    """Undo the normalisation of (n, c, h, w); return (n, h, w, c)."""
    if module.mean is not None:
        images = images * module.std + module.mean
    return images.permute(0, 2, 3, 1)


def _to_unit_rms(uphill: torch.Tensor) -> torch.Tensor:
    """Scale each gradient to a root mean square of one; zero stays zero."""
    rms = uphill.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return uphill / torch.where(rms > 0, rms, 1.0)


def _regularize(images: torch.Tensor, decay: float, blur: float) -> torch.Tensor:
    """Take away contrast, and the finest detail most."""
    weight = torch.tensor([0.25, 0.5, 0.25], device=images.device)
    kernel = torch.outer(weight, weight).expand(images.shape[1], 1, 3, 3)
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    smooth = F.conv2d(padded, kernel, groups=images.shape[1])
    return (1 - decay) * torch.lerp(images, smooth, blur)


class FilterMaximizationDisplay:
    """The images that excite channels of a layer most, as a grid.

    Grey values are stretched in each image by itself.

    Parameters
    ----------
    images : ndarray of shape (n_channels, height, width, image_channels)
        One image for each channel, as `maximize_activation` returns them.
    layer : str
        Name of the layer.
    channels : array-like of int of shape (n_channels,), default=None
        Numbers of the channels; from 0 by default.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
    im_ : matplotlib AxesImage

    See Also
    --------
    maximize_activation : The images as an array.
    FiltersDisplay : The weights themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import FilterMaximizationDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> display = FilterMaximizationDisplay.from_estimator(
    ...     clf, 0, [3, 5], n_steps=10, random_state=0
    ... )
    >>> display.images.shape
    (2, 8, 8, 1)
    """

    def __init__(
        self, images: np.ndarray, *, layer: str, channels: ArrayLike | None = None
    ) -> None:
        self.images = images
        self.layer = layer
        self.channels = channels

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        layer: str | int = -1,
        channels: ArrayLike | None = None,
        *,
        n_steps: int = 100,
        lr: float = 0.1,
        decay: float = 0.03,
        blur: float = 0.1,
        jitter: float = 0.05,
        image_size: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Find and draw the images for channels of a fitted classifier's layer.

        Parameters
        ----------
        estimator : network classifier or Pipeline that ends in one
            Fitted.
        layer : str or int, default=-1
            The layer by name, or the convolution by number (0 is the first, -1 the
            last).
        channels : int or array-like of int, default=None
            Which channels; all by default.
        n_steps, lr, decay, blur, jitter, image_size, random_state
            As in `maximize_activation`.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        FilterMaximizationDisplay
        """
        images = maximize_activation(
            estimator,
            layer,
            channels,
            n_steps=n_steps,
            lr=lr,
            decay=decay,
            blur=blur,
            jitter=jitter,
            image_size=image_size,
            random_state=random_state,
        )
        name = find_layer(find_classifier(estimator), layer)
        index = None if channels is None else np.atleast_1d(channels)
        return cls(images, layer=name, channels=index).plot(ax)

    def plot(
        self, ax: "Axes | None" = None, *, cmap: "str | Colormap" = "gray"
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        cmap : str or Colormap, default="gray"
            For images of one channel; those of three are in colour.

        Returns
        -------
        FilterMaximizationDisplay
        """
        images = np.asarray(self.images)
        if ax is None:
            import matplotlib.pyplot as plt

            size = figure_size(len(images), images.shape[1:3])
            _, ax = plt.subplots(figsize=size, layout="constrained")
        index = range(len(images)) if self.channels is None else self.channels
        tiles = np.stack([picture_of(image) for image in images])
        self.im_ = draw_grid(ax, tiles, index, cmap=cmap, vmin=0, vmax=255)
        ax.set_title(f"what excites {self.layer} most", size="medium")
        self.ax_, self.figure_ = ax, ax.figure.figure
        return self
