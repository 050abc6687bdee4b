from ._load import load
from ._model_card import read_model_card
from ._save import save
from ._to_onnx import to_onnx

__all__ = [
    "load",
    "read_model_card",
    "save",
    "to_onnx",
]
