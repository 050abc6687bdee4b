"""A stand-in for CUDA graphs: what torch computes is recorded, and done once more.

As a graph does, it repeats the operations on the memory that they had when recorded,
whatever Python would do by now: branches and numbers drawn by Python are frozen. And
what graphs share is gone with the last of them.
"""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["RecordedSteps"]


class _Recording(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        result = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, result))
        return result


def _tensors(values):
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]


class _Graph:
    def __init__(self, recordings, states, log):
        self.recordings, self.states, self.log = recordings, states, log

    def replay(self):
        for recording, state in zip(self.recordings, self.states, strict=True):
            with torch.no_grad(), state.in_use():
                for func, args, kwargs, result in recording.operations:
                    again = func(*args, **kwargs)
                    for old, new in zip(_tensors(result), _tensors(again), strict=True):
                        if old.data_ptr() != new.data_ptr():
                            old.copy_(new)
        self.log.append("replay")


class RecordedSteps:
    """In the place of `CudaGraphs`, for the CPU."""

    log: list = []

    def __init__(self, device):
        self.device = device
        self.begun, self.graphs = False, weakref.WeakSet()

    def warm_up(self, step):
        self.log.append("warm up")
        step()

    def record(self, steps, states):
        if self.begun and not self.graphs:
            # As torch has it.
            raise RuntimeError("use_count > 0 INTERNAL ASSERT FAILED")
        recordings = []
        for step, state in zip(steps, states, strict=True):
            with state.in_use(), _Recording() as recording:
                step()
            recordings.append(recording)
        self.log.append(f"record {len(steps)}")
        graph = _Graph(recordings, states, self.log)
        self.begun = True
        self.graphs.add(graph)
        return graph
