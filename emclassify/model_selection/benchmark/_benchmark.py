"""Models against each other on the same folds."""

import contextlib
import platform
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from numbers import Real
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import delayed

from emclassify._fit_params import add_groups, warn_lost_groups
from emclassify._groups import check_groups
from emclassify._incoming import plain_images
from emclassify._typing import (
    CrossValidation,
    Estimator,
    ImagesLike,
    RandomStateLike,
    ScoringLike,
)
from emclassify._version import __version__
from emclassify.metrics._bootstrap import check_level
from emclassify.metrics._targets import OneLabel, SeveralLabels, all_classes, as_target
from emclassify.model_selection.benchmark._fold_cache import FoldCache, run_kept_fold
from emclassify.model_selection.benchmark._prepare import prepare_models
from emclassify.model_selection.benchmark._repeats import (
    check_repeats,
    new_seeds,
    repeat_folds,
)
from emclassify.model_selection.benchmark._result import BenchmarkResult
from emclassify.model_selection.benchmark._tuning import check_tune
from emclassify.model_selection.running._scoring import check_scorers
from emclassify.model_selection.running._tasks import run_tasks
from emclassify.model_selection.splits._folds import check_folds
from emclassify.model_selection.splits._near_duplicates import find_duplicates
from emclassify.model_selection.splits._split_audit import SplitAudit, holds_images

__all__ = ["benchmark_classifiers"]


