from ._basic_image_features import BasicImageFeatures as BasicImageFeatures
from ._completed_lbp import CompletedLBP as CompletedLBP
from ._diameter import Diameter as Diameter
from ._edge_density import EdgeDensity as EdgeDensity
from ._feature_extractor import FeatureExtractor as FeatureExtractor
from ._fourier_rings import FourierRings as FourierRings
from ._histogram import Histogram as Histogram
from ._jet_rings import JetRings as JetRings
from ._jet_statistics import JetStatistics as JetStatistics
from ._length import Length as Length
from ._maximum_width import MaximumWidth as MaximumWidth
from ._moments import Moments as Moments
from ._radial_density import RadialDensity as RadialDensity
from ._signal_to_noise import SignalToNoise as SignalToNoise
from ._threshold_shape import ThresholdShape as ThresholdShape
from ._zernike_moments import ZernikeMoments as ZernikeMoments

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
