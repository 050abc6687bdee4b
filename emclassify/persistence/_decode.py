"""From what `Encoder` made back to a fitted estimator."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from emclassify.persistence._known_types import FOLDERS, find_class, find_named

__all__ = ["Decoder"]

# Characters in an array of strings, at most: its width is only said, not stored.
_MOST_CHARACTERS = 2**26


class Decoder:
    """Turns JSON into values. Nothing but known types is made.

    Parameters
    ----------
    arrays : dict of str to ndarray
    trusted : dict of str to class or function
        What else may be made or referred to, by full name.
    """

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]], trusted: Mapping[str, Any]
    ) -> None:
        self.arrays = arrays
        self._random_states = {}
        self.trusted = trusted

    def decode(self, value: Any) -> Any:
        """Return the value, or raise an error of some kind."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.pop("kind")
        if kind not in _KINDS:
            raise ValueError(f"it holds a {kind!r}, which this version doesn't know")
        return getattr(self, f"_decode_{kind}")(**value)

    def _decode_float(self, value):
        return float(value)

    def _decode_tuple(self, items):
        return tuple(self.decode(items))

    def _decode_slice(self, items):
        return slice(*self.decode(items))

    def _decode_dict(self, items):
        return {self.decode(key): self.decode(value) for key, value in items}

    def _decode_bunch(self, items):
        return Bunch(**self._decode_dict(items))

    def _decode_scalar(self, dtype, value):
        return _plain_dtype(dtype).type(self.decode(value))

    def _decode_dtype(self, name, as_class):
        dtype = _plain_dtype(name)
        return dtype.type if as_class else dtype

    def _decode_array(self, key, by_columns):
        # Those of safetensors are read-only.
        array = self.arrays[key].copy()
        return array.T if by_columns else array

    def _decode_items(self, shape, width, items):
        values = np.empty(len(items), dtype=object)
        values[:] = self.decode(items)
        if width is not None:
            if width * len(items) > _MOST_CHARACTERS:
                raise ValueError(f"it holds {len(items)} strings of {width} characters")
            values = values.astype(f"U{width}")
        return values.reshape(shape)

    def _decode_path(self, name):
        return Path(name)

    def _decode_random_state(self, number, state):
        if number is None:
            return np.random.mtrand._rand
        if state is not None:
            self._random_states[number] = np.random.RandomState()
            self._random_states[number].set_state(self.decode(state))
        return self._random_states[number]

    def _decode_partial(self, items):
        function, args, keywords = self.decode(items)
        return partial(function, *args, **keywords)

    def _decode_named(self, name):
        return self._find(name, find_named)

    def _decode_tensor(self, key, by_columns, trained):
        import torch

        tensor = torch.from_numpy(self._decode_array(key, by_columns))
        if trained is None:
            return tensor
        return torch.nn.Parameter(tensor, requires_grad=trained)

    def _decode_device(self, name):
        import torch

        return torch.device(name)

    def _decode_module(self, name, state):
        import torch

        cls = self._find(name, find_named)
        if not issubclass(cls, torch.nn.Module):
            raise ValueError(f"{name} is no module of torch")
        module = cls.__new__(cls)
        torch.nn.Module.__init__(module)
        vars(module).update(self._decode_state(state))
        return module

    def _decode_fields(self, name, state):
        cls = find_class(name)
        if not is_dataclass(cls):
            raise ValueError(f"{name!r} is no data class of emclassify")
        return cls(**self._decode_state(state))

    def _decode_object(self, name, state):
        value = self._new(name)
        vars(value).update(self._decode_state(state))
        return value

    def _decode_estimator(self, name, state, requests):
        value = self._new(name)
        if not isinstance(value, BaseEstimator):
            raise ValueError(f"{name} is no estimator")
        # Asked of the class: some estimators pass on what their part has.
        restore = getattr(type(value), "_restore_kept", type(value).__setstate__)
        state = self._decode_state(state)
        if name.startswith("emclassify."):
            # Parameters that have come since the file was written.
            state = {**_defaults(type(value)), **state}
        state.update({name: None for name in FOLDERS if name in state})
        restore(value, state)
        with config_context(enable_metadata_routing=True):
            for method, request in self.decode(requests).items():
                getattr(value, f"set_{method}_request")(**request)
        return value

    def _new(self, name):
        cls = self._find(name, find_class)
        return cls.__new__(cls)

    def _decode_state(self, state):
        return {name: self.decode(value) for name, value in state.items()}

    def _find(self, name, find):
        """Return the class or function of a name, known or trusted."""
        found = find(name)
        if found is None:
            found = self.trusted.get(name)
        if found is None:
            raise ValueError(
                f"it needs {name}, which is not part of emclassify. If you know what "
                f"that is, import it and pass it: load(path, trusted=[...])"
            )
        return found


_KINDS = {
    name.removeprefix("_decode_")
    for name in vars(Decoder)
    if name.startswith("_decode_") and name != "_decode_state"
}


def _defaults(cls):
    parameters = signature(cls).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _plain_dtype(name):
    """Return the dtype of numbers or strings of that name."""
    dtype = np.dtype(name)
    if dtype.kind not in "biufU" or dtype.hasobject:
        raise ValueError(f"it holds a dtype {name!r}, which no model has")
    return dtype
