from . import (
    baselines as baselines,
)
from . import (
    classifiers as classifiers,
)
from . import (
    datasets as datasets,
)
from . import (
    display as display,
)
from . import (
    features as features,
)
from . import (
    inspection as inspection,
)
from . import (
    metrics as metrics,
)
from . import (
    model_selection as model_selection,
)
from . import (
    nets as nets,
)
from . import (
    persistence as persistence,
)
from . import (
    prediction as prediction,
)
from . import (
    preprocessing as preprocessing,
)
from . import (
    readers as readers,
)
from . import (
    review as review,
)
from . import (
    sampling as sampling,
)
from . import (
    training as training,
)
from ._version import __version__ as __version__
from .baselines import (
    BackboneExtractor as BackboneExtractor,
)
from .baselines import (
    svm_baseline as svm_baseline,
)
from .classifiers import (
    BackboneClassifier as BackboneClassifier,
)
from .classifiers import (
    CNNClassifier as CNNClassifier,
)
from .classifiers import (
    FullyConvolutionalClassifier as FullyConvolutionalClassifier,
)
from .classifiers import (
    FusionClassifier as FusionClassifier,
)
from .classifiers import (
    LipNetClassifier as LipNetClassifier,
)
from .classifiers import (
    OffSampleNetClassifier as OffSampleNetClassifier,
)
from .classifiers import (
    ResNetClassifier as ResNetClassifier,
)
from .classifiers import (
    SeedEnsembleClassifier as SeedEnsembleClassifier,
)
from .datasets import (
    fetch_offsample as fetch_offsample,
)
from .datasets import (
    make_cell_images as make_cell_images,
)
from .datasets import (
    make_diffraction_patterns as make_diffraction_patterns,
)
from .datasets import (
    make_ion_images as make_ion_images,
)
from .datasets import (
    make_liposomes as make_liposomes,
)
from .features import (
    FeatureExtractor as FeatureExtractor,
)
from .metrics import (
    per_class_scorers as per_class_scorers,
)
from .metrics import (
    per_class_scores as per_class_scores,
)
from .model_selection import (
    BoundedThresholdClassifierCV as BoundedThresholdClassifierCV,
)
from .model_selection import (
    ClassThresholdClassifierCV as ClassThresholdClassifierCV,
)
from .model_selection import (
    RejectClassifierCV as RejectClassifierCV,
)
from .model_selection import (
    audit_split as audit_split,
)
from .model_selection import (
    benchmark_classifiers as benchmark_classifiers,
)
from .model_selection import (
    find_duplicates as find_duplicates,
)
from .model_selection import (
    transfer_matrix as transfer_matrix,
)
from .persistence import (
    load as load,
)
from .persistence import (
    read_model_card as read_model_card,
)
from .persistence import (
    save as save,
)
from .persistence import (
    to_onnx as to_onnx,
)
from .prediction import (
    pool_predictions as pool_predictions,
)
from .prediction import (
    predict_folder as predict_folder,
)
from .prediction import (
    predict_stream as predict_stream,
)
from .prediction import (
    predict_table as predict_table,
)
from .preprocessing import (
    CenterCrop as CenterCrop,
)
from .preprocessing import (
    ParticleCropper as ParticleCropper,
)
from .preprocessing import (
    PixelSizeScaler as PixelSizeScaler,
)
from .preprocessing import (
    PixelStandardizer as PixelStandardizer,
)
from .preprocessing import (
    ResizeImages as ResizeImages,
)
from .preprocessing import (
    split_cells as split_cells,
)
from .readers import (
    load_image_folder as load_image_folder,
)
from .readers import (
    load_imzml as load_imzml,
)
from .readers import (
    open_image_stack as open_image_stack,
)
from .review import (
    apply_corrections as apply_corrections,
)
from .review import (
    doubtful_labels as doubtful_labels,
)
from .review import (
    suggest_to_label as suggest_to_label,
)
from .review import (
    write_review_page as write_review_page,
)
from .sampling import (
    ArtificialImageSampler as ArtificialImageSampler,
)
from .sampling import (
    EmbeddingOutlierRemover as EmbeddingOutlierRemover,
)
from .sampling import (
    ImageOverSampler as ImageOverSampler,
)
from .sampling import (
    ImageSMOTE as ImageSMOTE,
)
from .sampling import (
    ImageUnderSampler as ImageUnderSampler,
)
from .sampling import (
    IntensityOutlierRemover as IntensityOutlierRemover,
)

__all__ = [
    "ArtificialImageSampler",
    "BackboneClassifier",
    "BackboneExtractor",
    "BoundedThresholdClassifierCV",
    "CNNClassifier",
    "CenterCrop",
    "ClassThresholdClassifierCV",
    "EmbeddingOutlierRemover",
    "FeatureExtractor",
    "FullyConvolutionalClassifier",
    "FusionClassifier",
    "ImageOverSampler",
    "ImageSMOTE",
    "ImageUnderSampler",
    "IntensityOutlierRemover",
    "LipNetClassifier",
    "OffSampleNetClassifier",
    "ParticleCropper",
    "PixelSizeScaler",
    "PixelStandardizer",
    "RejectClassifierCV",
    "ResNetClassifier",
    "ResizeImages",
    "SeedEnsembleClassifier",
    "__version__",
    "apply_corrections",
    "audit_split",
    "baselines",
    "benchmark_classifiers",
    "classifiers",
    "datasets",
    "display",
    "doubtful_labels",
    "features",
    "fetch_offsample",
    "find_duplicates",
    "inspection",
    "load",
    "load_image_folder",
    "load_imzml",
    "make_cell_images",
    "make_diffraction_patterns",
    "make_ion_images",
    "make_liposomes",
    "metrics",
    "model_selection",
    "nets",
    "open_image_stack",
    "per_class_scorers",
    "per_class_scores",
    "persistence",
    "pool_predictions",
    "predict_folder",
    "predict_stream",
    "predict_table",
    "prediction",
    "preprocessing",
    "read_model_card",
    "readers",
    "review",
    "sampling",
    "save",
    "split_cells",
    "suggest_to_label",
    "svm_baseline",
    "to_onnx",
    "training",
    "transfer_matrix",
    "write_review_page",
]
