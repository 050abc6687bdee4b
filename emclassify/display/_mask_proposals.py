"""The clusters of a dataset's pixels, to pick the background's from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MaskProposalsDisplay"]

N_COLUMNS = 5


class MaskProposalsDisplay:
    """What `propose_masks` found: all clusters, each by itself, and the components.

    Parameters
    ----------
    clusters : array-like of int of shape (height, width)
        Cluster of each pixel, from 0.
    components : array-like of shape (height, width, n_components), default=None
        Scores of the principal components.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes
        All clusters, then each of them, then the components.

    See Also
    --------
    emclassify.baselines.propose_masks : What is drawn.

    Examples
    --------
    >>> from emclassify.datasets import make_ion_images
    >>> from emclassify.display import MaskProposalsDisplay
    >>> data = make_ion_images(40, n_groups=1, random_state=1)
    >>> display = MaskProposalsDisplay.from_images(data.images, n_clusters=3)
    >>> [ax.get_title() for ax in display.axes_][-1]
    'component 2'
    """

    def __init__(
        self, clusters: ArrayLike, components: ArrayLike | None = None
    ) -> None:
        self.clusters = clusters
        self.components = components

    @classmethod
    def from_images(cls, images: ArrayLike, **settings: Any) -> MaskProposalsDisplay:
        """Cluster the pixels of a dataset's ion images and draw the clusters.

        Parameters
        ----------
        images : array-like of shape (n_ions, height, width), or sequence of arrays
            Ion images of one dataset.
        **settings
            As for `propose_masks`: n_clusters, n_components, smoothing, random_state.

        Returns
        -------
        MaskProposalsDisplay
        """
        from emclassify.baselines import propose_masks

        proposals = propose_masks(images, **settings)
        return cls(proposals.clusters, proposals.components).plot()

    def plot(self, axes: Sequence[Axes] | NDArray[Any] | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            One for all clusters, one for each, one for each component; a new figure by
            default.

        Returns
        -------
        MaskProposalsDisplay
        """
        import matplotlib.pyplot as plt

        clusters = np.asarray(self.clusters)
        n_clusters = int(clusters.max()) + 1
        components = []
        if self.components is not None:
            components = np.moveaxis(np.asarray(self.components), -1, 0)
        n_panels = 1 + n_clusters + len(components)
        if axes is None:
            n_rows = -(-n_panels // N_COLUMNS)
            _, axes = plt.subplots(
                n_rows,
                min(N_COLUMNS, n_panels),
                figsize=(1.9 * min(N_COLUMNS, n_panels), 2.1 * n_rows),
                squeeze=False,
                layout="constrained",
            )
            for ax in axes.ravel():
                ax.set_axis_off()
            axes = axes.ravel()[:n_panels]
        axes = np.asarray(axes, dtype=object).ravel()
        if len(axes) != n_panels:
            raise ValueError(f"axes holds {len(axes)} axes for {n_panels} pictures.")
        colours = plt.get_cmap("tab10" if n_clusters <= 10 else "tab20")
        axes[0].imshow(colours(clusters % colours.N))
        axes[0].set_title("clusters")
        for cluster, ax in enumerate(axes[1 : 1 + n_clusters]):
            here = clusters == cluster
            picture = np.full((*clusters.shape, 4), 0.12)
            picture[..., 3] = 1
            picture[here] = colours(cluster % colours.N)
            ax.imshow(picture)
            ax.set_title(f"{cluster}: {here.mean():.0%}")
        pairs = zip(components, axes[1 + n_clusters :], strict=True)
        for k, (scores, ax) in enumerate(pairs):
            limit = np.abs(scores).max() or 1
            ax.imshow(scores, cmap="RdBu_r", vmin=-limit, vmax=limit)
            ax.set_title(f"component {k}")
        for ax in axes:
            ax.set_axis_off()
        self.axes_ = axes
        self.figure_ = axes[0].figure.figure
        return self
