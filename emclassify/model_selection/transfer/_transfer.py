"""transfer_matrix: trained on one domain, tested on the others."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch, check_random_state, column_or_1d, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import delayed
from sklearn.utils.validation import _check_pos_label_consistency

from emclassify._fit_params import add_groups, fit_with, warn_lost_groups
from emclassify._groups import check_groups
from emclassify._incoming import plain_images, plain_labels
from emclassify._quiet_convergence import quiet_convergence
from emclassify._typing import CrossValidation, Estimator, RandomStateLike
from emclassify.metrics._bootstrap import check_level
from emclassify.metrics._targets import OneLabel
from emclassify.model_selection.running._run_fold import run_fold
from emclassify.model_selection.running._tasks import run_tasks
from emclassify.model_selection.running._trainings import tell_trainings
from emclassify.model_selection.splits._folds import check_training_sides, make_folds
from emclassify.model_selection.transfer._transfer_result import TransferMatrixResult

__all__ = ["transfer_matrix"]


@dataclass(frozen=True)
class Domain:
    """Samples of one kind."""

    X: object
    y: np.ndarray
    groups: np.ndarray | None


def transfer_matrix(
    estimator: Estimator,
    domains: Mapping[str, Bunch | tuple[Any, ...]],
    *,
    train_on: str | Sequence[str] | None = None,
    cv: CrossValidation = 5,
    pos_label: float | str | None = None,
    confidence_level: float = 0.95,
    random_state: RandomStateLike = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> TransferMatrixResult:
    """Train a classifier on each domain, and test it on all of them.

    How a classifier does on samples unlike those it was trained on: other particle
    shapes, other noise, simulated against measured. For each domain trained on, clones
    of `estimator` are fitted on the training sides of its folds and predict the test
    sides; one more is fitted on all of it and predicts the other domains.

    Parameters
    ----------
    estimator : classifier or Pipeline
    domains : dict of str to Bunch, (X, y) or (X, y, groups)
        Samples by name of the domain: what ``make_*`` and ``load_*`` return, or images
        (whatever the estimator takes), labels and groups. All have the same classes.
    train_on : str or list of str, default=None
        Domains to train on; all by default.
    cv : int or splitter, default=5
        Folds within a domain. A whole number means StratifiedGroupKFold where the
        domain has groups and StratifiedKFold where it has none. No group may lie on
        both sides of a fold.
    pos_label : int, str or None, default=None
        With two classes, the positive one, whose false negatives and false positives
        are counted; None is 1 for labels in {0, 1} or {-1, 1}.
    confidence_level : float, default=0.95
        Coverage of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap of macro F1; the other intervals need none.
    n_jobs : int, default=None
        Fits at a time, through joblib; None is 1, -1 is all cores.
    verbose : int, default=0
        1 shows a progress bar on standard error; 2 adds a line for each fit.

    Returns
    -------
    TransferMatrixResult
        Table, matrices, confusion matrices, a plot. Of two classes: accuracy,
        FNR (false-negative rate) and FPR (false-positive rate). Of more: accuracy and
        F1_macro.

    Warns
    -----
    ConvergenceWarning
        If networks were not trained enough: once, with their number for each domain.

    Raises
    ------
    ValueError
        If a domain has one class only, or other classes than the rest, or a fold tears
        a group, or the estimator fails; the message or its note names the domain.

    Notes
    -----
    The models of the diagonal have seen less of their domain, (k - 1)/k of it with k
    folds, than the one that is tested on the others.

    Groups are those of one domain: a 3 in one and a 3 in another are two groups. Where
    domains are versions of the same samples (the same particles with more noise, say),
    a model is tested on particles that it was trained on: simulate others, or compare
    with that in mind.

    See Also
    --------
    benchmark_classifiers : Several models on one domain.
    BoundedThresholdClassifierCV : Few false positives, at a price.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.model_selection import transfer_matrix
    >>> X, y = make_blobs(200, centers=[[0, 0], [4, 0]], random_state=0)
    >>> domains = {"plain": (X, y), "shifted": (X + [2, 0], y)}
    >>> result = transfer_matrix(GaussianNB(), domains)
    >>> result.matrix("FPR").round(2)
    test     plain  shifted
    train
    plain     0.04     0.48
    shifted   0.00     0.04
    """
    is_instance = hasattr(estimator, "fit") and not isinstance(estimator, type)
    if not is_instance or not is_classifier(estimator):
        raise TypeError(f"estimator must be a classifier; got {estimator!r:.80}.")
    if not (cv is None or isinstance(cv, int | np.integer) or hasattr(cv, "split")):
        raise TypeError(
            "cv must be a whole number or a splitter, as it divides each domain; got "
            f"{cv!r:.80}."
        )
    check_level(confidence_level)
    domains = _check_domains(domains)
    trained = _check_train_on(train_on, domains)
    classes = _common_classes(domains)
    positive = _find_positive(pos_label, classes)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    tasks = []
    for name in trained:
        tasks += _tasks_of(estimator, name, domains, OneLabel(classes), cv)
    fits = run_tasks(
        tasks, n_jobs=n_jobs, verbose=verbose, name="transfer", describe=_describe
    )
    _warn_of_trainings(type(estimator).__name__, trained, fits)
    return TransferMatrixResult(
        domains=domains,
        trained=trained,
        classes=classes,
        positive=positive,
        predictions=_collect(cells for cells, _ in fits),
        confidence_level=confidence_level,
        seed=seed,
    )


def _check_domains(domains):
    """Return {name: Domain}, or raise."""
    if not isinstance(domains, dict) or isinstance(domains, Bunch) or not domains:
        raise TypeError(
            "domains must be a non-empty {name: (X, y), (X, y, groups) or Bunch}; got "
            f"{domains!r:.80}."
        )
    checked = {}
    for name, domain in domains.items():
        if isinstance(domain, Bunch):
            X = domain["images"] if "images" in domain else domain["data"]
            parts = X, domain["target"], domain.get("groups")
        elif isinstance(domain, tuple | list) and len(domain) in (2, 3):
            parts = (*domain, None)[:3]
        else:
            raise TypeError(
                f"Domain {name!r} must be (X, y), (X, y, groups) or a Bunch; got "
                f"{domain!r:.80}."
            )
        with _naming(name):
            checked[name] = _check_domain(*parts)
    return checked


def _check_domain(X, y, groups):
    """Return a Domain, or raise."""
    y = column_or_1d(plain_labels(y), warn=True)
    check_classification_targets(y)
    X, y = indexable(plain_images(X), y)
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"its {len(y)} samples are of one class only, {classes.tolist()}: there is "
            "nothing to tell apart."
        )
    return Domain(X, y, check_groups(groups, len(y)))


@contextmanager
def _naming(name):
    """Put the name of a domain before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Domain {name!r}: {error}") from error


