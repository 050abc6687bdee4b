from ._activations import (
    ActivationsDisplay as ActivationsDisplay,
    layer_activations as layer_activations,
)
from ._embedding import network_embedding as network_embedding
from ._filter_maximization import (
    FilterMaximizationDisplay as FilterMaximizationDisplay,
    maximize_activation as maximize_activation,
)
from ._filters import FiltersDisplay as FiltersDisplay
from ._learning_rate_range import LearningRateRangeDisplay as LearningRateRangeDisplay
from ._saliency import SaliencyDisplay as SaliencyDisplay, saliency as saliency

__all__ = [
    "ActivationsDisplay",
    "FilterMaximizationDisplay",
    "FiltersDisplay",
    "LearningRateRangeDisplay",
    "SaliencyDisplay",
    "layer_activations",
    "maximize_activation",
    "network_embedding",
    "saliency",
]
