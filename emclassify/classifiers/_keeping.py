"""Keeping a network: in a pickle, and in the files of `emclassify.save`."""

import warnings
from copy import copy
from typing import Self

import torch

from emclassify.classifiers._settings import changed_settings, settings_of
from emclassify.training import (
    isolated,
    load_weights,
    net_state,
    refuse_other_sizes,
    resolve_device,
    restore_training,
)

__all__ = ["KeptNetMixin"]

# Where to compute is asked anew of each machine.
_OF_THE_MACHINE = {"compile", "device"}


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

        Of the parameters that the network was made with, "_settings" has those that
        were changed since.

        Raises
        ------
        ValueError
            If the parameters describe another network than the one that there is.

        Warns
        -----
        UserWarning
            If it has callbacks: they are left out.
        """
        state = dict(self.__getstate__())
        settings = state.pop("_settings", None)
        if "net_" in state:
            kept = net_state(state["net_"])
            refuse_other_sizes(
                self._as_made()._make_bare_net, kept["weights"], type(self).__name__
            )
            del state["history_"]
            state["net_"] = kept
            changed = changed_settings(self, settings) - _OF_THE_MACHINE
            if changed:
                state["_settings"] = {name: settings[name] for name in sorted(changed)}
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
        changed = state.pop("_settings", {})
        self.__setstate__(state)
        if kept is None:
            return
        try:
            device = resolve_device(self.device)
        except ValueError:
            device = resolve_device("auto")
        self.device_ = str(device)
        self._settings = settings_of(self) | changed
        made = self._as_made()
        refuse_other_sizes(made._make_bare_net, kept["weights"], type(self).__name__)
        with isolated(torch.device("cpu")):
            module = made._make_module(made._make_bare_net(), kept["precision"])
            load_weights(module, kept["weights"])
            net = made._make_training_net(module)
        restore_training(net, kept)
        self.net_, self.history_ = net, net.history

    def _as_made(self) -> Self:
        """Return a shallow copy with the parameters that `net_` was made with."""
        made = copy(self)
        for name in self._settings.keys() - _OF_THE_MACHINE:
            setattr(made, name, self._settings[name])
        return made
