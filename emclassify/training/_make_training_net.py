"""Which skorch net trains a network, and what it is made of."""

from collections.abc import Sequence

import numpy as np
import torch

from emclassify.training._accelerated import AcceleratedNet
from emclassify.training._batches import ImageBatches
from emclassify.training._losses import LOSSES, MULTILABEL_LOSSES
from emclassify.training._module import ImageModule
from emclassify.training._optimizers import make_optimizer
from emclassify.training._training_net import TrainingNet

__all__ = ["make_training_net"]


def make_training_net(
    module: ImageModule,
    *,
    n_classes: int,
    multilabel: bool,
    loss: str,
    label_smoothing: float,
    optimizer: str | type[torch.optim.Optimizer],
    lr: float,
    weight_decay: float,
    param_groups: Sequence[tuple[str, dict]],
    batch_size: int,
    predicted_at_once: int,
    device: torch.device | str,
    shared: bool,
) -> TrainingNet | AcceleratedNet:
    """Return the skorch net of a module, on its device, ready to be trained.

    Parameters
    ----------
    module : ImageModule
        With the scales of the training set, or those from a file.
    n_classes : int
        Number of its outputs.
    multilabel : bool
        Whether an image may have several labels.
    loss : str
        A key of `LOSSES`.
    label_smoothing : float
        What the loss does with it.
    optimizer : str or type
        A key of `OPTIMIZERS`, or a class of torch optimizers.
    lr, weight_decay : float
        Of the optimizer.
    param_groups : sequence of (str, dict)
        Groups of weights, as skorch has them: (pattern of names, {"lr_factor": factor
        on `lr`}).
    batch_size : int
        Images in a batch of training, at most.
    predicted_at_once : int
        Images in a batch of prediction and validation, at most.
    device : torch.device or str
        Where to compute.
    shared : bool
        Whether several processes share the training, through Accelerate.

    Returns
    -------
    skorch.NeuralNetClassifier
        Initialised, without callbacks.
    """
    optimizer, optimizer_params = make_optimizer(optimizer, lr, weight_decay)
    losses = MULTILABEL_LOSSES if multilabel else LOSSES
    net_class = AcceleratedNet if shared else TrainingNet
    net = net_class(
        module,
        criterion=losses[loss](label_smoothing),
        optimizer=optimizer,
        **{f"optimizer__{key}": value for key, value in optimizer_params.items()},
        optimizer__param_groups=param_groups,
        batch_size=batch_size,
        iterator_train=ImageBatches,
        iterator_train__shuffle=True,
        iterator_train__multiple=8 if torch.device(device).type == "cuda" else 1,
        iterator_valid=ImageBatches,
        iterator_valid__batch_size=predicted_at_once,
        classes=np.arange(n_classes),
        callbacks__valid_acc=None,
        callbacks__print_log=None,
        device=str(device),
        verbose=0,
    )
    return net.for_labels(multilabel).initialize()
