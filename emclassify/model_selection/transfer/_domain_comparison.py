"""How two sets of images compare."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emclassify._words import name_some, number, p_value

if TYPE_CHECKING:
    from emclassify.display import DomainComparisonDisplay

__all__ = ["DomainComparison"]


class DomainComparison:
    """Result of :func:`compare_domains`; made by it, not by hand.

    Attributes
    ----------
    images : list of array-like
        The two sets, as given.
    names : list of str
        The first and the second set.
    n_images, n_groups : list of int
        Of each set, how many were compared, and in how many groups. None for a set
        without groups.
    auc : float
        Area under the ROC curve of a classifier that tells the sets apart, out of fold.
    auc_low, auc_high : float
        Its interval for images of new groups; NaN if it can't be told.
    p_value : float
        Chance of an AUC as large between equal sets.
    n_permutations : int
        Exchanges of groups behind the p-values.
    confidence_level : float
        Of the interval.
    families : DataFrame
        A row a family, the most telling first: family, n_features, auc (of a
        classifier that knows this family only), p_value (of all families together).
    features : DataFrame
        A row a feature, the most different first: feature, family, difference (mean of
        the second set less that of the first, in standard deviations), ks (the
        Kolmogorov-Smirnov distance: 0 alike, 1 apart), auc (of the feature itself;
        above 0.5 if the second set has higher values), p_value (of all features
        together).
    scores : DataFrame
        A row an image: domain, image (row in its set), group, score (out of fold; high
        is like the second set).

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.model_selection import compare_domains
    >>> rng = np.random.default_rng(0)
    >>> domains = {"plain": rng.normal(size=(50, 8, 8)), "pale": rng.random((50, 8, 8))}
    >>> result = compare_domains(domains, families="thesis", n_permutations=19)
    >>> result
    <DomainComparison: plain and pale, AUC 1.000, p = 0.050>
    """

    def __init__(
        self,
        *,
        names: list[str],
        images: Sequence[Any],
        rows: Sequence[NDArray[np.intp]],
        groups: Sequence[NDArray[Any] | None],
        auc: tuple[float, float, float],
        p_value: float,
        n_permutations: int,
        confidence_level: float,
        families: pd.DataFrame,
        features: pd.DataFrame,
        scores: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> None:
        self.names = names
        self.images = images
        self.n_images = [len(own) for own in rows]
        self.n_groups = [None if own is None else len(np.unique(own)) for own in groups]
        self.auc, self.auc_low, self.auc_high = auc
        self.p_value = p_value
        self.n_permutations = n_permutations
        self.confidence_level = confidence_level
        self.families = families
        self.features = features.reset_index(drop=True)
        self._values = values[:, features.index]
        self.scores = pd.concat(
            [
                pd.DataFrame(
                    {
                        "domain": name,
                        "image": own,
                        "group": own if of_group is None else of_group,
                    }
                )
                for name, own, of_group in zip(names, rows, groups, strict=True)
            ],
            ignore_index=True,
        ).assign(score=scores)

    def feature_values(self, feature: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the values of a feature in both sets.

        Parameters
        ----------
        feature : str
            One of ``features["feature"]``.

        Returns
        -------
        first, second : ndarray of float
            In the order of `scores`.
        """
        where = np.flatnonzero(self.features["feature"] == feature)
        if not len(where):
            known = name_some(self.features["feature"])
            raise ValueError(f"feature={feature!r} is not among {known}.")
        values = self._values[:, where[0]]
        return values[: self.n_images[0]], values[self.n_images[0] :]

    def most_different(self, n: int = 4, *, one_a_family: bool = True) -> list[str]:
        """Return the names of the features in which the sets differ most.

        Parameters
        ----------
        n : int, default=4
            At most.
        one_a_family : bool, default=True
            Whether to name one feature of each family only; others of a family often
            say the same.

        Returns
        -------
        list of str
        """
        table = self.features
        if one_a_family:
            table = table.drop_duplicates("family")
        return table["feature"].head(n).tolist()

    def findings(self) -> list[str]:
        """Return what was found, a list of sentences."""
        level = f"{100 * self.confidence_level:g} %"
        low, high = number(self.auc_low, 2), number(self.auc_high, 2)
        counted = " and ".join(
            f"{n} of {name}" + ("" if groups is None else f" in {groups} groups")
            for name, n, groups in zip(
                self.names, self.n_images, self.n_groups, strict=True
            )
        )
        area = (
            f"AUC {number(self.auc, 2)} ({level}: {low} to {high}), "
            f"{p_value(self.p_value)}"
        )
        if self.p_value > 1 - self.confidence_level:
            said = f"No difference was found, which shows no equality: {area}."
            return [f"Images: {counted}.", said]
        telling = self.families.head(3)
        by = ", ".join(
            f"{family} ({number(auc, 2)})"
            for family, auc in zip(telling["family"], telling["auc"], strict=True)
        )
        return [
            f"Images: {counted}.",
            f"The sets differ: {area}.",
            f"Most telling families: {by}.",
            f"Most different features: {', '.join(self.most_different())}.",
        ]

    def __str__(self):
        return "\n".join(self.findings())

    def __repr__(self):
        return (
            f"<DomainComparison: {' and '.join(self.names)}, AUC {number(self.auc)}, "
            f"{p_value(self.p_value)}>"
        )

    def _repr_html_(self) -> str:
        found = "".join(f"<p>{escape(finding)}</p>" for finding in self.findings())
        return found + self.families.to_html(
            float_format="{:.3f}".format, border=0, index=False
        )

    def plot(
        self, *, n_features: int = 4, n_images: int = 8
    ) -> DomainComparisonDisplay:
        """Draw scores, families, the most different features, and images.

        Parameters
        ----------
        n_features : int, default=4
            Histograms of features.
        n_images : int, default=8
            Images in a row: those of each set that look most, and least, like it.

        Returns
        -------
        DomainComparisonDisplay
        """
        from emclassify.display import DomainComparisonDisplay

        return DomainComparisonDisplay.from_result(
            self, n_features=n_features, n_images=n_images
        )
