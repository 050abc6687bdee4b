"""A picture of where images lie in an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from emclassify.display._class_members import class_members, in_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from emclassify.sampling._embedding_outlier_remover import EmbeddingOutlierRemover

__all__ = ["EmbeddingDisplay"]


class EmbeddingDisplay:
    """Images as points, in the colours of their classes; removed ones with a ring.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        Where the images lie in the picture.
    y : array-like of shape (n,), default=None
        Classes; all points are grey without.
    outlier : ndarray of bool of shape (n,), default=None
        Which points get a ring.
    explained_variance_ratio : sequence of 2 float, default=None
        Share of the variance along each axis, for their names.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    RemovedImagesDisplay : What removed images look like.

    Notes
    -----
    The picture is the plane of the two first principal components. What lies apart
    there does so in the embedding; what lies together may be apart in other directions.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.display import EmbeddingDisplay
    >>> rng = np.random.default_rng(0)
    >>> embedded = rng.normal(size=(60, 5)) + np.tile([0, 3], 30)[:, None]
    >>> display = EmbeddingDisplay.from_embedding(embedded, ["full", "empty"] * 30)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['empty (30)', 'full (30)']
    """

    def __init__(
        self,
        points: NDArray[Any],
        y: ArrayLike | None = None,
        *,
        outlier: NDArray[np.bool_] | None = None,
        explained_variance_ratio: Sequence[float] | None = None,
    ) -> None:
        self.points = points
        self.y = y
        self.outlier = outlier
        self.explained_variance_ratio = explained_variance_ratio

    @classmethod
    def from_embedding(
        cls,
        embedded: ArrayLike,
        y: ArrayLike | None = None,
        *,
        outlier: ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> EmbeddingDisplay:
        """Draw the two first principal components of an embedding.

        Parameters
        ----------
        embedded : array-like of shape (n, n_dimensions)
            Numbers for each image, such as
            :func:`emclassify.inspection.network_embedding` gives.
        y : array-like of shape (n,), default=None
            Classes.
        outlier : array-like of bool of shape (n,), default=None
            Which points get a ring.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        EmbeddingDisplay
        """
        embedded = check_array(
            embedded, dtype=np.float64, ensure_min_samples=2, input_name="embedded"
        )
        for given in (y, outlier):
            if given is not None:
                check_consistent_length(embedded, given)
        if y is not None and np.ndim(y) != 1:
            raise ValueError(
                "y must hold one class for each image, to colour it; got an array of "
                f"shape {np.shape(y)}. Pass one label's column, or None."
            )
        points, shares = np.zeros((len(embedded), 2)), np.zeros(2)
        n_axes = min(2, embedded.shape[1])
        # Whole, not by random projections: the same picture every time.
        pca = PCA(n_axes, svd_solver="full")
        if np.ptp(embedded, axis=0).any():
            points[:, :n_axes] = pca.fit_transform(embedded)
            shares[:n_axes] = pca.explained_variance_ratio_
        return cls(
            points, y, outlier=outlier, explained_variance_ratio=shares.tolist()
        ).plot(ax)

    @classmethod
    def from_sampler(
        cls,
        sampler: EmbeddingOutlierRemover,
        y: ArrayLike | None = None,
        *,
        ax: Axes | None = None,
    ) -> EmbeddingDisplay:
        """Draw where an `EmbeddingOutlierRemover` saw the images it was given.

        Parameters
        ----------
        sampler : EmbeddingOutlierRemover
            Fitted by ``fit_resample(X, y)``.
        y : array-like of shape (n,), default=None
            Classes; of several labels pass the column of one.
        ax : matplotlib Axes, default=None
            A new figure by default.

        Returns
        -------
        EmbeddingDisplay
        """
        check_is_fitted(sampler, "embedded_")
        outlier = np.ones(len(sampler.embedded_), dtype=bool)
        outlier[sampler.sample_indices_] = False
        return cls.from_embedding(sampler.embedded_, y, outlier=outlier, ax=ax)

    def plot(self, ax: Axes | None = None, *, cmap: str | Colormap = "tab10") -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        cmap : str or Colormap, default="tab10"
            Colours of the classes, taken in order.

        Returns
        -------
        EmbeddingDisplay
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(6, 4), layout="constrained")
        x, y = np.asarray(self.points).T
        if self.y is None:
            ax.scatter(x, y, s=10, color="0.6")
        else:
            colours = plt.get_cmap(cmap)
            labels = np.asarray(self.y)
            for number, (label, own) in enumerate(class_members(labels)):
                ax.scatter(
                    x[own],
                    y[own],
                    s=10,
                    color=colours(number % colours.N),
                    # Beyond the colours that there are, another form.
                    marker="os^Dv"[number // colours.N % 5],
                    label=in_legend(f"{label} ({own.sum()})"),
                )
        if self.outlier is not None and np.any(self.outlier):
            out = np.asarray(self.outlier, dtype=bool)
            ax.scatter(
                x[out],
                y[out],
                s=45,
                facecolors="none",
                edgecolors="k",
                linewidths=0.8,
                label=f"removed ({out.sum()})",
            )
        for number, name in enumerate("xy"):
            text = f"principal component {number + 1}"
            if self.explained_variance_ratio is not None:
                text += f" ({100 * self.explained_variance_ratio[number]:.0f} %)"
            getattr(ax, f"set_{name}label")(text)
        if ax.get_legend_handles_labels()[1]:
            ax.legend(
                fontsize="x-small",
                loc="upper left",
                bbox_to_anchor=(1.01, 1),
                borderaxespad=0,
            )
        self.ax_ = ax
        self.figure_ = ax.figure.figure
        return self
