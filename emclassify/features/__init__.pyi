from ._diameter import Diameter
from ._edge_density import EdgeDensity
from ._feature_extractor import FeatureExtractor
from ._histogram import Histogram
from ._length import Length
from ._maximum_width import MaximumWidth
from ._moments import Moments
from ._radial_density import RadialDensity
from ._signal_to_noise import SignalToNoise

__all__ = [
    "Diameter",
    "EdgeDensity",
    "FeatureExtractor",
    "Histogram",
    "Length",
    "MaximumWidth",
    "Moments",
    "RadialDensity",
    "SignalToNoise",
]
