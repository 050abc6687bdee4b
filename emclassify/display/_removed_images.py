"""A contact sheet of what an outlier remover dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _num_samples, check_is_fitted

from emclassify._thumbnails import visible_channels
from emclassify._typing import ImagesLike
from emclassify.display._thumbnails import image_at

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

    from emclassify.sampling._intensity_outlier_remover import IntensityOutlierRemover

__all__ = ["RemovedImagesDisplay"]

_TILE = 1.05  # inches
_LONGEST_LABEL = 18


class RemovedImagesDisplay:
    r"""The images that an outlier remover dropped, the strangest first.

    All share one grey scale, so that too dark and too bright ones look it; 8-bit
    images of three or four channels are shown in colour, as they are.

    Parameters
    ----------
    images : sequence of n arrays (height, width) or (height, width, channels)
        What was removed, in the order to show.
    scores : array-like of shape (n,)
        How strange each is.
    labels : sequence of n str, default=None
        What to write above each.
    n_removed : int, default=None
        How many were removed, if `images` are only the first of them.
    value_range : (low, high), default=None
        Values to show as black and white. Default: the least and the greatest in
        `images`, not counting masks.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (n,)

    See Also
    --------
    EmbeddingDisplay : Where they lie among the others.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.display import RemovedImagesDisplay
    >>> from emclassify.sampling import IntensityOutlierRemover
    >>> X = np.random.default_rng(0).poisson(50, (40, 8, 8)).astype(np.uint8)
    >>> X[7] = 255
    >>> y = ["full", "empty"] * 20
    >>> remover = IntensityOutlierRemover()
    >>> X_new, y_new = remover.fit_resample(X, y)
    >>> display = RemovedImagesDisplay.from_sampler(remover, X, y)
    >>> [ax.get_title() for ax in display.axes_]
    ['empty\n4.25']
    """

    def __init__(
        self,
        images: NDArray[Any],
        scores: ArrayLike,
        *,
        labels: Sequence[str] | None = None,
        n_removed: int | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        self.images = images
        self.scores = scores
        self.labels = labels
        self.n_removed = n_removed
        self.value_range = value_range

    @classmethod
    def from_sampler(
        cls,
        sampler: IntensityOutlierRemover,
        X: ImagesLike,
        y: ArrayLike | None = None,
        *,
        target_names: Sequence[str] | None = None,
        n_images: int = 24,
        n_columns: int = 8,
    ) -> RemovedImagesDisplay | None:
        """Draw what a sampler removed from X.

        Parameters
        ----------
        sampler : IntensityOutlierRemover or EmbeddingOutlierRemover
            Fitted by ``fit_resample(X, y)``.
        X : array-like or sequence of arrays
            What it was given.
        y : array-like of shape (n,) or (n, n_labels), default=None
            Labels, to write above the images.
        target_names : sequence of str, default=None
            With an indicator matrix: names of the labels. Numbers by default.
        n_images : int, default=24
            How many to show at most.
        n_columns : int, default=8
            Images in a row.

        Returns
        -------
        RemovedImagesDisplay

        Raises
        ------
        ValueError
            If X has another length than what the sampler was given.
        """
        check_is_fitted(sampler, "outlier_scores_")
        scores = sampler.outlier_scores_
        n = _num_samples(X)
        if n != len(scores):
            raise ValueError(
                f"X has {n} images; the sampler was given {len(scores)}. Pass "
                "what fit_resample was given."
            )
        removed = np.setdiff1d(np.arange(len(scores)), sampler.sample_indices_)
        shown = removed[np.argsort(-scores[removed], kind="stable")][:n_images]
        pictures = [_picture(X, row, sampler.image_shape_) for row in shown]
        rows = np.linspace(0, n - 1, min(n, 200)).astype(int)
        sample = [
            visible_channels(_picture(X, row, sampler.image_shape_)).ravel()
            for row in rows
        ]
        limits = np.percentile(np.concatenate(sample), [0.1, 99.9])
        return cls(
            pictures,
            scores[shown],
            labels=None if y is None else _label_texts(y, shown, target_names),
            n_removed=len(removed),
            value_range=tuple(limits.tolist()),
        ).plot(n_columns=n_columns)

    def plot(self, *, n_columns: int = 8, cmap: str | Colormap = "gray") -> Self:
        """Draw, in a new figure.

        Parameters
        ----------
        n_columns : int, default=8
            Images in a row.
        cmap : str or Colormap, default="gray"
            For images of one channel.

        Returns
        -------
        RemovedImagesDisplay
        """
        import matplotlib.pyplot as plt

        n = len(self.images)
        n_columns = max(1, min(n_columns, n))
        n_rows = max(1, -(-n // n_columns))
        self.figure_, axes = plt.subplots(
            n_rows,
            n_columns,
            figsize=(max(3.2, n_columns * _TILE), n_rows * (_TILE + 0.35) + 0.35),
            layout="constrained",
            squeeze=False,
        )
        axes = axes.ravel()
        for ax in axes:
            ax.set_axis_off()
        low, high = self._limits()
        for i, image in enumerate(self.images):
            seen = visible_channels(np.asarray(image))
            if seen.ndim == 3 and seen.dtype != np.uint8:
                seen = np.clip((seen - low) / ((high - low) or 1), 0, 1)
            axes[i].imshow(seen, cmap=cmap, vmin=low, vmax=high)
            text = [] if self.labels is None else [_shortened(self.labels[i])]
            axes[i].set_title("\n".join([*text, f"{self.scores[i]:.3g}"]), size=7)
        total = n if self.n_removed is None else self.n_removed
        heading = f"{total} removed" if total else "nothing removed"
        if n < total:
            heading += f", the {n} strangest"
        self.figure_.suptitle(heading, size="medium")
        self.axes_ = axes[:n]
        return self

    def _limits(self):
        if self.value_range is not None:
            return self.value_range
        if not len(self.images):
            return 0.0, 1.0
        seen = [visible_channels(np.asarray(image)) for image in self.images]
        return (
            float(min(image.min() for image in seen)),
            float(max(image.max() for image in seen)),
        )


def _picture(X, row, image_shape):
    """Return image `row` of X as an array of two or three axes."""
    image = image_at(X, row)
    if image is None:
        # A flat row.
        image = np.reshape(X.iloc[row] if hasattr(X, "iloc") else X[row], image_shape)
    return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image


def _label_texts(y, rows, target_names):
    """Return the label of each row, or its labels joined."""
    y = np.asarray(y)[rows]
    if y.ndim == 1:
        return [str(label) for label in y]
    names = range(y.shape[1]) if target_names is None else target_names
    return [
        " + ".join(str(name) for name, on in zip(names, row, strict=True) if on) or "–"
        for row in y
    ]


def _shortened(text):
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
