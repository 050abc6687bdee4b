from ._affine import RandomAffine as RandomAffine
from ._augmentation import (
    AUGMENTATIONS as AUGMENTATIONS,
    looks_all_ways as looks_all_ways,
    make_augmentation as make_augmentation,
)
from ._batches import ImageBatches as ImageBatches, ImageDataset as ImageDataset
from ._budget import (
    auto_batch_size as auto_batch_size,
    auto_max_epochs as auto_max_epochs,
)
from ._canonical_order import (
    canonical_order as canonical_order,
    image_digests as image_digests,
)
from ._checkpoint import (
    EpochCheckpoint as EpochCheckpoint,
    training_key as training_key,
)
from ._class_weight import class_factors as class_factors
from ._convergence import (
    TrainingRecord as TrainingRecord,
    never_said as never_said,
    why_not_converged as why_not_converged,
)
from ._dihedral import RandomDihedral as RandomDihedral
from ._early_stopping import (
    ConfusionOfBest as ConfusionOfBest,
    has_stopped as has_stopped,
    make_early_stopping as make_early_stopping,
)
from ._finite_loss import FiniteLoss as FiniteLoss
from ._flips import (
    RandomHorizontalFlip as RandomHorizontalFlip,
    RandomVerticalFlip as RandomVerticalFlip,
)
from ._forward import forward as forward
from ._losses import (
    LOSSES as LOSSES,
    MULTILABEL_LOSSES as MULTILABEL_LOSSES,
    WeightedBinaryCrossEntropyLoss as WeightedBinaryCrossEntropyLoss,
    WeightedBinaryFocalLoss as WeightedBinaryFocalLoss,
    WeightedCrossEntropyLoss as WeightedCrossEntropyLoss,
    WeightedFocalLoss as WeightedFocalLoss,
)
from ._make_training_net import make_training_net as make_training_net
from ._module import ImageModule as ImageModule, load_weights as load_weights
from ._net_state import (
    carry_over as carry_over,
    net_state as net_state,
    refuse_other_sizes as refuse_other_sizes,
    restore_training as restore_training,
)
from ._optimizers import (
    OPTIMIZERS as OPTIMIZERS,
    make_optimizer as make_optimizer,
    reset_rates as reset_rates,
)
from ._progress import EpochProgress as EpochProgress
from ._random_state import OwnRandomState as OwnRandomState
from ._run import TrainingRun as TrainingRun, run_epochs as run_epochs
from ._runtime import (
    isolated as isolated,
    resolve_compile as resolve_compile,
    resolve_device as resolve_device,
    resolve_precision as resolve_precision,
    resolve_threads as resolve_threads,
)
from ._sample_weight import repeat_by_weight as repeat_by_weight
from ._schedules import (
    SCHEDULES as SCHEDULES,
    make_schedule as make_schedule,
    published_decay as published_decay,
)
from ._unfreezing import Unfreezing as Unfreezing
from ._validation_split import validation_split as validation_split

__all__ = [
    "AUGMENTATIONS",
    "LOSSES",
    "MULTILABEL_LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "ConfusionOfBest",
    "EpochCheckpoint",
    "EpochProgress",
    "FiniteLoss",
    "ImageBatches",
    "ImageDataset",
    "ImageModule",
    "OwnRandomState",
    "RandomAffine",
    "RandomDihedral",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "TrainingRecord",
    "TrainingRun",
    "Unfreezing",
    "WeightedBinaryCrossEntropyLoss",
    "WeightedBinaryFocalLoss",
    "WeightedCrossEntropyLoss",
    "WeightedFocalLoss",
    "auto_batch_size",
    "auto_max_epochs",
    "canonical_order",
    "carry_over",
    "class_factors",
    "forward",
    "has_stopped",
    "image_digests",
    "isolated",
    "load_weights",
    "looks_all_ways",
    "make_augmentation",
    "make_early_stopping",
    "make_optimizer",
    "make_schedule",
    "make_training_net",
    "net_state",
    "never_said",
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
    "why_not_converged",
]
