"""The models of the command line by name: a new one is a line of `MODELS`."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MODELS", "make_model"]


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


def _lipnet(args: argparse.Namespace, images: "np.ndarray", depth: int) -> Any:
    from sklearn.pipeline import make_pipeline

    from emclassify.classifiers import LipNetClassifier

    network = LipNetClassifier(
        depth=depth,
        max_epochs=args.epochs,
        class_weight=args.class_weight,
        random_state=args.seed,
    )
    return make_pipeline(_resize(args), network)


def _svm(args: argparse.Namespace, images: "np.ndarray", kernel: str) -> Any:
    from sklearn.pipeline import make_pipeline

    from emclassify.baselines import svm_baseline

    svm = svm_baseline(kernel=kernel)
    # Features are taken at full size where there is one size.
    if images.ndim > 1:
        return svm
    return make_pipeline(_resize(args), *svm.named_steps.values())


def _resize(args: argparse.Namespace) -> Any:
    from emclassify.preprocessing import ResizeImages

    return ResizeImages((args.image_size, args.image_size))


MODELS: dict[str, Callable[[argparse.Namespace, "np.ndarray"], Any]] = {
    "lipnet4": lambda args, images: _lipnet(args, images, 4),
    "svm": lambda args, images: _svm(args, images, "rbf"),
    "svm-linear": lambda args, images: _svm(args, images, "linear"),
}
