"""A picture of how two sets of images compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emclassify._thumbnails import to_8_bit, visible_channels
from emclassify._words import number, p_value
from emclassify.display._class_members import in_legend
from emclassify.display._thumbnails import image_at

if TYPE_CHECKING:
    from emclassify.model_selection.transfer._domain_comparison import DomainComparison

__all__ = ["DomainComparisonDisplay"]

# Okabe and Ito.
_COLOURS = ("#0072B2", "#D55E00")
_N_BINS = 40
_MOST_FAMILIES = 8
_TILE = 0.95  # inches


class DomainComparisonDisplay:
    """Two sets of images beside each other: scores, features, examples.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n,)
        For each set by name, how like the second set its images look.
    features : dict of str to (first, second)
        Values of features in both sets.
    families : dict of str to float, default=None
        How well each family of features tells the sets apart, from 0.5 to 1.
    images : dict of str to list of ndarray, default=None
        Rows of images by title.
    title : str, default=""

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
        Of the scores.
    family_ax_ : matplotlib Axes or None
    feature_axes_ : list of matplotlib Axes
    image_axes_ : list of matplotlib Axes
        One for each row of images.

    See Also
    --------
    emclassify.model_selection.compare_domains : Where the numbers come from.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.display import DomainComparisonDisplay
    >>> from emclassify.model_selection import compare_domains
    >>> rng = np.random.default_rng(0)
    >>> result = compare_domains(
    ...     {"plain": rng.normal(size=(30, 8, 8)), "pale": rng.random((30, 8, 8))},
    ...     families="thesis",
    ...     n_permutations=19,
    ...     random_state=0,
    ... )
    >>> display = DomainComparisonDisplay.from_result(result, n_images=5)
    >>> [len(ax.images) for ax in display.image_axes_]
    [5, 5, 5, 5]
    """

    def __init__(
        self,
        scores: Mapping[str, ArrayLike],
        features: Mapping[str, tuple[ArrayLike, ArrayLike]],
        *,
        families: Mapping[str, float] | None = None,
        images: Mapping[str, Sequence[NDArray[Any]]] | None = None,
        title: str = "",
    ) -> None:
        self.scores = scores
        self.features = features
        self.families = families
        self.images = images
        self.title = title

    @classmethod
    def from_result(
        cls, result: DomainComparison, *, n_features: int = 4, n_images: int = 8
    ) -> DomainComparisonDisplay:
        """Draw the result of `compare_domains`.

        Parameters
        ----------
        result : DomainComparison
        n_features : int, default=4
            Histograms of features, one a family.
        n_images : int, default=8
            Images in a row; 0 for none.

        Returns
        -------
        DomainComparisonDisplay
        """
        for name, n in (("n_features", n_features), ("n_images", n_images)):
            if n < 0:
                raise ValueError(f"{name} must not be negative; got {n}.")
        table = result.scores
        telling = result.families.head(_MOST_FAMILIES)
        level = f"{100 * result.confidence_level:g} %"
        return cls(
            {name: table.score[table.domain == name] for name in result.names},
            {
                feature: result.feature_values(feature)
                for feature in result.most_different(n_features)
            },
            families=dict(zip(telling["family"], telling["auc"], strict=True)),
            images=_examples(result, n_images) if n_images else None,
            title=(
                f"{result.names[0]} and {result.names[1]}: AUC {number(result.auc, 2)} "
                f"({level}: {number(result.auc_low, 2)} to "
                f"{number(result.auc_high, 2)}), {p_value(result.p_value)}"
            ),
        ).plot()

    def plot(self) -> Self:
        """Draw, in a new figure.

        Returns
        -------
        DomainComparisonDisplay
        """
        import matplotlib.pyplot as plt

        rows = len(self.images or {})
        across = max((len(row) for row in (self.images or {}).values()), default=0)
        n_features = len(self.features)
        heights = [2.6, 1.9 if n_features else 0, (_TILE + 0.25) * rows]
        width = max(8.5, across * _TILE)
        heights_drawn = [height for height in heights if height]
        self.figure_ = plt.figure(
            figsize=(width, sum(heights_drawn) + 0.4), layout="constrained"
        )
        self.figure_.suptitle(self.title, size="medium")
        parts = self.figure_.subfigures(
            len(heights_drawn), 1, height_ratios=heights_drawn, squeeze=False
        ).ravel()
        self._draw_top(parts[0])
        self.feature_axes_ = []
        if n_features:
            axes = parts[1].subplots(1, n_features, squeeze=False)[0]
            for ax, (name, values) in zip(axes, self.features.items(), strict=True):
                self._draw_histogram(ax, values, name)
                ax.tick_params(labelsize="x-small")
            self.feature_axes_ = list(axes)
        self.image_axes_ = []
        if rows:
            self._draw_images(parts[-1], across)
        return self

    def _draw_top(self, part):
        if not self.families:
            self.ax_, self.family_ax_ = part.subplots(), None
        else:
            self.ax_, self.family_ax_ = part.subplots(1, 2, width_ratios=[3, 2])
            names = list(self.families)[::-1]
            self.family_ax_.barh(
                [name.replace("_", " ") for name in names],
                [self.families[name] - 0.5 for name in names],
                left=0.5,
                color="0.6",
                height=0.7,
            )
            self.family_ax_.set(xlim=(0.5, 1))
            self.family_ax_.set_title(
                "AUC of each family of features", size="small", loc="left"
            )
            self.family_ax_.tick_params(labelsize="small")
        names = list(self.scores)
        self._draw_histogram(
            self.ax_,
            [self.scores[name] for name in names],
            "Out-of-fold score of each image",
            labels=names,
        )
        self.ax_.set_xlabel(f"← like {names[0]}      like {names[1]} →", size="small")
        self.ax_.legend(frameon=False, fontsize="small")

    def _draw_histogram(self, ax, values, name, labels=(None, None)):
        """Draw the shares of both sets; the extreme half per cent in the end bins."""
        values = [np.asarray(own, dtype=np.float64) for own in values]
        together = np.concatenate(values)
        low, high = np.percentile(together, [0.5, 99.5])
        if high <= low:
            low, high = together.min(), together.max()
        if high <= low:
            low, high = low - 0.5, high + 0.5
        edges = np.linspace(low, high, _N_BINS + 1)
        for own, colour, label in zip(values, _COLOURS, labels, strict=True):
            ax.hist(
                np.clip(own, low, high),
                edges,
                weights=np.full(len(own), 1 / len(own)),
                color=colour,
                alpha=0.25,
            )
            ax.hist(
                np.clip(own, low, high),
                edges,
                weights=np.full(len(own), 1 / len(own)),
                color=colour,
                histtype="step",
                linewidth=1.2,
                label=None if label is None else in_legend(f"{label} ({len(own)})"),
            )
        ax.set_yticks([])
        ax.set_title(name.replace("_", " "), size="small", loc="left")

    def _draw_images(self, part, across):
        """Draw each row of images in one Axes, an image in a square of side 1."""
        axes = part.subplots(len(self.images), 1, squeeze=False)[:, 0]
        for ax, (title, images) in zip(axes, self.images.items(), strict=True):
            for k, image in enumerate(images):
                picture = to_8_bit(visible_channels(image))
                height, width = np.array(picture.shape[:2]) / max(picture.shape[:2])
                left, low = k + (1 - width) / 2, (1 - height) / 2
                extent = (left, left + 0.94 * width, low, low + 0.94 * height)
                ax.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent)
            ax.set(xlim=(0, across), ylim=(0, 1))
            ax.set_axis_off()
            ax.set_title(title, size="small", loc="left")
        self.image_axes_ = list(axes)


def _examples(result, n_images):
    """Return {title: images}: those that look most, and least, like their set."""
    first, second = result.names
    wanted = {
        f"{first}, least like {second}": (0, True),
        f"{first}, most like {second}": (0, False),
        f"{second}, most like {first}": (1, True),
        f"{second}, least like {first}": (1, False),
    }
    rows = {}
    for title, (which, lowest_first) in wanted.items():
        own = result.scores[result.scores["domain"] == result.names[which]]
        own = own.sort_values("score", ascending=lowest_first, kind="stable")
        rows[title] = [
            image_at(result.images[which], row) for row in own["image"].head(n_images)
        ]
    return rows