def benchmark_classifiers(
    estimators: Mapping[str, Estimator] | Sequence[tuple[str, Estimator]],
    X: ImagesLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    cv: CrossValidation = 5,
    scoring: ScoringLike = None,
    target_names: Sequence[str] | None = None,
    fit_params: Mapping[str, Mapping[str, Any]] | None = None,
    on_missing_class: Literal["raise", "warn"] = "raise",
    n_bootstrap: int = 2000,
    confidence_level: float = 0.95,
    random_state: RandomStateLike = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    return_estimators: bool = False,
    error_score: Literal["raise"] | float = "raise",
    audit: bool = True,
    cache_dir: str | PathLike[str] | None = None,
    time_limit: float | None = None,
    tune: bool | Mapping[str, Any] | None = None,
    n_repeats: int = 1,
) -> BenchmarkResult:
    """Compare classifiers honestly: same folds, groups kept apart, every class shown.

    Every estimator is cloned and fitted on the training side of every fold, and
    predicts its test side. From these out-of-fold predictions come the figures of
    each class with intervals that allow for groups; from the scores of the folds, a
    paired test that allows for the overlap of training sides.

    Parameters
    ----------
    estimators : dict of str to classifier, or list of (str, classifier)
        The models and their names. Pipelines and searches such as
        :class:`~sklearn.model_selection.GridSearchCV` are welcome: what they tune,
        they tune inside the training side.
    X : array-like of n_samples images or feature rows
        Images (n, h, w) or (n, h, w, c), flat rows, lists or object arrays of
        images, paths: whatever the estimators take. Kept in the result by
        reference, for the pictures of the report.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Class labels, numbers or strings; or several labels a sample, as an indicator
        matrix of 0 and 1.
    groups : array-like of shape (n_samples,), default=None
        Group of each sample (micrograph, grid, patient). No group may lie on both
        sides of a fold. Handed to whatever takes ``groups`` in fit: an estimator, the
        last step of a pipeline (cut and repeated as its samplers do to the rows), a
        search for its inner folds, and estimators inside a search or another
        meta-estimator. An estimator whose ``predict`` takes ``groups`` as well gets
        those of the test side there. Where they don't reach a network that holds out
        samples for ``early_stopping``, there is a warning.
    cv : int, splitter or iterable of (train, test), default=5
        A whole number means StratifiedGroupKFold with groups and StratifiedKFold
        without; with several labels a sample, MultilabelStratifiedGroupKFold. The
        folds are drawn once, for all estimators.
    scoring : str, callable, list or dict, default=None
        Scores of each fold on top of the built-in ones, in any form that
        :func:`~sklearn.model_selection.cross_validate` takes. Under a built-in
        name, it takes its place. Checked before any fit. With metadata routing,
        scorers get what they ask for of `fit_params`, cut to the test side.
    target_names : sequence of str, default=None
        Names of the classes, in the order of the sorted labels or of y's columns.
    fit_params : dict of str to dict, default=None
        Arguments of fit by estimator name, as
        ``{"SVM": {"svc__sample_weight": weight}}``. Values with one entry a sample
        are cut to the training side.
    on_missing_class : {"raise", "warn"}, default="raise"
        What to do where the training side of a fold lacks a class. Where the test
        side lacks one, there is a warning, and the class has no score in that fold.
    n_bootstrap : int, default=2000
        Number of bootstrap replicates; with one, averages have no interval.
    confidence_level : float, default=0.95
        Coverage of all intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap, and of the folds of later repeats. Estimators have seeds
        of their own.
    n_jobs : int, default=None
        Fits at a time, (estimator, fold), through joblib; None is 1, -1 is all cores.
    verbose : int, default=0
        1 says on standard error how long networks will take, if it is more than a
        minute, and shows a progress bar; 2 adds a line for each task.
    return_estimators : bool, default=False
        Whether to keep the fitted estimators, in ``fitted``.
    error_score : "raise" or np.nan, default="raise"
        What to do where fitting, predicting or scoring fails. With NaN, a warning: an
        estimator that fails has no score in that fold and is compared on the others;
        a score of `scoring` that fails is NaN there, and the rest is kept.
    audit : bool, default=True
        Whether to look for copies of images on both sides of a fold, if X holds images:
        see :func:`audit_split`. What is found is a warning, and stands in the report.
    cache_dir : str or path-like, default=None
        Folder that keeps each model's predictions on each fold. A benchmark that was
        stopped goes on with the folds that are missing, when it is called again with
        the same data, folds and models. What failed is not kept. Files, behind paths
        or named by an estimator, count by size and time of last change; functions and
        classes of your own by their code, with that of what they call.
    time_limit : float, default=None
        Seconds that the networks may take, all folds together. If a few batches that
        are measured beforehand say that they would take longer, all get fewer epochs,
        by the same factor, and so do grids and distributions of searches; a warning and
        the verdict say what was cut, and a warning what can't be. Folds that
        `cache_dir` keeps are those of the cut networks.
    tune : bool or dict of str to dict or list, default=None
        True gives each model a small search within the training side of each fold, by
        macro F1 on three folds that keep groups together: rate and length of networks,
        C and gamma of machines that have them. A dict has grids by the name of the
        model, as GridSearchCV takes them; models that it doesn't name are not tuned.
        Models that search already stay as they are. What was chosen is in
        ``tuning_table()``. It takes about twelve times as long.
    n_repeats : int, default=1
        How many times all folds are run, so that chance in training is in the verdict
        as well as chance in the folds. Each repeat after the first trains every model
        with another ``random_state``, and draws new folds where `cv` is a whole number
        or a splitter that shuffles. Where it doesn't (GroupKFold, folds given), the
        same folds are run again, and the test takes the mean of each.

    Returns
    -------
    BenchmarkResult
        Tables (``summary``, ``overview``, ``to_frame``, ``compare``), the verdict in
        words, confusion matrices, out-of-fold predictions, a plot, an HTML report.

    Raises
    ------
    ValueError
        If a fold tears a group or lacks a class, naming fold and group or class; if
        `scoring` names no metric, or a metric that is not for such a y.

    Notes
    -----
    Built-in scores are "accuracy", "balanced_accuracy", and "TPR", "TNR", "PPV",
    "NPV", "F1" followed by "_macro", "_weighted", "_micro" or "_<class>".

    With several labels a sample, each label is a class, its figures those of "has it"
    against "hasn't". "accuracy" is the share of samples with every label right. There
    is no confusion matrix across labels, in plot and report neither.

    A class that a model never predicts has a PPV of 0. Intervals are of the pooled
    out-of-fold predictions: of the figures of a class, those of shares of samples that
    come in groups; of averages and differences, from a bootstrap that draws whole
    groups (samples, where there are no groups), with Student's t. NaN where there is a
    single group. They tell how far the figures of these models would move on other
    groups of the same kind; not how far models would move that were trained on other
    data.

    Networks that say they were not trained enough (`converged_`) are counted: a
    ConvergenceWarning, the table and the verdict say in how many folds, and a lead over
    such a model is not called more than noise.

    See Also
    --------
    corrected_resampled_ttest : The test between two models.
    check_folds : The checks of the folds.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.model_selection import benchmark_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> result = benchmark_classifiers(
    ...     {"Bayes": GaussianNB(), "majority": DummyClassifier()},
    ...     X,
    ...     y,
    ...     target_names=["setosa", "versicolor", "virginica"],
    ...     random_state=0,
    ... )
    >>> result.confusion_matrix("Bayes")
    predicted   setosa  versicolor  virginica
    true
    setosa          50           0          0
    versicolor       0          47          3
    virginica        0           4         46
    >>> result.overview()["F1_macro"].round(3)
    estimator
    Bayes       0.953
    majority    0.167
    Name: F1_macro, dtype: float64
    """
    estimators = _check_estimators(estimators)
    X, y, target = _check_data(X, y, target_names)
    groups = check_groups(groups, len(y))
    fit_params = _check_fit_params(fit_params, estimators)
    _check_settings(n_bootstrap, confidence_level, error_score, time_limit)
    check_repeats(n_repeats)
    check_tune(tune, estimators)
    check_scorers(
        estimators, scoring, X, y, target.classes, try_out=error_score == "raise"
    )
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    splitter, folds, repeats = repeat_folds(
        cv, X, y, groups, n_repeats=n_repeats, seed=seed
    )
    fold_table = check_folds(y, folds, groups=groups, on_missing_class=on_missing_class)
    cache = None
    if cache_dir is not None:
        if return_estimators:
            raise ValueError("return_estimators: cache_dir keeps no fitted models.")
        cache = FoldCache(cache_dir, X, (y, scoring, _versions()))
    estimators, cut = prepare_models(
        estimators,
        X,
        y,
        groups,
        folds,
        fit_params,
        n_jobs,
        verbose,
        time_limit,
        tune,
        cache,
    )
    if groups is not None:
        for name, estimator in estimators.items():
            warn_lost_groups(name, estimator, fit_params[name])
            fit_params[name] = add_groups(fit_params[name], estimator, groups)
    settings = {
        "scoring": scoring,
        "error_score": error_score,
        "return_estimators": return_estimators,
    }
    started = datetime.now().astimezone()
    start = time.perf_counter()
    audited = _audit(X, groups, folds, verbose) if audit else None
    models = [
        {name: new_seeds(estimator, repeat) for name, estimator in estimators.items()}
        for repeat in range(n_repeats)
    ]
    tasks = [
        delayed(run_kept_fold)(
            None
            if cache is None
            else cache.path(
                estimator,
                train,
                test,
                fit_params[name],
                len(y),
                (name, int(repeats[fold])),
            ),
            name,
            estimator,
            fold,
            X,
            y,
            target,
            train,
            test,
            settings=settings,
            fit_params=fit_params[name],
        )
        for fold, (train, test) in enumerate(folds)
        for name, estimator in models[repeats[fold]].items()
    ]
    outcomes = run_tasks(
        tasks,
        n_jobs=n_jobs,
        verbose=verbose,
        name="benchmark",
        describe=lambda outcome: _describe(outcome, y, folds, target),
    )
    if all(outcome.predicted is None for outcome in outcomes):
        raise ValueError(f"Every fit failed; the first with {outcomes[0].error}")
    result = BenchmarkResult(
        estimators={name: clone(est) for name, est in estimators.items()},
        X=X,
        y=y,
        target=target,
        groups=groups,
        folds=folds,
        repeats=repeats,
        fold_table=fold_table,
        audit=audited,
        outcomes={
            name: sorted((o for o in outcomes if o.name == name), key=lambda o: o.fold)
            for name in estimators
        },
        settings={
            "cv": splitter,
            "n_bootstrap": n_bootstrap,
            "confidence_level": confidence_level,
            "random_state": random_state,
            "bootstrap_seed": seed,
            "n_jobs": n_jobs,
            "started": started.isoformat(timespec="seconds"),
            "seconds": time.perf_counter() - start,
            "versions": _versions(),
            "tune": tune,
            "n_repeats": n_repeats,
            "time_limit": time_limit,
            "cut": cut,
        },
    )
    _warn_of_trainings(result)
    return result


