"""How far the first component of an embedding parts the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, column_or_1d

from emclassify.display._class_members import class_members, in_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = ["ComponentHistogramDisplay"]

_HATCHES = (None, "//", "..", "xx", "--")


class ComponentHistogramDisplay:
    """Histogram of one number of each image, such as its first component, by class.

    Classes that overlap here are not parted by this component, whatever others do.

    Parameters
    ----------
    values : array-like of shape (n,)
        A number for each image.
    y : array-like of shape (n,), default=None
        Classes; one histogram without.
    name : str, default="value"
        What the numbers are.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    edges_ : ndarray of shape (n_bins + 1,)
        Of the bins, which all classes share.
    counts_ : dict of str to ndarray of shape (n_bins,)
        Images in each bin by class; "" without classes.

    See Also
    --------
    EmbeddingDisplay : The first two components.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.display import ComponentHistogramDisplay
    >>> rng = np.random.default_rng(0)
    >>> embedded = rng.normal(size=(60, 5)) + np.tile([0, 3], 30)[:, None]
    >>> display = ComponentHistogramDisplay.from_embedding(
    ...     embedded, ["single", "other"] * 30
    ... )
    >>> display.ax_.get_xlabel()
    'principal component 1 (77 %)'
    >>> int(display.counts_["single"].sum())
    30
    """

    def __init__(
        self, values: ArrayLike, y: ArrayLike | None = None, *, name: str = "value"
    ) -> None:
        self.values = values
        self.y = y
        self.name = name

    @classmethod
    def from_embedding(
        cls,
        embedded: ArrayLike,
        y: ArrayLike | None = None,
        *,
        component: int = 1,
        n_bins: int | str = "auto",
        ax: Axes | None = None,
    ) -> Self:
        """Draw a principal component of an embedding, or of features.

        Parameters
        ----------
        embedded : array-like of shape (n, n_dimensions)
            Numbers for each image.
        y : array-like of shape (n,), default=None
            Classes.
        component : int, default=1
            Which principal component, from 1. Its sign means nothing.
        n_bins : int or str, default="auto"
            As :func:`numpy.histogram_bin_edges` has `bins`.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        ComponentHistogramDisplay

        Raises
        ------
        ValueError
            If there is no such component.
        """
        embedded = check_array(
            embedded, dtype=np.float64, ensure_min_samples=2, input_name="embedded"
        )
        most = min(embedded.shape)
        if not 1 <= component <= most:
            raise ValueError(
                f"component must be from 1 to {most} for an embedding of shape "
                f"{embedded.shape}; got {component!r}."
            )
        values, share = np.zeros(len(embedded)), 0.0
        if np.ptp(embedded, axis=0).any():
            pca = PCA(component, svd_solver="full")
            values = pca.fit_transform(embedded)[:, -1]
            share = pca.explained_variance_ratio_[-1]
        name = f"principal component {component} ({100 * share:.0f} %)"
        return cls(values, y, name=name).plot(ax, n_bins=n_bins)

    @classmethod
    def from_values(
        cls,
        values: ArrayLike,
        y: ArrayLike | None = None,
        *,
        name: str = "value",
        n_bins: int | str = "auto",
        ax: Axes | None = None,
    ) -> Self:
        """Draw any number of each image, such as a coordinate of a diffusion map.

        Parameters
        ----------
        values : array-like of shape (n,)
        y : array-like of shape (n,), default=None
            Classes.
        name : str, default="value"
            What the numbers are.
        n_bins : int or str, default="auto"
            As :func:`numpy.histogram_bin_edges` has `bins`.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        ComponentHistogramDisplay
        """
        return cls(values, y, name=name).plot(ax, n_bins=n_bins)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_bins: int | str = "auto",
        cmap: str | Colormap = "tab10",
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        n_bins : int or str, default="auto"
            As :func:`numpy.histogram_bin_edges` has `bins`.
        cmap : str or Colormap, default="tab10"
            Colours of the classes, taken in order.

        Returns
        -------
        ComponentHistogramDisplay

        Raises
        ------
        ValueError
            If values are not finite, or not as many as there are classes given.
        """
        import matplotlib.pyplot as plt

        values = check_array(
            self.values, ensure_2d=False, dtype=np.float64, input_name="values"
        )
        values = column_or_1d(values)
        labels = self._labels(values)
        self.edges_ = np.histogram_bin_edges(values, bins=n_bins)
        self.counts_ = {
            label: np.histogram(values[own], self.edges_)[0]
            for label, own in class_members(labels)
        }
        if ax is None:
            _, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
        colours = plt.get_cmap(cmap)
        for number, (label, counts) in enumerate(self.counts_.items()):
            style = {"color": "0.6"}
            if self.y is not None:
                style = {"color": colours(number % colours.N)}
                # Beyond the colours that there are, another hatching.
                style["hatch"] = _HATCHES[number // colours.N % len(_HATCHES)]
                style["label"] = in_legend(f"{label} ({counts.sum()})")
            style["edgecolor"] = style["color"]  # of the hatching
            ax.stairs(counts, self.edges_, fill=True, alpha=0.4, **style)
            ax.stairs(counts, self.edges_, color=style["color"])
        if self.y is not None:
            ax.legend(fontsize="small")
        ax.set_xlabel(self.name)
        ax.set_ylabel("images")
        self.ax_ = ax
        self.figure_ = ax.figure.figure
        return self

    def _labels(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Return the class of each image, "" without classes."""
        if self.y is None:
            return np.full(len(values), "")
        labels = np.asarray(self.y)
        check_consistent_length(values, labels)
        if labels.ndim != 1:
            raise ValueError(
                "y must hold one class for each image; got an array of shape "
                f"{labels.shape}. Pass one label's column, or None."
            )
        return labels
