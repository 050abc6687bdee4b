"""Features of particles, one transformer a family, and `FeatureExtractor` for all."""

from emclassify.features._diameter import Diameter
from emclassify.features._edge_density import EdgeDensity
from emclassify.features._feature_extractor import FeatureExtractor
from emclassify.features._histogram import Histogram
from emclassify.features._length import Length
from emclassify.features._maximum_width import MaximumWidth
from emclassify.features._moments import Moments
from emclassify.features._radial_density import RadialDensity
from emclassify.features._signal_to_noise import SignalToNoise

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
