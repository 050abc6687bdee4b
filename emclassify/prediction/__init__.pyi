from ._pool_predictions import pool_predictions as pool_predictions
from ._predict_folder import predict_folder as predict_folder
from ._predict_stream import Prediction as Prediction, predict_stream as predict_stream
from ._predict_table import predict_table as predict_table

__all__ = [
    "Prediction",
    "pool_predictions",
    "predict_folder",
    "predict_stream",
    "predict_table",
]