def _check_train_on(train_on, domains):
    """Return the names of the domains to train on."""
    if train_on is None:
        return list(domains)
    names = [train_on] if isinstance(train_on, str) else list(dict.fromkeys(train_on))
    unknown = [name for name in names if name not in domains]
    if unknown or not names:
        raise ValueError(
            f"train_on must name domains, which are {list(domains)}; got {train_on!r}."
        )
    return names


def _common_classes(domains):
    """Return the sorted classes that all domains have, or raise."""
    (first, start), *others = domains.items()
    classes = np.unique(start.y)
    for name, domain in others:
        found = np.unique(domain.y)
        if not np.array_equal(found, classes):
            raise ValueError(
                f"Domain {name!r} has the classes {found.tolist()}, domain {first!r} "
                f"has {classes.tolist()}: all must have the same."
            )
    return classes


def _find_positive(pos_label, classes):
    """Return the index of the positive of two classes; None of more."""
    if len(classes) > 2:
        if pos_label is not None:
            raise ValueError(
                f"pos_label={pos_label!r} is for two classes; the domains have "
                f"{len(classes)}: {classes.tolist()}."
            )
        return None
    pos_label = _check_pos_label_consistency(pos_label, classes)
    if pos_label not in classes.tolist():
        raise ValueError(
            f"pos_label={pos_label!r} is not among the classes {classes.tolist()}."
        )
    return classes.tolist().index(pos_label)


def _tasks_of(estimator, name, domains, target, cv):
    """Return the tasks of the fits on one domain."""
    domain = domains[name]
    if domain.groups is not None:
        warn_lost_groups(name, estimator)
    params = add_groups({}, estimator, domain.groups)
    with _naming(name):
        _, folds = make_folds(cv, domain.X, domain.y, domain.groups)
        check_training_sides(domain.y, folds, domain.groups)
    tasks = [
        delayed(_within)(estimator, name, domain, fold, sides, target, params)
        for fold, sides in enumerate(folds)
    ]
    others = {other: domains[other] for other in domains if other != name}
    if others:
        tasks.append(delayed(_across)(estimator, name, domain, others, target, params))
    return tasks


def _within(estimator, name, domain, fold, sides, target, params):
    """Return [(train, test, samples, predicted)] of one fold, and of its training."""
    train, test = sides
    outcome = run_fold(
        f"{type(estimator).__name__} trained on {name}",
        estimator,
        fold,
        domain.X,
        domain.y,
        target,
        train,
        test,
        settings={
            "scoring": None,
            "error_score": "raise",
            "return_estimators": False,
        },
        fit_params=params,
    )
    return [(name, name, test, outcome.predicted)], outcome.training


def _across(estimator, name, domain, others, target, params):
    """Return [(train, test, samples, predicted)] of all others, and of the training."""
    model = f"{type(estimator).__name__} trained on {name}"
    with _naming(name), quiet_convergence():
        fitted = fit_with(clone(estimator), domain.X, domain.y, params)
    cells = []
    for other, tested in others.items():
        with _naming(f"{other}, tested after training on {name}"):
            predicted = target.encode(fitted.predict(tested.X), model)
        cells.append((name, other, np.arange(len(tested.y)), predicted))
    return cells, tell_trainings(fitted)


def _warn_of_trainings(model, trained, fits):
    """Say once how many fits on each domain were not long enough."""
    learning = []
    for name in trained:
        told = [training for cells, training in fits if cells[0][0] == name]
        short = sum(bool(one and one["still_learning"]) for one in told)
        if short:
            learning.append(f"in {short} of {len(told)} trainings on {name}")
    if learning:
        warnings.warn(
            f"{model} was still learning {', '.join(learning)}, and may not be trained "
            "enough to be compared. Raise max_epochs; a network that is fitted by "
            "itself says more.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _describe(fit):
    """Return one line of progress."""
    cells, _ = fit
    name, test, *_ = cells[0]
    return f"{name}, a fold" if test == name else f"{name} to the others"


def _collect(tasks):
    """Return {(train, test): (samples, predicted)}, in the order of samples."""
    parts = {}
    for cells in tasks:
        for train, test, samples, predicted in cells:
            parts.setdefault((train, test), []).append((samples, predicted))
    found = {}
    for pair, of_pair in parts.items():
        samples, predicted = map(np.concatenate, zip(*of_pair, strict=True))
        order = np.argsort(samples, kind="stable")
        found[pair] = samples[order], predicted[order]
    return found
