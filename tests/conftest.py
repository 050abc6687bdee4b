"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# One thread each: pytest-xdist already fills the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# A busy machine is slow, not wrong.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


import torch  # noqa: E402 (reads the number of threads as it starts)

# The wheel of torchvision, which timm needs, is built for CUDA: beside a CPU build of
# torch, two operators are missing, and it does not import. Nobody calls them here.
try:
    import torchvision  # noqa: F401
except RuntimeError:
    _torchvision = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _torchvision.define(
            f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the developers' real image sets, or skip."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real image sets are not here: no folder {folder.name!r}")
    return folder