def _warn_of_trainings(result):
    """Say once of each model in how many folds it was still learning."""
    learning = [
        f"{name} was {training.still_learning}"
        for name, training in result.trainings.items()
        if training.still_learning
    ]
    if learning:
        warnings.warn(
            f"{'; '.join(learning)}, and may not be trained enough to be compared. "
            "Raise max_epochs; a network that is fitted by itself says more.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _audit(X, groups, folds, verbose):
    """Return what copies do to the folds, or None if X holds no images."""
    if not holds_images(X):
        return None
    audit = SplitAudit(X, find_duplicates(X, verbose=verbose), folds, groups, None)
    if audit.folds["copies"].any():
        warnings.warn(
            f"{' '.join(audit.findings())} Scores are too good by as much as models "
            "remember these images. See `audit` of the result, and its plot().",
            UserWarning,
            stacklevel=3,
        )
    return audit


def _check_estimators(estimators):
    """Return {name: classifier}, or raise."""
    if isinstance(estimators, dict):
        pairs = list(estimators.items())
    elif isinstance(estimators, list | tuple):
        pairs = list(estimators)
    else:
        pairs = None
    if not pairs or not all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)
        for pair in pairs
    ):
        raise TypeError(
            "estimators must be a non-empty {name: classifier} or a list of (name, "
            f"classifier) pairs; got {estimators!r:.80}."
        )
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"Estimator names must differ from each other; got {names}.")
    for name, estimator in pairs:
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise TypeError(
                f"Estimator {name!r} must be an instance with a fit method; got "
                f"{estimator!r:.80}."
            )
        if not is_classifier(estimator):
            raise ValueError(f"Estimator {name!r} is not a classifier: {estimator!r}.")
    return dict(pairs)


