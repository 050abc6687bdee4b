"""timm, or an error that says what is missing or doesn't fit."""

from importlib.metadata import PackageNotFoundError, requires, version
from types import ModuleType

__all__ = ["import_timm"]


def import_timm() -> ModuleType:
    """Return timm.

    Raises
    ------
    ImportError
        If it isn't there; if torchvision, which it needs, was built for another torch:
        the message has the versions of both, and what to install.
    """
    try:
        import timm
    except ModuleNotFoundError as error:
        if error.name in ("timm", "torchvision"):
            raise ImportError(
                'Backbones need timm: pip install "emclassify[pretrained]".'
            ) from error
        raise
    except (ImportError, OSError, RuntimeError) as error:
        # RuntimeError: operators that torchvision's library would have registered.
        raise ImportError(_misfit(error)) from error
    return timm


def _misfit(error: Exception) -> str:
    """Say which versions don't fit, from what is installed: neither is imported."""
    torch, torchvision = _version("torch"), _version("torchvision")
    release = torch.partition("+")[0]
    wanted = [line for line in _requires("torchvision") if line.startswith("torch==")]
    if wanted and release != wanted[0].removeprefix("torch=="):
        why = f"it was made for torch {wanted[0].removeprefix('torch==')}"
    else:
        why = "they come from different builds, such as CPU and CUDA"
    return (
        f"timm can't be imported, since torchvision {torchvision} and torch {torch} "
        f"don't fit: {why} ({error}). Install torch and torchvision together, in one "
        "command and from one source: python -m pip install --force-reinstall torch "
        "torchvision, with the --index-url that pytorch.org gives for your computer."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _requires(name: str) -> list[str]:
    """Return what a package needs, without spaces and conditions."""
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return []
    return [line.partition(";")[0].replace(" ", "") for line in lines]
