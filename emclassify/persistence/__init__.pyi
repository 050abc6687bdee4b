from ._load import load as load
from ._model_card import read_model_card as read_model_card
from ._save import save as save
from ._to_onnx import to_onnx as to_onnx

__all__ = [
    "load",
    "read_model_card",
    "save",
    "to_onnx",
]
