from ._accelerated import net_class
from ._affine import RandomAffine
from ._augmentation import (
    RandomDihedral,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    make_augmentation,
)
from ._batches import ImageBatches, ImageDataset
from ._checkpoint import EpochCheckpoint, training_key
from ._class_weight import class_factors
from ._finite_loss import FiniteLoss
from ._interruption import raised_by_callback
from ._losses import (
    LOSSES,
    MULTILABEL_LOSSES,
    WeightedBinaryCrossEntropyLoss,
    WeightedBinaryFocalLoss,
    WeightedCrossEntropyLoss,
    WeightedFocalLoss,
)
from ._module import ImageModule, load_weights
from ._optimizers import (
    OPTIMIZERS,
    SCHEDULES,
    make_optimizer,
    make_schedule,
    reset_rates,
)
from ._progress import EpochProgress
from ._runtime import (
    isolated,
    resolve_compile,
    resolve_device,
    resolve_precision,
    resolve_threads,
)
from ._sample_weight import canonical_order, image_digests, repeat_by_weight
from ._unfreezing import Unfreezing
from ._validation_split import validation_split

__all__ = [
    "LOSSES",
    "MULTILABEL_LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "EpochCheckpoint",
    "EpochProgress",
    "FiniteLoss",
    "ImageBatches",
    "ImageDataset",
    "ImageModule",
    "RandomAffine",
    "RandomDihedral",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "Unfreezing",
    "WeightedBinaryCrossEntropyLoss",
    "WeightedBinaryFocalLoss",
    "WeightedCrossEntropyLoss",
    "WeightedFocalLoss",
    "canonical_order",
    "class_factors",
    "image_digests",
    "isolated",
    "load_weights",
    "make_augmentation",
    "make_optimizer",
    "make_schedule",
    "net_class",
    "raised_by_callback",
    "repeat_by_weight",
    "reset_rates",
    "resolve_compile",
    "resolve_device",
    "resolve_precision",
    "resolve_threads",
    "training_key",
    "validation_split",
]
