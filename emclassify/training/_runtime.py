"""Where and how to compute: device, precision, compilation, threads, random state."""

import multiprocessing
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from joblib import cpu_count
from skorch.exceptions import DeviceWarning

from emclassify.training._random_state import default_generator

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = [
    "device_for_kept",
    "isolated",
    "resolve_compile",
    "resolve_device",
    "resolve_precision",
    "resolve_threads",
]

# Images with a side of fewer pixels gain nothing from lower precision.
_LEAST_SIDE = 16
# Each network makes four or so: in training or not, for batches of one length or any.
_GRAPHS_IN_A_PROCESS = 256


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the torch.device that the parameter `device` means.

    Parameters
    ----------
    device : str or torch.device
        "auto" takes a CUDA device, else Apple's, else the CPU. The main process takes
        the first CUDA device; worker processes take turns, see `cuda_device`. A
        process that was forked after CUDA was used takes the CPU.
        "accelerate" is the device that Hugging Face Accelerate gives this process.

    Raises
    ------
    ImportError
        If Accelerate is asked for and not installed.
    ValueError
        If torch doesn't know the device, or it isn't there.
    """
    if device == "auto":
        if torch.cuda.is_available() and not _cuda_lost:
            return torch.device("cuda", cuda_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if device == "accelerate":
        assigned = make_accelerator().device
        # Not "cpu:0", which pickles do not find again.
        return torch.device("cpu") if assigned.type == "cpu" else assigned
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is no device that torch knows; use 'auto', 'cpu', "
            "'cuda', 'cuda:1', 'mps' or 'accelerate'."
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
    if resolved.type == "cuda" and _cuda_lost:
        raise ValueError(f"device={device!r} {_LOST}")
    if resolved.type == "cuda" and resolved.index is None:
        # As tensors have it: "cuda" is not the same device as "cuda:0".
        begun = torch.cuda.is_initialized()
        return torch.device("cuda", torch.cuda.current_device() if begun else 0)
    return resolved


def device_for_kept(device: str | None) -> str | None:
    """Return where the network of a pickle goes: to its `device`, if that is here.

    If not, it goes to the one that "auto" means.

    Warns
    -----
    skorch.exceptions.DeviceWarning
        If it isn't, unless it is out of reach because of a fork: in a worker that was
        forked, an error on unpickling would end the worker, not the work.
    """
    if device is None:
        return device
    try:
        resolve_device(device)
    except ValueError:
        found = str(resolve_device("auto"))
        if not _cuda_lost:
            warnings.warn(
                f"The network was on device {device!r}, which is not on this machine; "
                f"it goes to {found!r}.",
                DeviceWarning,
                stacklevel=2,
            )
        return found
    return device


def make_accelerator() -> "Accelerator":
    """Return an accelerator that joins the processes of one launch.

    Raises
    ------
    ImportError
        If Accelerate is not installed.
    RuntimeError
        If it does not find all processes.
    """
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ImportError(
            'device="accelerate" needs Hugging Face Accelerate: '
            'pip install "emclassify[accelerate]".'
        ) from error
    n_processes = int(os.environ.get("WORLD_SIZE", 1))
    gpu = torch.cuda.is_available() or torch.xpu.is_available()
    # Without `cpu`, processes on a machine without GPU would each train alone;
    # without `device_placement`, skorch puts network and batches on the device.
    accelerator = Accelerator(cpu=n_processes > 1 and not gpu, device_placement=False)
    if accelerator.num_processes != n_processes:
        raise RuntimeError(
            f'device="accelerate" finds {accelerator.num_processes} of {n_processes} '
            "processes: make no Accelerator of other settings before fit."
        )
    return accelerator


def cuda_device() -> int:
    """Return the number of the CUDA device for this process.

    Jobs that share a machine are spread over its devices: the worker processes of
    joblib, of a Dask nanny or of `multiprocessing` are numbered as they start, and
    take the devices in turn. The main process, and with it all threads, has number 0.

    Returns
    -------
    int
        As torch counts the devices, those that CUDA_VISIBLE_DEVICES leaves.
    """
    count = torch.cuda.device_count()
    # The first number is that of the outermost worker: what it starts stays with it.
    # There is no public name for it that loky, Dask and multiprocessing share.
    identity = multiprocessing.current_process()._identity
    if count < 2 or not identity:
        return 0
    turn = (identity[0] - 1) % count
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").replace(" ", "").split(",")
    if len(visible) != count:
        return turn
    # dask-cuda gives each worker the same devices in another order, its own first.
    return visible.index(sorted(visible)[turn])


def resolve_precision(
    precision: str, device: torch.device, image_shape: Sequence[int]
) -> str:
    """Return "float32" or "bfloat16".

    "auto" is "bfloat16" where the hardware multiplies in it (CUDA from compute
    capability 8.0; CPUs with AVX-512 BF16 or AMX) and images have some size, else
    "float32": emulated, or for a few pixels, it saves no time. And PyTorch's CPU
    gradients of strided convolutions over a single pixel are wrong in it (2.13).
    """
    if precision != "auto":
        return precision
    if min(image_shape[:2]) < _LEAST_SIDE:
        return "float32"
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


def resolve_compile(compile: bool | str, device: str | torch.device) -> bool:
    """Return whether to compile the network, for the parameters of these names.

    "auto" does not: on a CPU it was measured not to pay, on a GPU it is not measured.

    Raises
    ------
    ValueError
        If a network that several processes train is to be compiled.
    """
    compiled = compile != "auto" and bool(compile)
    if compiled and device == "accelerate":
        raise ValueError(
            'compile=True does not go with device="accelerate"; use compile="auto".'
        )
    return compiled


@contextmanager
def _compiling(compiled: bool) -> Iterator[None]:
    """Run a network that goes through `torch.compile`, if `compiled` says that it does.

    Raises
    ------
    RuntimeError
        If the network cannot be compiled; it names the parameter `compile`.
    """
    if not compiled:
        yield
        return
    # Here, because it takes seconds.
    from torch import _dynamo

    try:
        # torch counts the graphs of all networks in a process, and compiles no more
        # than eight of them unless told so.
        with _dynamo.config.patch(recompile_limit=_GRAPHS_IN_A_PROCESS):
            yield
    except _dynamo.exc.TorchDynamoException as error:
        # The rest, logs of compilers for one, is in the error that caused this one.
        reason = " ".join(str(error).strip().partition("\n\n")[0].split())
        raise RuntimeError(
            "compile=True: torch.compile cannot compile the network. It needs a C++ "
            "compiler, on a GPU also Triton, and a network that it can follow; "
            f"compile=False does without. It says: {reason}"
        ) from error


# Since a fork: torch's threads are the parent's, and a child that waits for them waits
# for ever. CUDA doesn't go on in a child if the parent has begun to use it.
_forked = False
_cuda_begun = _cuda_lost = False
_LOST = (
    "cannot be used in a process that was forked after its parent had used it. Start "
    'workers afresh (joblib\'s backend "loky", multiprocessing\'s context "spawn"), '
    "or use device='cpu'."
)
# torch has one random state for all threads of a process: trainings take turns.
_turn = threading.RLock()
# Numbers of threads that they have set, other than torch's own.
_set_by_us: set[int] = set()


def _before_fork() -> None:
    global _cuda_begun
    _cuda_begun = torch.cuda.is_initialized()


def _begin_as_child() -> None:
    global _forked, _cuda_lost, _turn
    _forked = True
    _cuda_lost = _cuda_lost or _cuda_begun
    _turn = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_begin_as_child)


def resolve_threads(n_threads: int | None = None) -> int:
    """Return the number of CPU threads for torch.

    None is torch's own number: the cores of the process, or what OMP_NUM_THREADS says,
    as in the workers of joblib and Dask. It is no more than the cores that a container
    grants, which torch doesn't know of. A forked process, as joblib's
    "multiprocessing" backend has them, computes with one thread whatever is asked for.

    A sum that threads share depends on their number in its last bits.
    """
    if _forked:
        return 1
    if n_threads is not None:
        return n_threads
    return min(torch.get_num_threads(), cpu_count())


def _own_threads() -> int:
    """Return torch's number of threads for this one, when nobody has set another.

    A thread that begins to compute while a training of another is going on has the
    number of that training for good.
    """
    own = torch.get_num_threads()
    if own not in _set_by_us:
        return own
    answer: list[int] = []
    new = threading.Thread(target=lambda: answer.append(torch.get_num_threads()))
    new.start()
    new.join()
    return answer[0]


@contextmanager
def _repeating(device: torch.device) -> Iterator[None]:
    """Have cuDNN take algorithms that give the same bits each time.

    Its fastest gradients add up in the order in which threads come, and by trying
    algorithms out it takes another one from time to time.
    """
    if device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def _seed(device: torch.device, seed: int) -> None:
    """Seed what the CPU and one device draw from, as torch.manual_seed does for all."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        default_generator(device).manual_seed(seed)
    elif device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


