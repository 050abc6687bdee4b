"""Backbones: the networks of timm, with weights that they bring along."""

import difflib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from os import PathLike
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import torch
from torch import nn

from emclassify.nets._checkpoint import weights_of_backbone
from emclassify.nets._import_timm import import_timm
from emclassify.nets._micrograph_weights import (
    MICROGRAPH_WEIGHTS,
    find_micrograph_weights,
)

__all__ = ["has_pretrained", "load_backbone"]

# Backbones halve an image five times: below, strides would step over nothing.
_LEAST_SIZE = 32
# Seconds to wait for a sign of life of the server with the weights.
_PATIENCE = 5


def load_backbone(
    backbone: str,
    n_channels: int,
    weights: str | PathLike = "pretrained",
    image_size: Sequence[int] | str | None = None,
) -> nn.Module:
    """Return a network of timm, in evaluation mode, with its classification head.

    Parameters
    ----------
    backbone : str
        Name in timm, also with the tag of its weights: "resnet18.a1_in1k".
    n_channels : int
        Channels of the images. Where the weights are for another number, timm adapts
        those of the first layer: it sums them for one channel, else repeats and scales
        them.
    weights : str or path, default="pretrained"
        "pretrained": those that timm names, from the cache on this machine, else from
        their server. "micronet", "imagenet-micronet", "cem500k", "cem1.5m": those that
        a "resnet50" learnt from micrographs, from torch's folder of downloads, else
        from their server. A path: a .safetensors file, or what `torch.save` wrote, of
        the network's `state_dict`; also of training that saved more beside it (a second
        copy that follows slowly, other heads, prefixes before the names). "random":
        random ones, with a UserWarning.
    image_size : tuple of 2 int, default=None
        (height, width) for networks that are made for one size, such as vision
        transformers; None is the size that they were trained with.

    Returns
    -------
    nn.Module
        What `timm.create_model` returns.

    Raises
    ------
    ImportError
        If timm is missing.
    ValueError
        If timm does not know the backbone, or the weights don't fit it.
    FileNotFoundError
        If there is no file `weights`.
    ConnectionError
        If the weights are not on this machine, and their server can't be reached.

    Examples
    --------
    >>> from emclassify.nets import load_backbone
    >>> load_backbone("resnext1", 3, "random")
    Traceback (most recent call last):
    ...
    ValueError: backbone='resnext1' is not in timm. Near are ...
    """
    check_image_size(image_size)
    timm = import_timm()
    config = _find_config(timm, backbone)
    settings = {"in_chans": n_channels}
    sized = not (image_size is None or isinstance(image_size, str))
    if sized and config.fixed_input_size:
        settings["img_size"] = tuple(image_size)
    if weights == "random":
        warnings.warn(
            f"{backbone} has random weights: it has learnt nothing yet. "
            'weights="pretrained" or a file give it some.',
            UserWarning,
            stacklevel=2,
        )
    elif weights == "pretrained":
        settings |= _find_pretrained(timm, backbone, config)
    else:
        if weights in MICROGRAPH_WEIGHTS:
            weights = find_micrograph_weights(weights, backbone)
        settings |= _describe_file(timm, Path(weights), backbone, config)
    try:
        with _no_random_layers():
            return timm.create_model(backbone, **settings).eval()
    except OSError as error:
        raise ConnectionError(
            f"The pretrained weights of {backbone} can't be fetched: {_in_brief(error)}"
        ) from error
    except (RuntimeError, ValueError, AssertionError) as error:
        what = f"weights={str(weights)!r} don't fit backbone={backbone!r}"
        if weights == "random":
            what = f"backbone={backbone!r} can't be made"
        size = f", image_size={tuple(image_size)}" if sized else ""
        raise ValueError(
            f"{what} for images of {n_channels} channel(s){size}: {_in_brief(error)}"
        ) from error


def check_image_size(image_size: Sequence[int] | str | None) -> None:
    """Raise ValueError unless `image_size` is "auto", None or (height, width)."""
    if image_size is None or (isinstance(image_size, str) and image_size == "auto"):
        return
    sides = tuple(image_size) if hasattr(image_size, "__iter__") else ()
    good = all(isinstance(s, Integral) and s >= _LEAST_SIZE for s in sides)
    if len(sides) != 2 or not good:
        raise ValueError(
            "image_size must be (height, width), whole numbers of at least "
            f'{_LEAST_SIZE}, "auto" or None; got {image_size!r}.'
        )


def has_pretrained(backbone: str) -> bool:
    """Return whether timm is here, and its weights of a backbone on this machine.

    Parameters
    ----------
    backbone : str
        Name of a network in timm, also with the tag of its weights.

    Examples
    --------
    >>> from emclassify.nets import has_pretrained
    >>> has_pretrained("test_resnet")
    False
    """
    try:
        timm = import_timm()
    except ImportError:
        return False
    config = _find_config(timm, backbone)
    return config.has_weights and _find_cached(config) is not None


