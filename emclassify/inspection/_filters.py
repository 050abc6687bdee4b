"""The learnt filters of a convolution."""

from numbers import Integral
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator

from emclassify.inspection._grid import draw_grid, figure_size, symmetric_limits
from emclassify.inspection._network import convolutions, find_classifier, find_layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = ["FiltersDisplay"]


class FiltersDisplay:
    """The kernels of a convolution as a grid.

    One colour scale for all, symmetric about zero, so that a filter's strength can be
    compared with its neighbours'.

    Parameters
    ----------
    filters : ndarray of shape (n_filters, height, width)
        Weights.
    layer : str
        Name of the convolution.
    channel : int, default=None
        Input channel that the weights are of; None is the mean over them.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
    im_ : matplotlib AxesImage

    See Also
    --------
    FilterMaximizationDisplay : The images that excite filters most.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import FiltersDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> FiltersDisplay.from_estimator(clf).filters.shape
    (32, 3, 3)
    """

    def __init__(
        self, filters: np.ndarray, *, layer: str, channel: int | None = None
    ) -> None:
        self.filters = filters
        self.layer = layer
        self.channel = channel

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        layer: str | int | None = None,
        *,
        channel: int | None = None,
        ax: "Axes | None" = None,
    ) -> Self:
        """Draw the filters of a fitted classifier.

        Parameters
        ----------
        estimator : network classifier or Pipeline that ends in one
            Fitted.
        layer : str or int, default=None
            The convolution, by name or by number (0 is the first, -1 the last); the
            first by default.
        channel : int, default=None
            Input channel to show the weights of; the mean over all by default.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        FiltersDisplay

        Raises
        ------
        ValueError
            If there is no such convolution or channel.
        """
        classifier = find_classifier(estimator)
        known = convolutions(classifier)
        name = find_layer(classifier, 0 if layer is None else layer)
        if name not in known:
            raise ValueError(
                f"layer={layer!r} has no filters; the convolutions are "
                f"{', '.join(known)}."
            )
        weight = known[name].weight.detach().float().cpu().numpy().copy()
        n_channels = weight.shape[1]
        if channel is None:
            filters = weight.mean(axis=1)
        elif isinstance(channel, Integral) and 0 <= channel < n_channels:
            filters = weight[:, channel]
        else:
            raise ValueError(
                f"channel must be None or a whole number from 0 to {n_channels - 1}, "
                f"the input channels of {name!r}; got {channel!r}."
            )
        return cls(filters, layer=name, channel=channel).plot(ax)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        cmap: "str | Colormap" = "RdBu_r",
        colorbar: bool = True,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        cmap : str or Colormap, default="RdBu_r"
            A diverging one: its middle is zero.
        colorbar : bool, default=True
            Whether to add a colour bar.

        Returns
        -------
        FiltersDisplay
        """
        if ax is None:
            import matplotlib.pyplot as plt

            size = figure_size(len(self.filters), self.filters.shape[1:])
            _, ax = plt.subplots(figsize=size, layout="constrained")
        low, high = symmetric_limits(self.filters)
        index = range(len(self.filters))
        self.im_ = draw_grid(ax, self.filters, index, cmap=cmap, vmin=low, vmax=high)
        of = "mean over inputs" if self.channel is None else f"input {self.channel}"
        ax.set_title(f"filters of {self.layer}, {of}", size="medium")
        if colorbar:
            ax.figure.colorbar(self.im_, ax=ax, label="weight", shrink=0.8)
        self.ax_, self.figure_ = ax, ax.figure.figure
        return self
