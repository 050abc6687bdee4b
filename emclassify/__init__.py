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
        "inspection",
        "metrics",
        "model_selection",
        "nets",
        "persistence",
        "preprocessing",
        "sampling",
        "streaming",
        "training",
    ],
    submod_attrs={
        "baselines": ["BackboneExtractor", "svm_baseline"],
        "classifiers": [
            "BackboneClassifier",
            "CNNClassifier",
            "FullyConvolutionalClassifier",
            "FusionClassifier",
            "LipNetClassifier",
            "OffSampleNetClassifier",
            "ResNetClassifier",
            "SeedEnsembleClassifier",
        ],
        "datasets": [
            "fetch_offsample",
            "load_image_folder",
            "load_imzml",
            "make_cell_images",
            "make_diffraction_patterns",
            "make_ion_images",
            "make_liposomes",
            "open_image_stack",
        ],
        "features": ["FeatureExtractor"],
        "metrics": ["per_class_scorers", "per_class_scores"],
        "model_selection": [
            "BoundedThresholdClassifierCV",
            "ClassThresholdClassifierCV",
            "RejectClassifierCV",
            "audit_split",
            "benchmark_classifiers",
            "find_duplicates",
            "predict_table",
            "transfer_matrix",
        ],
        "persistence": ["load", "read_model_card", "save", "to_onnx"],
        "preprocessing": [
            "CenterCrop",
            "ParticleCropper",
            "PixelSizeScaler",
            "PixelStandardizer",
            "ResizeImages",
            "pool_predictions",
            "split_cells",
        ],
        "sampling": [
            "ArtificialImageSampler",
            "EmbeddingOutlierRemover",
            "ImageOverSampler",
            "ImageSMOTE",
            "ImageUnderSampler",
            "IntensityOutlierRemover",
        ],
        "streaming": ["predict_folder", "predict_stream"],
    },
)

__all__ = sorted([*_names, "__version__"])
