"""The network of a classifier and the skorch net around it: made, and made anew."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from sklearn.utils import check_random_state
from skorch import NeuralNetClassifier
from torch import nn

from emclassify.classifiers._settings import (
    changed_settings,
    refuse_fixed,
    settings_of,
)
from emclassify.nets import MaskedNet
from emclassify.training import (
    ImageDataset,
    ImageModule,
    carry_over,
    load_weights,
    looks_all_ways,
    make_augmentation,
    make_training_net,
    resolve_compile,
    resolve_device,
    resolve_precision,
)

__all__ = ["BuiltNetMixin"]

_PREDICTED_AT_ONCE = 128


class BuiltNetMixin:
    """Makes `net_` as the parameters say."""

    # Groups of weights for skorch: (pattern of names, {"lr_factor": factor on lr}).
    _param_groups: Sequence[tuple[str, dict]] = ()

    @abstractmethod
    def _make_net(
        self, image_shape: Sequence[int], n_classes: int, n_features: int
    ) -> nn.Module:
        """Return the untrained network."""

    def _initialize(self, train: ImageDataset) -> None:
        """Build the network with fresh weights, and the scales of the training set."""
        self._rng = check_random_state(self.random_state)
        device = resolve_device(self.device)
        self.device_ = str(device)
        self._net_input = tuple(train.stacks[0].shape[1:]), train.n_features
        image_shape, _ = self._net_input
        n_classes = len(self.classes_)
        with self._isolated(self._draw_seed()):
            module = self._make_module(
                self._build_net(),
                resolve_precision(self.precision, device, image_shape),
            )
            module.learn_scales(train, by_image=self.normalization == "image")
            if self.multilabel_:
                module.learn_log_odds(train)
            module.check_net(image_shape, n_classes)
            self.net_ = self._make_training_net(module)
        self.history_ = self.net_.history
        self._settings = settings_of(self)

    def _take_over_settings(self) -> None:
        """Have `net_`, which trains on, do so as the parameters say by now.

        Its network stays, with its weights, and so does the state of the optimizer
        where the new one has the same.
        """
        changed = changed_settings(self, self._settings)
        refuse_fixed(self, changed)
        if "random_state" in changed:
            self._rng = check_random_state(self.random_state)
        if changed - {"random_state"}:
            self._remake_net("device" in changed)
        self._settings = settings_of(self)

    def _remake_net(self, new_device: bool) -> None:
        """Give the trained network a new skorch net, made from the parameters."""
        if new_device:
            self.device_ = str(resolve_device(self.device))
        image_shape, _ = self._net_input
        precision = resolve_precision(
            self.precision, torch.device(self.device_), image_shape
        )
        with self._isolated():
            module = self._make_module(self.net_.module_.net, precision)
            # Before the optimizer is made: places for the scales.
            load_weights(module, dict(self.net_.module_.state_dict()))
            net = self._make_training_net(module)
            carry_over(self.net_, net)
        self.net_, self.history_ = net, net.history

    def _make_module(self, net: nn.Module, precision: str) -> ImageModule:
        """Return a network together with what happens to a batch before it."""
        image_shape, _ = self._net_input
        augmentation = make_augmentation(self.augmentation, image_shape)
        compiled = resolve_compile(self.compile, self.device)
        return ImageModule(
            net,
            augmentation,
            precision,
            compiled,
            masked=self._masked(),
            averaged=looks_all_ways(self.test_time_augmentation, augmentation),
        )

    def _make_training_net(self, module: ImageModule) -> NeuralNetClassifier:
        """Return the skorch net that trains a module as the parameters say."""
        return make_training_net(
            module,
            n_classes=len(self.classes_),
            multilabel=self.multilabel_,
            loss=self.loss,
            label_smoothing=self.label_smoothing,
            optimizer=self.optimizer,
            lr=self.lr,
            weight_decay=self.weight_decay,
            param_groups=self._param_groups,
            batch_size=self.batch_size_,
            # Small batches are for learning only.
            predicted_at_once=(
                _PREDICTED_AT_ONCE if self.batch_size == "auto" else self.batch_size_
            ),
            device=self.device_,
            shared=self.device == "accelerate",
        )

    def _make_bare_net(self) -> nn.Module:
        """Return the network that `net_` has, with any weights.

        A child whose `_make_net` fetches or reads weights leaves that out here.
        """
        return self._build_net()

    def _build_net(self) -> nn.Module:
        """Return the network; where there are masks, one that heeds them."""
        (height, width, channels), n_features = self._net_input
        n_classes = len(self.classes_)
        if not self._masked():
            return self._make_net((height, width, channels), n_classes, n_features)
        if channels < 2:
            raise ValueError(
                f'{type(self).__name__}(mask="last") takes the last channel as the '
                f"mask, but X has images of shape {height, width, channels} (height, "
                "width, channels): give images (n, height, width, 2), or mask=None."
            )
        image_shape = height, width, channels - 1
        return MaskedNet(self._make_net(image_shape, n_classes, n_features))

    def _masked(self) -> bool:
        """Whether the last channel is a mask, and not one more to look at."""
        return False
