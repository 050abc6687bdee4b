from ._affine import RandomAffine
from ._augmentation import AUGMENTATIONS, make_augmentation
from ._batches import ImageBatches, ImageDataset
from ._canonical_order import canonical_order, image_digests
from ._checkpoint import EpochCheckpoint, training_key
from ._class_weight import class_factors
from ._dihedral import RandomDihedral
from ._early_stopping import make_early_stopping
from ._finite_loss import FiniteLoss
from ._flips import RandomHorizontalFlip, RandomVerticalFlip
from ._losses import (
    LOSSES,
    MULTILABEL_LOSSES,
    WeightedBinaryCrossEntropyLoss,
    WeightedBinaryFocalLoss,
    WeightedCrossEntropyLoss,
    WeightedFocalLoss,
)
from ._make_training_net import make_training_net
from ._module import ImageModule, load_weights
from ._net_state import net_state, refuse_other_sizes, restore_training
from ._optimizers import OPTIMIZERS, make_optimizer, reset_rates
from ._progress import EpochProgress
from ._run import run_epochs
from ._runtime import (
    isolated,
    resolve_compile,
    resolve_device,
    resolve_precision,
    resolve_threads,
)
from ._sample_weight import repeat_by_weight
from ._schedules import SCHEDULES, make_schedule, published_decay
from ._unfreezing import Unfreezing
from ._validation_split import validation_split

__all__ = [
    "AUGMENTATIONS",
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
    "make_early_stopping",
    "make_optimizer",
    "make_schedule",
    "make_training_net",
    "net_state",
    "published_decay",
    "refuse_other_sizes",
    "repeat_by_weight",
    "reset_rates",
    "resolve_compile",
    "resolve_device",
    "resolve_precision",
    "resolve_threads",
    "restore_training",
    "run_epochs",
    "training_key",
    "validation_split",
]
