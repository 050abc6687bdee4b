from ._activations import ActivationsDisplay, layer_activations
from ._embedding import network_embedding
from ._filter_maximization import FilterMaximizationDisplay, maximize_activation
from ._filters import FiltersDisplay
from ._learning_rate_range import LearningRateRangeDisplay
from ._saliency import SaliencyDisplay, saliency

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