def _check_fit_params(fit_params, names):
    """Return {name: params} for every estimator, or raise."""
    fit_params = {} if fit_params is None else fit_params
    if not isinstance(fit_params, dict) or not all(
        isinstance(params, dict) for params in fit_params.values()
    ):
        raise TypeError(
            "fit_params must be {estimator name: {fit parameter: value}}; got "
            f"{fit_params!r:.80}."
        )
    unknown = [name for name in fit_params if name not in names]
    if unknown:
        raise ValueError(
            f"fit_params names {unknown[0]!r}, which is not among the estimators "
            f"{list(names)}."
        )
    return {name: dict(fit_params.get(name, {})) for name in names}


def _check_data(X, y, target_names):
    """Return X, y and what y is, or raise."""
    X, y = plain_images(X), as_target(y)
    check_classification_targets(y)
    X, y = indexable(X, y)
    classes = all_classes(y)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes.tolist()}; a benchmark needs two."
        )
    names = [str(c) for c in (classes if target_names is None else target_names)]
    if len(names) != len(classes):
        raise ValueError(
            f"target_names holds {len(names)} names for {len(classes)} classes: "
            f"{classes.tolist()}."
        )
    labels = [str(c) for c in classes]
    if set(names) == set(labels) and names != labels:
        raise ValueError(
            f"target_names must be in the order of the sorted labels, {labels}; got "
            f"{names}. These labels are their own names: leave target_names out."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"target_names must differ from each other; got {names}.")
    if {"macro", "weighted", "micro"}.intersection(names):
        raise ValueError(
            "A class is called macro, weighted or micro, as the averages are. Give "
            "target_names that differ from these."
        )
    if y.ndim == 2:
        return X, y, SeveralLabels(len(names), names)
    return X, y, OneLabel(classes, names)


def _check_settings(n_bootstrap, confidence_level, error_score, time_limit):
    """Raise on numbers out of range."""
    if time_limit is not None and not (
        isinstance(time_limit, Real) and 0 < time_limit < np.inf
    ):
        raise ValueError(
            f"time_limit must be a positive number of seconds; got {time_limit!r}."
        )
    if not isinstance(n_bootstrap, int | np.integer) or n_bootstrap < 1:
        raise ValueError(f"n_bootstrap must be at least 1; got {n_bootstrap!r}.")
    check_level(confidence_level)
    is_nan = isinstance(error_score, float) and np.isnan(error_score)
    if not (is_nan or (isinstance(error_score, str) and error_score == "raise")):
        raise ValueError(f'error_score must be "raise" or np.nan; got {error_score!r}.')


def _describe(outcome, y, folds, target):
    """Return one line of progress."""
    head = f"{outcome.name}, fold {outcome.fold}"
    if outcome.predicted is None:
        return f"{head}: failed"
    truth = target.codes(y[folds[outcome.fold][1]])
    balanced = target.pooled_scores(truth, outcome.predicted)["balanced_accuracy"]
    return (
        f"{head}: balanced accuracy {balanced:.3f}, fit {outcome.fit_time:.1f} s, "
        f"predict {outcome.predict_time:.1f} s"
    )


def _versions():
    """Versions of the software that a result depends on, as far as installed."""
    versions = {"emclassify": __version__, "Python": platform.python_version()}
    for package in (
        "scikit-learn",
        "imbalanced-learn",
        "numpy",
        "scipy",
        "scikit-image",
        "torch",
        "skorch",
    ):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions
