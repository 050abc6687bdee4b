"""Neural networks as scikit-learn classifiers."""

from ._cnn import CNNClassifier
from ._lipnet import LipNetClassifier

__all__ = ["CNNClassifier", "LipNetClassifier"]
