"""Predictions for images that keep coming: from an iterator, or in a folder."""

from ._predict_folder import predict_folder
from ._predict_stream import Prediction, predict_stream

__all__ = ["Prediction", "predict_folder", "predict_stream"]
