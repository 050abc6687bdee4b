"""The models of the command line by name: a new one is a line of `MODELS`."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MODELS", "default_models", "make_model"]

_BACKBONE = "tf_efficientnet_lite0"


def make_model(name: str, args: argparse.Namespace, images: "np.ndarray") -> Any:
    """Return the estimator that a name of --models stands for.

    Parameters
    ----------
    name : str
        Of `MODELS`.
    args : Namespace
        With the options that `add_training` adds, and the seed.
    images : ndarray
        What it will be fitted on: an object array if they differ in size.

    Returns
    -------
    Pipeline
    """
    return MODELS[name](args, images)


def default_models() -> list[str]:
    """Return the models that are compared if none are named.

    The backbone is among them where its weights are on this machine.
    """
    from emclassify.nets import has_pretrained

    names = ["svm", "lipnet4", "lipnet8"]
    return [*names, "backbone"] if has_pretrained(_BACKBONE) else names


def _lipnet(args: argparse.Namespace, images: "np.ndarray", depth: int) -> Any:
    from sklearn.pipeline import make_pipeline

    from emclassify.classifiers import LipNetClassifier

    network = LipNetClassifier(depth=depth, **_training(args))
    return make_pipeline(_resize(args), network)


def _ensemble(args: argparse.Namespace, images: "np.ndarray") -> Any:
    from sklearn.pipeline import make_pipeline

    from emclassify.classifiers import LipNetClassifier, SeedEnsembleClassifier

    network = LipNetClassifier(**_training(args))
    members = SeedEnsembleClassifier(network, random_state=args.seed)
    return make_pipeline(_resize(args), members)


def _backbone(args: argparse.Namespace, images: "np.ndarray") -> Any:
    from emclassify.classifiers import BackboneClassifier

    # It takes images of any size, and brings them to its own.
    return BackboneClassifier(_BACKBONE, **_training(args))


def _training(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "max_epochs": args.epochs,
        "class_weight": _class_weight(args),
        "random_state": args.seed,
    }


def _class_weight(args: argparse.Namespace) -> str | None:
    return None if args.class_weight == "none" else args.class_weight


def _svm(args: argparse.Namespace, images: "np.ndarray", kernel: str) -> Any:
    from sklearn.pipeline import make_pipeline

    from emclassify.baselines import svm_baseline

    svm = svm_baseline(kernel=kernel, class_weight=_class_weight(args))
    # Features are taken at full size where there is one size.
    if images.ndim > 1:
        return svm
    return make_pipeline(_resize(args), *svm.named_steps.values())


def _resize(args: argparse.Namespace) -> Any:
    from emclassify.preprocessing import ResizeImages

    return ResizeImages((args.image_size, args.image_size))


MODELS: dict[str, Callable[[argparse.Namespace, "np.ndarray"], Any]] = {
    "lipnet4": lambda args, images: _lipnet(args, images, 4),
    "lipnet8": lambda args, images: _lipnet(args, images, 8),
    "ensemble": _ensemble,
    "backbone": _backbone,
    "svm": lambda args, images: _svm(args, images, "rbf"),
    "svm-linear": lambda args, images: _svm(args, images, "linear"),
}
