from ._basic_image_features import BasicImageFeatures
from ._completed_lbp import CompletedLBP
from ._diameter import Diameter
from ._edge_density import EdgeDensity
from ._feature_extractor import FeatureExtractor
from ._fourier_rings import FourierRings
from ._histogram import Histogram
from ._jet_rings import JetRings
from ._jet_statistics import JetStatistics
from ._length import Length
from ._maximum_width import MaximumWidth
from ._moments import Moments
from ._radial_density import RadialDensity
from ._signal_to_noise import SignalToNoise
from ._threshold_shape import ThresholdShape
from ._zernike_moments import ZernikeMoments

__all__ = [
    "BasicImageFeatures",
    "CompletedLBP",
    "Diameter",
    "EdgeDensity",
    "FeatureExtractor",
    "FourierRings",
    "Histogram",
    "JetRings",
    "JetStatistics",
    "Length",
    "MaximumWidth",
    "Moments",
    "RadialDensity",
    "SignalToNoise",
    "ThresholdShape",
    "ZernikeMoments",
]
