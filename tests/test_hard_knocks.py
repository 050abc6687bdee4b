"""Whatever is thrown at a public object: a result, or an error of ours that says why.

`KNOCKS` cases an object, from hypothesis; over ten thousand in all. An error is ours
if it is of a kind that callers expect, is raised by our code or by scikit-learn's own
validation, and speaks of a parameter by its name. Inputs stay as they were.
"""

import copy
import inspect
import re
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from odd_inputs import odd_images, odd_labels
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from test_common import ESTIMATORS, OF_TABLES

import emclassify
from emclassify import metrics, model_selection, prediction

KNOCKS = 200
EXPECTED = (ValueError, TypeError, ImportError, FileNotFoundError)
OURS = Path(emclassify.__file__).parent
# Their validation is ours: it speaks of X and y.
LENT = ("sklearn", "imblearn", "pandas")
NAMES = re.compile(
    r"\b(X|y|images?|labels?|class(es)?|samples?|features?|groups|targets?|input|array|"
    r"y_true|y_pred|y_score|estimator|Complex data)\b|_"
)


def frozen(thing):
    """Return a copy to compare with later."""
    return copy.deepcopy(thing) if not isinstance(thing, memoryview) else bytes(thing)


def same(a, b):
    """Whether a thing is as it was."""
    if isinstance(a, memoryview):
        return bytes(a) == b
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, pd.DataFrame | pd.Series):
        return a.equals(b)
    if sparse.issparse(a):
        return (abs(a - b) > 0).nnz == 0
    if isinstance(a, np.ndarray):
        if a.dtype == object:
            return a.shape == b.shape and all(map(same, a.flat, b.flat))
        return a.tobytes() == b.tobytes()
    return a is b or a == b or (a != a and b != b)


def judge(error, names):
    """Return what is wrong with an error, or None."""
    if not isinstance(error, EXPECTED):
        return f"{type(error).__name__} is not an error to expect"
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    lent = any(f"site-packages/{package}/" in last for package in LENT)
    if not (lent or Path(last).is_relative_to(OURS)):
        return f"raised within {last}"
    # Of imbalanced-learn, what is wrong with sampling_strategy is in its own words.
    if "site-packages/imblearn/" not in last and not names.search(str(error)):
        return "names no parameter"
    return None


def knock(call, *given, names=NAMES):
    """Call, and judge what comes of it; return the result, or None after an error."""
    before = [frozen(thing) for thing in given]
    result = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", module="sklearn")
        try:
            result = call(*given)
        except Exception as error:
            complaint = judge(error, names)
            if complaint is not None:
                raise AssertionError(f"{complaint}: {error!r}") from error
    for thing, was in zip(given, before, strict=True):
        assert same(thing, was), "an input was changed"
    return result


def length(X):
    """Return the number of samples of anything."""
    shape = getattr(X, "shape", None)
    if shape is not None:
        return shape[0] if shape else 0
    return len(X) if hasattr(X, "__len__") else 0


