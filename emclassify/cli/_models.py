"""The models of the command line by name: a new one is a line of `MODELS`."""

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from emclassify.cli._set_parameters import set_parameters

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "MODELS",
    "check_name",
    "default_models",
    "describe_names",
    "make_model",
    "say_what_is_left_out",
    "with_probabilities",
]

_BACKBONE = "tf_efficientnet_lite0"
# Networks that take images of one size, and those that take any.
_NETWORKS = {
    "lipnet4": ("LipNetClassifier", {"depth": 4}),
    "lipnet8": ("LipNetClassifier", {"depth": 8}),
    "resnet": ("ResNetClassifier", {}),
    "offsample": ("OffSampleNetClassifier", {}),
    "fusion": ("FusionClassifier", {}),
}
_ANY_SIZE = {"fully-convolutional": ("FullyConvolutionalClassifier", {})}


def make_model(name: str, args: argparse.Namespace, images: "np.ndarray") -> Any:
    """Return the estimator that a name of --models stands for.

    Parameters
    ----------
    name : str
        As `check_name` takes it.
    args : Namespace
        With the options that `add_training` adds, and the seed.
    images : ndarray
        What it will be fitted on: an object array if they differ in size.

    Returns
    -------
    Pipeline or classifier
        With the parameters that --set gives it.
    """
    model = _make(name, args, images)
    set_parameters(model, name, args.set)
    return model


def check_name(text: str) -> str:
    """Return the name of a model as it is, or raise ValueError.

    Names are those of `MODELS`. After a colon, ``backbone`` and ``svm-backbone`` take
    the name of a network of timm, ``ensemble`` that of another model.
    """
    name, colon, rest = text.partition(":")
    if name not in MODELS or (colon and (not rest or name not in _TAKES_A_NAME)):
        raise ValueError(f"{text!r} is no model; give one of {describe_names()}")
    if name == "ensemble" and colon:
        check_name(rest)
        if rest.partition(":")[0] in ("ensemble", "svm", "svm-linear", "svm-backbone"):
            raise ValueError(f"{text!r}: an ensemble is of networks")
    return text


def describe_names() -> str:
    """Return all names, with what may follow them."""
    names = [f"{name}[:{_TAKES_A_NAME[name]}]" for name in _TAKES_A_NAME]
    return ", ".join([*(name for name in MODELS if name not in _TAKES_A_NAME), *names])


def default_models() -> list[str]:
    """Return the models that are compared if none are named.

    The backbone is among them where its weights are on this machine.
    """
    from emclassify.nets import has_pretrained

    names = ["svm", "lipnet4", "lipnet8"]
    return [*names, "backbone"] if has_pretrained(_BACKBONE) else names


def say_what_is_left_out(names: Sequence[str], remedy: str) -> None:
    """Say on standard error that the backbone is not among the models, and why.

    Parameters
    ----------
    names : list of str
        As `default_models` returns them.
    remedy : str
        The option that takes it in.
    """
    if "backbone" in names:
        return
    print(
        f"emclassify: no pretrained network is among the models, since {_BACKBONE} is "
        f"not on this machine. {remedy} downloads it; that needs the extra "
        "[pretrained].",
        file=sys.stderr,
    )


def with_probabilities(
    model: Any, target: Sequence[Any], groups: "np.ndarray | None" = None
) -> Any:
    """Return a model that gives probabilities: an SVM is calibrated, all else is as is.

    One temperature for all decision values: the labels that the SVM gives stay its own.

    Parameters
    ----------
    model : Pipeline or classifier
        Unfitted.
    target : array-like of shape (n,)
        Labels it will be fitted on; their rarest class says how many folds there are.
    groups : ndarray of shape (n,), default=None
        Of these images; the folds keep them together.

    Warns
    -----
    UserWarning
        If groups leave no folds to calibrate an SVM on.
    """
    import numpy as np
    from sklearn.calibration import CalibratedClassifierCV

    if hasattr(model, "predict_proba") or not hasattr(model, "named_steps"):
        return model
    if "svc" not in model.named_steps:
        return model
    target = np.asarray(target)
    n_rarest = int(np.unique(target, return_counts=True)[1].min())
    if n_rarest < 2:
        return model
    folds = min(5, n_rarest) if groups is None else _group_folds(target, groups)
    if folds is None:
        warnings.warn(
            "The SVM gives no probabilities: a class lies in one group only, or in few "
            "that come together, so that no folds can calibrate it.",
            UserWarning,
            stacklevel=2,
        )
        return model
    calibrated = CalibratedClassifierCV(
        model["svc"], method="temperature", ensemble=False, cv=folds
    )
    return model.set_params(svc=calibrated)