def _find_config(timm: ModuleType, backbone: str) -> object:
    """Return timm's description of a backbone and its weights."""
    name, _, tag = backbone.partition(".")
    if not timm.is_model(name):
        raise ValueError(
            f"backbone={backbone!r} is not in timm. Near are "
            f"{_near(name, timm.list_models())}; timm.list_models() has all."
        )
    try:
        return timm.get_pretrained_cfg(backbone)
    except RuntimeError as error:
        known = timm.list_models(f"{name}.*", pretrained=True)
        raise ValueError(
            f"backbone={backbone!r}: timm knows no weights {tag!r}; it knows "
            f"{', '.join(known)}."
        ) from error


def _near(name: str, names: Sequence[str]) -> str:
    """Return the five names that are most like a name."""
    return ", ".join(difflib.get_close_matches(name, names, n=5, cutoff=0))


def _find_pretrained(timm: ModuleType, backbone: str, config: object) -> dict:
    """Return what `timm.create_model` needs for the pretrained weights.

    A file in the cache is given by its path. Asked for the weights, the hub's client
    would look for a newer version first, and offline try again for most of a minute.
    """
    if not config.has_weights:
        near = _near(backbone, timm.list_models(pretrained=True))
        raise ValueError(
            f"timm has no pretrained weights for backbone={backbone!r}; it has for "
            f'{near}. Or give a file as weights, or "random".'
        )
    cached = None if config.custom_load else _find_cached(config)
    if cached is not None:
        return {"pretrained": True, "pretrained_cfg_overlay": {"file": cached}}
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    url = constants.ENDPOINT if config.hf_hub_id else config.url
    try:
        get_session().head(url, timeout=_PATIENCE)
    except Exception as error:
        raise ConnectionError(
            f"The pretrained weights of {backbone} are not on this machine, and "
            f"{urlsplit(url).netloc} can't be reached ({_in_brief(error)}). Where it "
            f"can, make the network once by timm.create_model({backbone!r}, "
            "pretrained=True), save its state_dict() by safetensors or torch.save, and "
            'give that file here as weights. weights="random" starts from nothing.'
        ) from error
    return {"pretrained": True}


def _find_cached(config: object) -> str | None:
    """Return the path of the weights, if they were downloaded before, or None."""
    if not config.hf_hub_id:
        name = Path(urlsplit(config.url).path).name
        path = Path(torch.hub.get_dir(), "checkpoints", name)
        return str(path) if path.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    repository, _, revision = config.hf_hub_id.partition("@")
    for name in ("model.safetensors", "pytorch_model.bin"):
        found = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(found, str):
            return found
    return None


def _describe_file(timm: ModuleType, path: Path, backbone: str, config: object) -> dict:
    """Return what `timm.create_model` needs to load weights from a file.

    It has to know the number of classes and of channels that they were saved with.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"weights={str(path)!r} is no file; give the path of one, "
            '"pretrained" or "random".'
        )
    try:
        state = timm.models.load_state_dict(str(path))
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    except Exception as error:
        raise ValueError(
            f"weights={str(path)!r} can't be read as weights ({_in_brief(error)}); "
            "give a .safetensors file, or what torch.save wrote, of a state_dict()."
        ) from error
    overlay = {"file": str(path), "num_classes": 0}
    body = _names_of_body(timm, backbone)
    try:
        own = weights_of_backbone(state, body, _names(config.classifier))
    except ValueError as error:
        raise ValueError(f"weights={str(path)!r} can't be read: {error}.") from None
    # Else it is a state_dict by itself, perhaps of older names, which timm maps.
    if own.keys() != state.keys() and (own.keys() - state.keys() or body <= own.keys()):
        state = own
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        overlay = {"state_dict": state, "num_classes": 0}
    _check_finite(path, state)
    for name in _names(config.classifier):
        if f"{name}.weight" in shapes:
            overlay["num_classes"] = shapes[f"{name}.weight"][0]
    for name in _names(config.first_conv):
        shape = shapes.get(f"{name}.weight", ())
        # TResNet's first layer has 16 for each channel of the image.
        if len(shape) == 4 and shape[1] < 16:
            overlay["input_size"] = (shape[1], *config.input_size[1:])
    return {"pretrained": True, "pretrained_cfg_overlay": overlay}


def _names_of_body(timm: ModuleType, backbone: str) -> set[str]:
    """Return the names of a network's weights, but those of its classification.

    Older files don't have the counts of batches.
    """
    with torch.device("meta"):
        names = timm.create_model(backbone, num_classes=0).state_dict()
    return {name for name in names if not name.endswith("num_batches_tracked")}


def _check_finite(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Raise ValueError if a weight is no number."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(
                f"weights={str(path)!r} can't be used: {name} holds values that are "
                "not finite."
            )


def _names(entry: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return an entry of timm's configuration, None, a name or several, as a tuple."""
    return (entry,) if isinstance(entry, str) else tuple(entry or ())


class _RandomLayerError(logging.Handler):
    """Raises where timm only notes in its log that weights stay random."""

    def emit(self, record: logging.LogRecord) -> None:
        if "random init" in record.getMessage():
            raise ValueError(record.getMessage())


@contextmanager
def _no_random_layers() -> Iterator[None]:
    log, handler = logging.getLogger("timm.models._builder"), _RandomLayerError()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def _in_brief(error: Exception) -> str:
    """Return what an error says in one line of bearable length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."
