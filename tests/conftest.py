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


import torch  # noqa: E402 (it reads the number of threads)
import torchvision_operators  # noqa: E402, F401


def pytest_collection_modifyitems(items):
    """Let no test in a browser wait for more than a few minutes; find a GPU."""
    gpu = torch.cuda.is_available()
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(
                f"{item.nodeid}: an address is in its name, so that each process of "
                "pytest-xdist has another, and no test runs. Give ids to parametrize."
            )
        if item.get_closest_marker("gpu") and not gpu:
            item.add_marker(pytest.mark.skip("torch finds no CUDA device here"))
        if item.get_closest_marker("browser") and not item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(240))


def shared_folder(name, what):
    """A folder that developers share beside the checkout, or skip."""
    folder = Path(__file__).parents[2] / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"the {what} are not here: no folder {folder.name!r}")
    return folder


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the developers' real image sets, or skip."""
    return shared_folder("data", "real image sets")


@pytest.fixture(scope="session")
def shared_cases():
    """Folder of the developers' small files of each fault, or skip."""
    return shared_folder("cases", "cases")
