"""Keeping a network: in a pickle, and in the files of `emclassify.save`."""

import warnings

import torch

from emclassify.classifiers._settings import settings_of
from emclassify.training import (
    isolated,
    load_weights,
    net_state,
    refuse_other_sizes,
    resolve_device,
    resolve_threads,
    restore_training,
)

__all__ = ["KeptNetMixin"]


class KeptNetMixin:
    """Turns a fitted network into plain data and tensors, and back."""

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        if "classes_" in state and "batch_size_" not in state:  # from before "auto"
            self.batch_size_, self.max_epochs_ = self.batch_size, self.max_epochs
        if hasattr(self, "net_"):
            # skorch moves the network to the CPU where its device isn't there.
            self.device_ = str(self.net_.device)
            if "_settings" not in state:  # from before they were kept
                self._settings = settings_of(self)

    def _state_to_keep(self) -> dict:
        """Return the attributes as plain data and tensors, for `emclassify.save`.

        Raises
        ------
        ValueError
            If parameters were changed since `fit`, and describe another network.

        Warns
        -----
        UserWarning
            If it has callbacks: they are left out.
        """
        state = dict(self.__getstate__())
        state.pop("_settings", None)
        if "net_" in state:
            kept = net_state(state["net_"])
            refuse_other_sizes(
                self._make_bare_net, kept["weights"], type(self).__name__
            )
            del state["history_"]
            state["net_"] = kept
        if self.callbacks:
            warnings.warn(
                f"{type(self).__name__} is kept without its callbacks, which act in "
                "training only.",
                stacklevel=2,
            )
            state["callbacks"] = None
        return state

    def _restore_kept(self, state: dict) -> None:
        """Set the attributes from what `_state_to_keep` returned.

        The network comes to the device that the parameter `device` asks for, or, if
        that isn't there, to the one that "auto" means.

        Raises
        ------
        ValueError
            If the weights are not those of the network that the parameters describe.
        """
        kept = state.pop("net_", None)
        self.__setstate__(state)
        if kept is None:
            return
        try:
            device = resolve_device(self.device)
        except ValueError:
            device = resolve_device("auto")
        self.device_ = str(device)
        refuse_other_sizes(self._make_bare_net, kept["weights"], type(self).__name__)
        with isolated(torch.device("cpu"), resolve_threads()):
            module = self._make_module(self._make_bare_net(), kept["precision"])
            load_weights(module, kept["weights"])
            net = self._make_training_net(module)
        restore_training(net, kept)
        self.net_, self.history_ = net, net.history
        self._settings = settings_of(self)
