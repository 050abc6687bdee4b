"""Where and how to compute: device, precision, threads, and random state."""

from contextlib import contextmanager

import torch

__all__ = ["isolated", "resolve_device", "resolve_precision", "resolve_threads"]


def resolve_device(device):
    """Return the torch.device that the parameter `device` means.

    Parameters
    ----------
    device : str or torch.device
        "auto" takes the first CUDA device, else Apple's, else the CPU.

    Raises
    ------
    ValueError
        If torch doesn't know the device, or it isn't there.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is no device that torch knows; use 'auto', 'cpu', "
            "'cuda', 'cuda:1' or 'mps'."
        ) from error
    there = {
        "cpu": True,
        "cuda": (resolved.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(resolved.type, True):
        raise ValueError(
            f"device={device!r} is not on this machine (CUDA devices: "
            f"{torch.cuda.device_count()}); use 'auto' or 'cpu'."
        )
    return resolved


def resolve_precision(precision, device):
    """Return "float32" or "bfloat16".

    "auto" is "bfloat16" where the hardware multiplies in it (CUDA from compute
    capability 8.0; CPUs with AVX-512 BF16 or AMX), else "float32": emulated, it is
    slower, not faster.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        capability = torch.cpu.get_capabilities()
        native = capability.get("avx512_bf16", False) or capability.get(
            "amx_bf16", False
        )
    else:
        native = False
    return "bfloat16" if native else "float32"


def resolve_threads(n_threads, random_state):
    """Return the number of CPU threads for torch.

    None is one thread where `random_state` asks for repeatable results (a sum over
    threads depends on their number, and joblib's workers have fewer than the main
    process), and torch's own number where it doesn't.
    """
    if n_threads is not None:
        return n_threads
    return torch.get_num_threads() if random_state is None else 1


@contextmanager
def isolated(device, n_threads, seed=None):
    """Run with `n_threads` CPU threads and a random state of one's own.

    The caller's thread number and torch random state are the same afterwards.
    """
    threads = torch.get_num_threads()
    devices = [device] if device.type == "cuda" else []
    torch.set_num_threads(n_threads)
    try:
        with torch.random.fork_rng(devices=devices):
            if seed is not None:
                torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
