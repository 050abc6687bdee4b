"""Scikit-learn estimators for classifying scientific images."""

import lazy_loader as _lazy

from ._version import __version__ as __version__

__getattr__, __dir__, _names = _lazy.attach(
    __name__,
    submodules=[
        "baselines",
        "classifiers",
        "datasets",
        "display",
        "features",
        "metrics",
        "model_selection",
        "preprocessing",
    ],
    submod_attrs={
        "baselines": ["svm_baseline"],
        "classifiers": [
            "CNNClassifier",
            "FullyConvolutionalClassifier",
            "FusionClassifier",
            "LipNetClassifier",
        ],
        "datasets": ["load_image_folder", "make_liposomes"],
        "features": ["FeatureExtractor"],
        "model_selection": ["benchmark_classifiers"],
        "preprocessing": ["ResizeImages"],
    },
)

__all__ = sorted([*_names, "__version__"])
