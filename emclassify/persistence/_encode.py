"""From a fitted estimator to JSON and arrays."""

import math
import sys
from collections import OrderedDict
from dataclasses import fields, is_dataclass
from functools import partial
from inspect import isclass, isfunction
from pathlib import PurePath
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from emclassify.persistence._known_types import (
    FOLDERS,
    full_name,
    name_class,
    name_named,
)

__all__ = ["Encoder"]

# Beyond them safetensors has no type.
_ARRAY_KINDS = "biuf"
# Packages whose objects are no user's own: what isn't known of them is refused.
_LIBRARIES = {"builtins", "emclassify", "imblearn", "numpy", "scipy", "sklearn"}
_LIBRARIES |= {"skorch", "torch"}


class Encoder:
    """Turns values into what `json.dumps` takes, and collects the arrays.

    Attributes
    ----------
    arrays : dict of str to ndarray
        What goes into the safetensors file.
    """

    def __init__(self) -> None:
        self.arrays = {}
        self._above = []
        self._random_states = []

    def encode(self, value: Any, where: str) -> Any:
        """Return a value as JSON; `where` says in errors which one it is.

        Raises
        ------
        TypeError
            If a file can't hold it.
        """
        if value is None or isinstance(value, bool):
            return value
        kind = type(value)
        if kind is int or kind is str:
            return value
        if kind is float:
            return value if math.isfinite(value) else _tag("float", value=repr(value))
        if any(value is other for other in self._above):
            raise TypeError(f"{where} can't be kept: it holds itself.")
        self._above.append(value)
        try:
            return self._encode_compound(value, kind, where)
        finally:
            self._above.pop()

    def _encode_compound(self, value, kind, where):
        if kind is list:
            return self._encode_items(value, where)
        if kind is tuple:
            return _tag("tuple", items=self._encode_items(value, where))
        if kind in (dict, OrderedDict, Bunch):
            pairs = [
                [
                    self.encode(key, f"a key of {where}"),
                    self.encode(v, f"{where}[{key!r}]"),
                ]
                for key, v in value.items()
            ]
            return _tag("bunch" if kind is Bunch else "dict", items=pairs)
        if kind is np.ndarray:
            return self._encode_array(value, where)
        if isinstance(value, np.generic) and _is_plain(value.dtype):
            item = self.encode(value.item(), where)
            return _tag("scalar", dtype=value.dtype.str, value=item)
        if kind is slice:
            ends = [value.start, value.stop, value.step]
            return _tag("slice", items=self._encode_items(ends, where))
        if isinstance(value, PurePath):
            return _tag("path", name=str(value))
        if isinstance(value, np.random.RandomState):
            return self._encode_random_state(value, where)
        if isinstance(value, np.dtype) or (
            isclass(value) and issubclass(value, np.generic)
        ):
            return _tag("dtype", name=np.dtype(value).str, as_class=isclass(value))
        if isinstance(value, partial):
            parts = [value.func, list(value.args), dict(value.keywords)]
            return _tag("partial", items=self._encode_items(parts, where))
        if isfunction(value) or isclass(value) or kind is np.ufunc:
            return self._encode_named(value, where)
        if "torch" in sys.modules and (found := self._encode_torch(value, where)):
            return found
        return self._encode_object(value, kind, where)

    def _encode_items(self, values, where):
        return [self.encode(v, f"{where}[{i}]") for i, v in enumerate(values)]

    def _encode_array(self, value, where):
        if value.dtype.kind != "U" and _is_plain(value.dtype):
            return _tag("array", **self._store(value, where))
        if value.dtype.kind in "UO":
            items = self._encode_items(value.ravel().tolist(), where)
            width = value.dtype.itemsize // 4 if value.dtype.kind == "U" else None
            return _tag("items", shape=list(value.shape), width=width, items=items)
        raise TypeError(f"{where} can't be kept: an array of {value.dtype}.")

    def _store(self, value, where):
        """Take an array over; return its key and order."""
        value = value.astype(value.dtype.newbyteorder("="), copy=False)
        # Sums depend on the order of storage in their last bits.
        by_columns = value.flags.f_contiguous and not value.flags.c_contiguous
        key = where if where not in self.arrays else f"{where} ({len(self.arrays)})"
        self.arrays[key] = np.ascontiguousarray(value.T if by_columns else value)
        if not value.ndim:
            self.arrays[key] = self.arrays[key].reshape(())
        return {"key": key, "by_columns": by_columns}

    def _encode_random_state(self, value, where):
        if value is np.random.mtrand._rand:
            return _tag("random_state", number=None, state=None)
        for number, known in enumerate(self._random_states):
            # Two attributes that draw from one state must go on to do so.
            if value is known:
                return _tag("random_state", number=number, state=None)
        self._random_states.append(value)
        state = self.encode(value.get_state(legacy=False), where)
        number = len(self._random_states) - 1
        return _tag("random_state", number=number, state=state)

    def _encode_named(self, value, where):
        name = name_named(value)
        if name is None and isinstance(value, np.ufunc):
            raise _unknown(value, where)
        if name is None and value.__name__ == "<lambda>":
            raise TypeError(
                f"{where} can't be kept: it is a lambda. Give a function that has a "
                "name."
            )
        return _tag("named", name=name or full_name(value))

    def _encode_torch(self, value, where):
        """Return a tensor, device or module as JSON, or None if it is none of them."""
        import torch

        if isinstance(value, torch.Tensor):
            if value.dtype == torch.bfloat16 or value.is_complex():
                raise TypeError(f"{where} can't be kept: a tensor of {value.dtype}.")
            parameter = isinstance(value, torch.nn.Parameter)
            place = self._store(value.detach().cpu().numpy(), where)
            trained = value.requires_grad if parameter else None
            return _tag("tensor", **place, trained=trained)
        if isinstance(value, torch.device):
            return _tag("device", name=str(value))
        if isinstance(value, torch.nn.Module):
            fresh = vars(torch.nn.Module())
            state = {
                name: part
                for name, part in vars(value).items()
                if name not in fresh or part != fresh[name]
            }
            name = name_named(type(value)) or full_name(type(value))
            return _tag("module", name=name, state=self._encode_state(state, where))
        return None

    def _encode_object(self, value, kind, where):
        name = name_class(kind)
        if name is None and _library(kind) in _LIBRARIES:
            raise _unknown(value, where)
        if name is not None and is_dataclass(kind):
            state = {field.name: getattr(value, field.name) for field in fields(kind)}
            return _tag("fields", name=name, state=self._encode_state(state, where))
        name = name or full_name(kind)
        if isinstance(value, BaseEstimator):
            return self._encode_estimator(value, name, where)
        if not hasattr(value, "__dict__") or kind.__reduce__ is not object.__reduce__:
            raise _unknown(value, where)
        return _tag("object", name=name, state=self._encode_state(vars(value), where))

    def _encode_estimator(self, value, name, where):
        # Asked of the class: some estimators pass on what their part has.
        state_of = getattr(type(value), "_state_to_keep", type(value).__getstate__)
        state = dict(state_of(value))
        state.update({name: None for name in FOLDERS if name in state})
        requests = {}
        if "_metadata_request" in state:
            methods = vars(state.pop("_metadata_request"))
            requests = {
                method: request.requests
                for method, request in methods.items()
                if getattr(request, "requests", None)
            }
        return _tag(
            "estimator",
            name=name,
            state=self._encode_state(state, where),
            requests=self.encode(requests, f"the metadata requests of {where}"),
        )

    def _encode_state(self, state, where):
        return {
            name: self.encode(value, f"{where}.{name}") for name, value in state.items()
        }


def _is_plain(dtype):
    """Whether it is of text, or of numbers that safetensors and JSON have."""
    return dtype.kind == "U" or (dtype.kind in _ARRAY_KINDS and dtype.itemsize <= 8)


def _tag(kind, **entries):
    return {"kind": kind, **entries}


def _library(cls):
    return cls.__module__.partition(".")[0]


def _unknown(value, where):
    return TypeError(
        f"{where} can't be kept: it is of {full_name(type(value))}, for which a file "
        "without pickle has no safe form. Leave it out, or keep the model with skops "
        "or joblib, for readers who trust the file."
    )
