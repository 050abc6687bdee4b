"""The network of a classifier: built, taken apart for a file, put back."""

import warnings

import numpy as np
import torch
from skorch.history import History

from emclassify.training import (
    LOSSES,
    MULTILABEL_LOSSES,
    ImageBatches,
    ImageModule,
    load_weights,
    make_augmentation,
    make_optimizer,
    net_class,
    resolve_compile,
    resolve_device,
    resolve_precision,
)

__all__ = ["build_network", "restore_kept", "state_to_keep"]


def build_network(classifier, train):
    """Return the untrained skorch net, with the scales of the training set."""
    image_shape, n_features = classifier._net_input
    n_classes = len(classifier.classes_)
    device = torch.device(classifier.device_)
    module = _make_module(
        classifier,
        classifier._make_net(image_shape, n_classes, n_features),
        resolve_precision(classifier.precision, device, image_shape),
    )
    module.learn_scales(train, by_image=classifier.normalization == "image")
    if classifier.multilabel_:
        module.learn_log_odds(train)
    module.check_net(image_shape, n_classes)
    return _wrap(classifier, module)


def _make_module(classifier, net, precision):
    """Return a network together with what happens to a batch before it."""
    image_shape, _ = classifier._net_input
    augmentation = make_augmentation(classifier.augmentation, image_shape)
    compiled = resolve_compile(classifier.compile, classifier.device)
    return ImageModule(net, augmentation, precision, compiled)


def _wrap(classifier, module):
    """Return the skorch net of a module, on `device_`, ready to be trained."""
    optimizer, optimizer_params = make_optimizer(
        classifier.optimizer, classifier.lr, classifier.weight_decay
    )
    losses = MULTILABEL_LOSSES if classifier.multilabel_ else LOSSES
    net = net_class(classifier.device)(
        module,
        criterion=losses[classifier.loss](classifier.label_smoothing),
        optimizer=optimizer,
        **{f"optimizer__{key}": value for key, value in optimizer_params.items()},
        optimizer__param_groups=classifier._param_groups,
        batch_size=classifier.batch_size,
        iterator_train=ImageBatches,
        iterator_train__shuffle=True,
        iterator_valid=ImageBatches,
        classes=np.arange(len(classifier.classes_)),
        callbacks__valid_acc=None,
        callbacks__print_log=None,
        device=classifier.device_,
        verbose=0,
    )
    return net.initialize()


def state_to_keep(classifier):
    """Return a classifier's attributes as plain data and tensors.

    Raises
    ------
    ValueError
        If parameters were changed since `fit`, and describe another network.

    Warns
    -----
    UserWarning
        If it has callbacks: they are left out.
    """
    state = dict(classifier.__getstate__())
    if "net_" in state:
        net = state["net_"]
        weights = dict(net.module_.state_dict())
        _refuse_other_sizes(classifier, weights)
        del state["history_"]
        state["net_"] = {
            "precision": net.module_.precision,
            "weights": weights,
            "optimizer": net.optimizer_.state_dict(),
            "history": net.history.to_list(),
        }
    if classifier.callbacks:
        warnings.warn(
            f"{type(classifier).__name__} is kept without its callbacks, which act in "
            "training only.",
            stacklevel=2,
        )
        state["callbacks"] = None
    return state


def restore_kept(classifier, state):
    """Set a classifier's attributes from what `state_to_keep` returned.

    The network comes to the device that the parameter `device` asks for, or, if that
    isn't there, to the one that "auto" means.

    Raises
    ------
    ValueError
        If the weights are not those of the network that the parameters describe.
    """
    kept = state.pop("net_", None)
    classifier.__setstate__(state)
    if kept is None:
        return
    try:
        device = resolve_device(classifier.device)
    except ValueError:
        device = resolve_device("auto")
    classifier.device_ = str(device)
    _refuse_other_sizes(classifier, kept["weights"])
    with torch.random.fork_rng(devices=[]):
        net = classifier._make_bare_net()
        module = _make_module(classifier, net, kept["precision"])
        load_weights(module, kept["weights"])
        net = _wrap(classifier, module)
    _load_optimizer(net.optimizer_, kept["optimizer"])
    net.history = History(kept["history"])
    classifier.net_, classifier.history_ = net, net.history


def _refuse_other_sizes(classifier, weights):
    """Raise unless the network has weights of these sizes, before it takes memory."""
    try:
        with torch.device("meta"):
            net = classifier._make_bare_net()
        expected = {f"net.{name}": w.shape for name, w in net.state_dict().items()}
    except Exception:
        # Not every network can be had so; `load_weights` has the last word.
        return
    given = {name: w.shape for name, w in weights.items() if name.startswith("net.")}
    wrong = sorted(
        name
        for name in {*expected, *given}
        if expected.get(name, ()) != given.get(name, ())
    )
    if wrong:
        name = wrong[0]
        raise ValueError(
            f"the weights are not those of the network of {type(classifier).__name__}: "
            f"{name} has shape {_listed(given, name)}, the network's has "
            f"{_listed(expected, name)}"
        )


def _listed(shapes, name):
    return tuple(shapes[name]) if name in shapes else "none"


def _load_optimizer(optimizer, state):
    """Load the state, each tensor in the memory layout of its weight.

    Fused optimizers take them to have one layout, and don't look.
    """
    optimizer.load_state_dict(state)
    for weight, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                laid_out = torch.empty_like(weight, dtype=value.dtype)
                kept[name] = laid_out.copy_(value)