def _group_folds(target: "np.ndarray", groups: "np.ndarray") -> list | None:
    """Return the most folds, 5 at most, that learn every class, or None."""
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    classes = np.unique(target)
    most = min(len(set(groups[target == name])) for name in classes)
    for n_folds in range(min(5, most), 1, -1):
        splitter = StratifiedGroupKFold(n_folds)
        # Not the splitter itself: CalibratedClassifierCV gives it no groups.
        folds = list(splitter.split(target, target, groups))
        if all(np.isin(classes, target[train]).all() for train, _ in folds):
            return folds
    return None


def _make(name: str, args: argparse.Namespace, images: "np.ndarray") -> Any:
    name, _, rest = name.partition(":")
    return MODELS[name](args, images, rest)


def _network(
    args: argparse.Namespace, images: "np.ndarray", rest: str, name: str
) -> Any:
    """Return a network by name, after a step that resizes if it takes one size."""
    from sklearn.pipeline import make_pipeline

    import emclassify.classifiers

    if name in _ANY_SIZE:
        kind, settings = _ANY_SIZE[name]
        return getattr(emclassify.classifiers, kind)(**settings, **_training(args))
    kind, settings = _NETWORKS[name]
    network = getattr(emclassify.classifiers, kind)(**settings, **_training(args))
    return make_pipeline(_resize(args), network)


def _ensemble(args: argparse.Namespace, images: "np.ndarray", rest: str) -> Any:
    from sklearn.pipeline import Pipeline, make_pipeline

    from emclassify.classifiers import SeedEnsembleClassifier

    model = _make(rest or "lipnet4", args, images)
    if not isinstance(model, Pipeline):
        return SeedEnsembleClassifier(model, random_state=args.seed)
    members = SeedEnsembleClassifier(model[-1], random_state=args.seed)
    return make_pipeline(*model[:-1], members)


def _backbone(args: argparse.Namespace, images: "np.ndarray", rest: str) -> Any:
    from emclassify.classifiers import BackboneClassifier

    # It takes images of any size, and brings them to its own.
    return BackboneClassifier(rest or _BACKBONE, **_training(args))


def _svm_backbone(args: argparse.Namespace, images: "np.ndarray", rest: str) -> Any:
    from emclassify.baselines import BackboneExtractor, svm_baseline

    extractor = BackboneExtractor(rest or _BACKBONE)
    return svm_baseline(features=extractor, class_weight=_class_weight(args))


def _training(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "max_epochs": args.epochs,
        "class_weight": _class_weight(args),
        "random_state": args.seed,
    }


def _class_weight(args: argparse.Namespace) -> str | None:
    return None if args.class_weight == "none" else args.class_weight


def _svm(args: argparse.Namespace, images: "np.ndarray", rest: str, kernel: str) -> Any:
    from sklearn.pipeline import Pipeline

    from emclassify.baselines import svm_baseline
    from emclassify.preprocessing import ResizeImages

    svm = svm_baseline(kernel=kernel, class_weight=_class_weight(args))
    # Features are taken at full size where there is one size; images of others, that
    # are to be predicted later, are brought to it.
    resize = _resize(args) if images.ndim == 1 else ResizeImages(images.shape[1:3])
    return Pipeline([("resize", resize), *svm.steps])


def _resize(args: argparse.Namespace) -> Any:
    from emclassify.preprocessing import ResizeImages

    return ResizeImages((args.image_size, args.image_size))


_TAKES_A_NAME = {"backbone": "TIMM", "svm-backbone": "TIMM", "ensemble": "MODEL"}
MODELS: dict[str, Callable[[argparse.Namespace, "np.ndarray", str], Any]] = {
    **{name: partial(_network, name=name) for name in (*_NETWORKS, *_ANY_SIZE)},
    "svm": partial(_svm, kernel="rbf"),
    "svm-linear": partial(_svm, kernel="linear"),
    "svm-backbone": _svm_backbone,
    "backbone": _backbone,
    "ensemble": _ensemble,
}
