"""compare_domains: whether two sets of images differ, and in what."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from emclassify._grey_scale import grey_scale_of
from emclassify._groups import check_groups
from emclassify._images import check_each_image, check_images, is_sequence_of_images
from emclassify._incoming import plain_images
from emclassify._typing import ImagesLike, RandomStateLike
from emclassify.metrics._bootstrap import check_level
from emclassify.model_selection.splits._split_audit import holds_images
from emclassify.model_selection.transfer._domain_comparison import DomainComparison
from emclassify.model_selection.transfer._two_sample import (
    auc_interval,
    cross_validated_auc,
    draw_folds,
    exceedance,
    feature_aucs,
    ks_distances,
    relabel,
    standardised_differences,
)
from emclassify.readers._stored_images import StoredImages, is_stored

__all__ = ["compare_domains"]


@validate_params(
    {
        "families": [str, list, tuple],
        "max_images": [Interval(Integral, 2, None, closed="left"), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_permutations": [Interval(Integral, 19, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare_domains(
    domains: Mapping[str, Bunch | ImagesLike],
    *,
    groups: Mapping[str, ArrayLike | None] | None = None,
    families: str | list[str] = "all",
    max_images: int | None = 1000,
    cv: int = 5,
    n_permutations: int = 499,
    confidence_level: float = 0.95,
    n_jobs: int | None = None,
    random_state: RandomStateLike = None,
) -> DomainComparison:
    """Compare two sets of images: whether they differ, how far, and in what.

    Simulated and measured, last year's microscope and this one's, training images and
    those to predict: a model carries over from one set to the other where their images
    look alike. This looks at the features of both. A classifier is trained to tell the
    sets apart, and tested on images that it hasn't seen [1]_: an area under the ROC
    curve (AUC) of 0.5 means that it can't, 1 that no image of one set looks like one
    of the other.

    Parameters
    ----------
    domains : dict of str to Bunch or images
        Two sets by name: what ``make_*`` and ``load_*`` return, or images: arrays,
        lists of images of any sizes, paths, stored images. Labels are not looked at.
    groups : dict of str to array-like of shape (n,), default=None
        By the name of a set, the group (micrograph, grid, patient) of each of its
        images. Default: those of a Bunch; images of other sets count as independent of
        each other. A 3 in one set and a 3 in the other are two groups.
    families : {"all", "thesis"} or list of str, default="all"
        Features to compare, as for
        `FeatureExtractor <emclassify.features.FeatureExtractor>`.
    max_images : int, default=1000
        Of a larger set, so many are drawn at random: twice 1,000 images of 28×28 px
        take 25 s on one core. None compares all; time and memory grow with the square
        of their number.
    cv : int, default=5
        Folds, at most; fewer where a set has not two groups for each. Groups stay
        whole.
    n_permutations : int, default=499
        How often groups are exchanged between the sets for the p-values.
    confidence_level : float, default=0.95
        Coverage of the interval.
    n_jobs : int, default=None
        Number of threads that share the images when features are computed; None is 1,
        -1 is all cores.
    random_state : int, RandomState instance or None, default=None
        Which images are drawn, the folds and the permutations.

    Returns
    -------
    DomainComparison
        The AUC with its interval and p-value, tables of features and of families, a
        score of each image, and a plot.

    Raises
    ------
    TypeError
        If `domains` is no dict of two sets of images.
    ValueError
        If the sets have other channels or grey scales, a set has fewer than two groups
        or images, or `groups` don't fit. The message names the set.

    See Also
    --------
    transfer_matrix : What a classifier trained on one set does on the other.

    Notes
    -----
    The classifier is kernel ridge regression with a radial kernel on scaled features,
    which finds differences in spread and in combinations too. Pairs of images are
    compared within folds only.

    p-values come from permutations of whole groups between the sets, within folds. If
    the groups of both sets are drawn alike, p is at most 0.05 in at most 5 % of
    comparisons, also where images of a group are alike. Simulated 1,000 times (15 and
    10 groups of 2 to 12 images, half of the variance between groups), it was so in
    5.8 % of comparisons of equal sets, for families in 4.1 % and for features in
    4.6 %; with images taken as independent in 36 %. The p-values of families and of
    features hold for all of them together (Westfall and Young). With few groups no
    p-value can be small: 3 and 3 can be exchanged in 12 ways. If one set has groups and
    the other has none, the test is a cautious one.

    The interval of the AUC comes from the variance between groups that the classifier
    has not seen, not from that of training it on others. In 150 simulations each of
    eight cases (true AUC from 0.5 to 1, 15 and 10 or 40 and 30 groups), it held the
    mean AUC in 89 to 100 % where 95 % was asked.

    With many images, any difference is found. How far the sets are apart is the AUC's
    to say, not the p-value's. And sets may differ in what no feature here measures.

    Features are computed of each image in its own size. Sets of images of other sizes
    differ at least in that; bring them to one first
    (`ResizeImages <emclassify.preprocessing.ResizeImages>`) where it should not count.

    References
    ----------
    .. [1] D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR
       2017.

    Examples
    --------
    >>> from emclassify import make_diffraction_patterns
    >>> from emclassify.model_selection import compare_domains
    >>> size = {"n_samples": 40, "image_size": 48, "q_max": 0.05}
    >>> result = compare_domains(
    ...     {
    ...         "ideal": make_diffraction_patterns(random_state=0, **size),
    ...         "dim": make_diffraction_patterns(
    ...             random_state=1, fluence=(1e10, 2e10), **size
    ...         ),
    ...     },
    ...     families=["histogram", "signal_to_noise"],
    ...     n_permutations=99,
    ...     random_state=0,
    ... )
    >>> print(result)
    Images: 40 of ideal in 10 groups and 40 of dim in 10 groups.
    The sets differ: AUC 0.98 (95 %: 0.63 to 1.00), p = 0.010.
    Most telling families: histogram (0.98), signal_to_noise (0.86).
    Most different features: grey_quantile25, structure_to_noise.
    """
    check_level(confidence_level)
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    names, sets, of_groups = _check_domains(domains, groups)
    drawn, units, images = [], [], []
    for name, X, own in zip(names, sets, of_groups, strict=True):
        n = _count(X, name)
        rows = np.arange(n)
        if max_images is not None and n > max_images:
            rows = np.sort(rng.choice(n, max_images, replace=False))
        labels = np.arange(n) if own is None else _check_groups(own, n, name)
        codes = np.unique(labels[rows], return_inverse=True)[1]
        if codes.max() < 1:
            raise ValueError(
                f"Domain {name!r} has {len(rows)} image(s) in 1 group: two groups are "
                "the least to compare."
            )
        drawn.append(rows)
        units.append(codes)
        images.append(_read(X, rows, name))
    _refuse_unlike(names, images)
    values, columns = _features(images, families, n_jobs)
    second = np.repeat([False, True], [len(rows) for rows in drawn])
    units = np.concatenate([units[0], units[0].max() + 1 + units[1]])
    folds = draw_folds(rng, second, units, cv)
    labels = relabel(rng, second, units, folds, n_permutations)

    auc, scores = _tell_apart(values, labels, folds)
    low, high = auc_interval(scores, second, units, folds, confidence_level)
    by_family = {
        family: _tell_apart(values[:, columns["family"] == family], labels, folds)[0]
        for family in columns["family"].unique()
    }
    return DomainComparison(
        names=names,
        images=sets,
        rows=drawn,
        groups=[
            None if own is None else np.asarray(own)[rows]
            for own, rows in zip(of_groups, drawn, strict=True)
        ],
        auc=(float(auc[0]), low, high),
        p_value=float(exceedance(auc[np.newaxis])[0]),
        n_permutations=n_permutations,
        confidence_level=confidence_level,
        families=_tabulate_families(columns, by_family),
        features=_tabulate_features(columns, values, second, labels),
        scores=scores,
        values=values,
    )


def _check_domains(domains, groups):
    """Return names, images and groups of the two sets, or raise."""
    is_dict = isinstance(domains, Mapping) and not isinstance(domains, Bunch)
    if not is_dict or len(domains) != 2:
        found = f"{len(domains)} of them" if is_dict else f"{domains!r:.80}"
        raise TypeError(
            "domains must be a dict of two sets, {name: images, name: images}; got "
            f"{found}."
        )
    groups = {} if groups is None else groups
    if not isinstance(groups, Mapping):
        raise TypeError(
            "groups must be a dict from the name of a set to the groups of its images; "
            f"got {groups!r:.80}."
        )
    unknown = [name for name in groups if name not in domains]
    if unknown:
        raise ValueError(
            f"groups names {unknown[0]!r}; the domains are {list(domains)}."
        )
    sets, of_groups = [], []
    for name, domain in domains.items():
        own = groups.get(name)
        if isinstance(domain, Bunch):
            own = domain.get("groups") if own is None else own
            domain = domain["images"] if "images" in domain else domain["data"]
        X = plain_images(domain, f"Domain {name!r}")
        if not holds_images(X):
            raise TypeError(
                f"Domain {name!r} must hold images: an array (n, height, width) or "
                "(n, height, width, channels), a list of images, paths, or a Bunch "
                f"with them; got {domain!r:.80}."
            )
        sets.append(X)
        of_groups.append(own)
    return [str(name) for name in domains], sets, of_groups


def _count(X, name):
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    if n < 2:
        raise ValueError(f"Domain {name!r} has {n} image(s); two are the least.")
    return n


def _check_groups(groups, n, name):
    try:
        return check_groups(groups, n)
    except ValueError as error:
        raise ValueError(f"Domain {name!r}: {error}") from error


def _read(X, rows, name) -> list[NDArray[Any]]:
    """Return the images at some rows, each an array (height, width, channels)."""
    try:
        if is_stored(X):
            if not hasattr(X, "shape") or getattr(X, "ndim", 4) == 1:
                return list(StoredImages([X[row] for row in rows], check_images))
            return list(StoredImages(X, check_images)[rows])
        if is_sequence_of_images(X):
            return check_each_image([X[row] for row in rows])
        return list(check_images(np.asarray(X[rows])))
    except ValueError as error:
        raise ValueError(f"Domain {name!r}: {error}") from error


def _refuse_unlike(names, images):
    """Raise if the sets have other channels or grey scales."""
    channels = [own[0].shape[-1] for own in images]
    if channels[0] != channels[1]:
        raise ValueError(
            f"Domain {names[0]!r} has images of {channels[0]} channel(s), domain "
            f"{names[1]!r} of {channels[1]}: bring both to the same."
        )
    scales = [grey_scale_of(own) for own in images]
    if scales[0].clashes_with(scales[1]):
        raise ValueError(
            f"Domain {names[0]!r} is {scales[0]}, domain {names[1]!r} is {scales[1]}: "
            "bring both to one type and scale, or nothing else will be seen."
        )


def _features(images, families, n_jobs):
    """Return features (n, k) of both sets, and a table of their names and families."""
    from emclassify.features import FeatureExtractor
    from emclassify.features._feature_extractor import check_families

    everything = [image for own in images for image in own]
    where = {}
    for i, image in enumerate(everything):
        where.setdefault((image.shape, image.dtype), []).append(i)
    extractor = FeatureExtractor(families, n_jobs=n_jobs)
    values = None
    for rows in where.values():
        stack = np.stack([everything[i] for i in rows])
        found = extractor.fit_transform(stack)
        if values is None:
            values = np.empty((len(everything), found.shape[1]))
        values[rows] = found
    columns = []
    for family in check_families(families):
        of_family = FeatureExtractor([family]).fit(stack[:1])
        columns += [(name, family) for name in of_family.get_feature_names_out()]
    return values, pd.DataFrame(columns, columns=["feature", "family"])


def _tell_apart(values, labels, folds):
    from emclassify.baselines import ClippedScaler

    # Scaled over both sets together: what it learns does not depend on the labels.
    scaled = ClippedScaler(unit_variance="sample").fit_transform(values)
    return cross_validated_auc(scaled, labels, folds)


def _tabulate_families(columns, by_family):
    """Return a row a family, those that tell the sets apart best first."""
    aucs = np.stack(list(by_family.values()))
    table = pd.DataFrame(
        {
            "family": list(by_family),
            "n_features": columns["family"].value_counts()[list(by_family)].to_numpy(),
            "auc": aucs[:, 0],
            "p_value": exceedance(aucs),
        }
    )
    return table.sort_values("auc", ascending=False, ignore_index=True, kind="stable")


def _tabulate_features(columns, values, second, labels):
    """Return a row a feature, the most different first."""
    aucs = feature_aucs(values, labels)
    table = columns.assign(
        difference=standardised_differences(values, second),
        ks=ks_distances(values, second),
        auc=aucs[:, 0],
        p_value=exceedance(np.abs(aucs - 0.5)),
    )
    order = np.lexsort((-np.abs(aucs[:, 0] - 0.5), -table["ks"].to_numpy()))
    return table.iloc[order]
