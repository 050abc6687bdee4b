"""The classes and functions that a file may name, and their names.

Nothing is imported but the rooms listed here, and nothing else in them is taken.
"""

import importlib
import inspect
import pkgutil
from dataclasses import is_dataclass
from typing import Any

import numpy
from sklearn.base import BaseEstimator

import emclassify

__all__ = [
    "FOLDERS",
    "find_class",
    "find_named",
    "full_name",
    "name_class",
    "name_named",
]

_ROOMS = {
    "sklearn": (
        "calibration cluster compose covariance cross_decomposition decomposition "
        "discriminant_analysis dummy ensemble feature_extraction feature_selection "
        "frozen gaussian_process impute isotonic kernel_approximation kernel_ridge "
        "linear_model manifold mixture model_selection multiclass multioutput "
        "naive_bayes neighbors neural_network pipeline preprocessing "
        "random_projection semi_supervised svm tree"
    ),
    "imblearn": "combine ensemble over_sampling pipeline under_sampling",
}
_ROOMS = {package: frozenset(rooms.split()) for package, rooms in _ROOMS.items()}
_ROOMS["emclassify"] = frozenset(
    room.name for room in pkgutil.iter_modules(emclassify.__path__) if room.ispkg
)
# Parameters that name a folder, which on another machine may be anybody's: what lies
# there is read when a model is fitted again. They are neither kept nor taken.
FOLDERS = ("checkpoint_dir", "memory")
# No estimators, but inside fitted ones.
_PARTS = {"sklearn.calibration._CalibratedClassifier"}
# Functions and classes that are values of parameters: name in the file, where each is
# today.
_FUNCTIONS = {
    "emclassify.sampling.generate_liposomes": (
        "emclassify.sampling._generate_liposomes.generate_liposomes"
    ),
    "emclassify.classifiers.published_decay": (
        "emclassify.training._schedules.published_decay"
    ),
    "emclassify.classifiers.momentum_sgd": (
        "emclassify.classifiers._offsample._MomentumSGD"
    ),
}


# What scikit-learn's selectors of features rank them by.
_RANKS = {"chi2", "f_classif", "mutual_info_classif"}


def full_name(thing: Any) -> str:
    """Return the full name of a class or function, wherever it comes from."""
    return f"{thing.__module__}.{thing.__qualname__}"


def name_class(cls: type) -> str | None:
    """Return the name of a known class of estimators, of a part of one, or None."""
    package, _, rest = cls.__module__.partition(".")
    name = f"{package}.{rest.partition('.')[0]}.{cls.__name__}"
    return name if find_class(name) is cls else None


def find_class(name: str) -> type | None:
    """Return the known class of that name, or None.

    Estimators of emclassify, scikit-learn and imbalanced-learn, and the public data
    classes of emclassify.
    """
    package, _, rest = name.partition(".")
    room, _, attribute = rest.partition(".")
    if room not in _ROOMS.get(package, ()):
        return None
    module = importlib.import_module(f"{package}.{room}")
    if package == "emclassify" and attribute not in module.__all__:
        return None
    found = getattr(module, attribute, None)
    if not inspect.isclass(found) or not found.__module__.startswith(f"{package}."):
        return None
    if name in _PARTS or issubclass(found, BaseEstimator):
        return found
    return found if package == "emclassify" and is_dataclass(found) else None


def name_named(thing: Any) -> str | None:
    """Return the name of a known class or function that is a value, or None."""
    if isinstance(thing, numpy.ufunc):
        name = f"numpy.{thing.__name__}"
        return name if find_named(name) is thing else None
    for name, place in _FUNCTIONS.items():
        if full_name(thing) == place:
            return name
    package, _, rest = thing.__module__.partition(".")
    if package == "torch":
        name = f"torch.optim.{thing.__name__}"
    else:
        name = f"{package}.{rest.partition('.')[0]}.{thing.__name__}"
    return name if find_named(name) is thing else None


def find_named(name: str) -> Any:
    """Return the known class or function of that name, or None.

    Networks and augmentations of emclassify, torch's optimizers, numpy's ufuncs, what
    scikit-learn ranks features by, and a few functions. They are called when the
    network is built or trained.
    """
    if name in _FUNCTIONS:
        module, _, attribute = _FUNCTIONS[name].rpartition(".")
        return getattr(importlib.import_module(module), attribute)
    room, _, attribute = name.rpartition(".")
    if room == "numpy":
        found = getattr(numpy, attribute, None)
        return found if isinstance(found, numpy.ufunc) else None
    if room == "sklearn.feature_selection" and attribute in _RANKS:
        return getattr(importlib.import_module(room), attribute)
    if room not in ("emclassify.nets", "emclassify.training", "torch.optim"):
        return None
    import torch

    found = getattr(importlib.import_module(room), attribute, None)
    kind = torch.optim.Optimizer if room == "torch.optim" else torch.nn.Module
    return found if inspect.isclass(found) and issubclass(found, kind) else None
