"""Where and with what a study was run."""

import os
import platform
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import torch

from emclassify._version import __version__

__all__ = ["describe_machine", "versions_of"]


def describe_machine() -> str:
    """Return the names of the processor and the GPU, and not that of the machine."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE)
        processor = found.group(1).strip() if found else processor
    machine = f"{processor} ({os.cpu_count()} cores)"
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {machine}"
    return f"{machine}, no GPU"


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """Return the version of each package that is installed."""
    # Our own as the code has it, which an older installation's notes may not know.
    return {
        name: __version__ if name == "emclassify" else metadata.version(name)
        for name in packages
    }