@contextmanager
def isolated(
    device: torch.device,
    n_threads: int | None = None,
    seed: int | None = None,
    compiled: bool = False,
) -> Iterator[None]:
    """Run with `n_threads` CPU threads and a random state of one's own.

    None are those of `resolve_threads`. `compiled` says whether the network goes
    through `torch.compile`. The caller's thread number and torch random state are the
    same afterwards. Blocks of several threads of a process run one after the
    other.

    On a CUDA device, cuDNN takes only algorithms that repeat to the bit. What else
    `torch.use_deterministic_algorithms` forbids is up to the caller.

    Raises
    ------
    RuntimeError
        If the device is a GPU that a fork has put out of reach.
    """
    devices = [device] if device.type == "cuda" else []
    if devices and _cuda_lost:
        raise RuntimeError(f"device {str(device)!r} {_LOST}")
    with _turn, _repeating(device):
        threads = _own_threads()
        torch.set_num_threads(threads)
        n_threads = resolve_threads(n_threads)
        if n_threads != threads:
            _set_by_us.add(n_threads)
        torch.set_num_threads(n_threads)
        try:
            with torch.random.fork_rng(devices=devices), _compiling(compiled):
                if seed is not None:
                    _seed(device, seed)
                yield
        finally:
            torch.set_num_threads(threads)
