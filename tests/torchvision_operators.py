"""Lets torchvision be imported beside a build of torch that it was not made for.

The wheel of torchvision, which timm needs, is built for CUDA: beside a CPU build of
torch, two operators are missing, and it does not import. Nobody calls them here.
"""

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # Kept: what it declares goes with it.
    LIBRARY = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        LIBRARY.define(
            f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
