"""Every public estimator passes every check: scikit-learn's and our own."""

import importlib
import inspect
import pkgutil

import pytest
from image_checks import IMAGE_CHECKS, check_other_size_refused
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

import emclassify
from emclassify.classifiers import CNNClassifier, LipNetClassifier
from emclassify.preprocessing import ResizeImages

# Where the defaults are too slow or too small for thirty one-pixel samples. The high
# rate is for the check on class weights: few batches have to overrule 99 % of them.
QUICK = {"max_epochs": 20, "batch_size": 16, "lr": 0.03}
SETTINGS = {
    CNNClassifier: QUICK,
    LipNetClassifier: QUICK,
    ResizeImages: {"output_shape": (4, 4)},
}
# Takes images of any size after fit: that is what it is for.
ANY_SIZE = {ResizeImages}


def public_estimators():
    """All estimator classes in the rooms' `__all__`."""
    found = set()
    for room in pkgutil.iter_modules(emclassify.__path__):
        if room.name.startswith("_"):
            continue
        module = importlib.import_module(f"emclassify.{room.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if (
                inspect.isclass(thing)
                and issubclass(thing, BaseEstimator)
                and not inspect.isabstract(thing)
            ):
                found.add(thing)
    return sorted(found, key=lambda cls: cls.__name__)


ESTIMATORS = [cls(**SETTINGS.get(cls, {})) for cls in public_estimators()]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: {})
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", IMAGE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_image_checks(estimator, check):
    if check is check_other_size_refused and type(estimator) in ANY_SIZE:
        return
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_checks_run_at_all(estimator):
    # With the tag off, scikit-learn's checks pass because they don't run.
    tags = estimator.__sklearn_tags__()
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.no_validation
    assert not tags.non_deterministic


def test_all_names_exist():
    for name in emclassify.__all__:
        assert getattr(emclassify, name) is not None