def hard(n_cases):
    """Return hypothesis's settings for a number of cases."""
    return settings(
        max_examples=n_cases,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


def quick(estimator):
    """Return a clone that trains for one epoch only, its parts too."""
    estimator = clone(estimator)
    given = estimator.get_params()
    short = {name: 1 for name in given if name.rpartition("__")[2] == "max_epochs"}
    return estimator.set_params(**short)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_estimators(estimator):
    estimator = quick(estimator)
    methods = ("predict", "predict_proba", "decision_function", "transform")

    @hard(KNOCKS)
    @given(data=st.data())
    def throw(data):
        X = data.draw(odd_images(), label="X")
        y = data.draw(odd_labels(length(X)), label="y")
        if hasattr(estimator, "fit_resample"):
            knock(clone(estimator).fit_resample, X, y)
            return
        model = clone(estimator)
        if knock(model.fit, X, y) is None:
            return
        other = (
            X if data.draw(st.booleans()) else data.draw(odd_images(), label="other")
        )
        for method in methods:
            if hasattr(model, method):
                result = knock(getattr(model, method), other)
                assert result is None or length(result) == length(other)

    throw()


def functions():
    """Yield (name, function of images and labels)."""
    dummy = DummyClassifier()
    yield "find_duplicates", lambda X, y: model_selection.find_duplicates(X)
    yield "audit_split", lambda X, y: model_selection.audit_split(X, cv=2, y=y)
    yield "audit_split by group", lambda X, y: model_selection.audit_split(X, y, cv=2)
    yield (
        "benchmark_classifiers",
        lambda X, y: model_selection.benchmark_classifiers(
            {"most frequent": dummy}, X, y, cv=2, n_bootstrap=10
        ),
    )
    yield (
        "transfer_matrix",
        lambda X, y: model_selection.transfer_matrix(
            dummy, {"a": (X, y), "b": (X, y)}, cv=2
        ),
    )
    yield "check_folds", lambda X, y: model_selection.check_folds(y, [([0], [1])])
    yield (
        "MultilabelStratifiedGroupKFold",
        lambda X, y: list(
            model_selection.MultilabelStratifiedGroupKFold(2).split(X, y)
        ),
    )
    yield (
        "predict_table",
        lambda X, y: prediction.predict_table(dummy.fit(np.zeros((2, 1)), [0, 1]), X),
    )
    yield "per_class_scores", lambda X, y: metrics.per_class_scores(y, y)
    yield "per_class_scores of X", lambda X, y: metrics.per_class_scores(y, X)
    yield (
        "negative_predictive_value_score",
        lambda X, y: metrics.negative_predictive_value_score(y, y),
    )
    yield (
        "operating_point",
        lambda X, y: metrics.operating_point(y, np.arange(length(y)), max_fpr=0.1),
    )
    yield (
        "precision_at_recall",
        lambda X, y: metrics.precision_at_recall(y, X, min_recall=0.5),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "function"), list(functions()), ids=lambda x: str(x)[:30]
)
def test_functions(name, function):
    @hard(KNOCKS)
    @given(data=st.data())
    def throw(data):
        X = data.draw(odd_images(), label="X")
        y = data.draw(odd_labels(length(X)), label="y")
        knock(function, X, y)

    throw()


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_parameters(estimator):
    """Odd parameters are refused by name in fit, or work."""
    values = st.sampled_from(
        [None, -1, 0, 1, 2.5, np.nan, np.inf, "", "nonsense", [], (), {}, b"x", True]
    )
    X = np.random.default_rng(0).normal(100, 30, size=(12, 6, 6))
    if type(estimator) in OF_TABLES:
        X = X.reshape(12, 36)
    y = np.arange(12) % 2
    names = sorted(inspect.signature(type(estimator)).parameters)

    @hard(KNOCKS // 4)
    @given(name=st.sampled_from(names), value=values)
    def throw(name, value):
        model = quick(estimator)
        if name == "max_epochs" and isinstance(value, int | bool) and value > 0:
            return
        model.set_params(**{name: value})
        fit = getattr(model, "fit_resample", model.fit)
        try:
            knock(fit, X, y, names=re.compile(rf"\b{name}\b"))
        except AssertionError as complaint:
            raise AssertionError(f"{name}={value!r}: {complaint}") from complaint

    throw()


def test_the_judge_tells_ours_from_others():
    def of_numpy(X):
        return np.stack([np.zeros(2), np.zeros(3)])

    def of_torch(X):
        import torch

        return torch.nn.Linear(2, 2)(torch.zeros(3))

    def changes(X):
        X += 1

    X = np.zeros(3)
    with pytest.raises(AssertionError, match="raised within"):
        knock(of_numpy, X)
    with pytest.raises(AssertionError, match="RuntimeError is not"):
        knock(of_torch, X)
    with pytest.raises(AssertionError, match="input was changed"):
        knock(changes, X)
    assert knock(emclassify.LipNetClassifier().fit, X, X) is None
