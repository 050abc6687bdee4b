"""ReLU and tanh as outputs, as the source tried them, through the public classifier.

Binary cross-entropy as Keras has it: what the last layer returns is taken for
probabilities, and clipped to [1e-7, 1 - 1e-7]. Where it is clipped there is no
gradient.
"""

from functools import partial

import numpy as np
import pandas as pd
import torch
from skorch.callbacks import Callback
from torch import nn

from emclassify import CNNClassifier
from emclassify.nets import BackboneNet, load_backbone
from studies._sources import CELL_TABLES
from studies._weights import find_weights
from studies.cells._beside import beside_source
from studies.cells._intervals import figures, write_counts
from studies.cells._models import out_of_fold, several, simulate

__all__ = ["ACTIVATIONS", "ClippedOutputs", "PlainStart", "outputs"]

EPSILON = 1e-7
ACTIVATIONS = {"ReLU": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
LEARNING_RATE = 0.001


class ClippedOutputs(nn.Module):
    """A network whose outputs, clipped, are taken for probabilities.

    It returns their logits: binary cross-entropy with logits then is that of the
    clipped outputs, and so is its gradient.

    Parameters
    ----------
    net : nn.Module
        Returns (n, n_labels).
    activation : {"ReLU", "tanh", "sigmoid"}
    """

    def __init__(self, net: nn.Module, activation: str) -> None:
        super().__init__()
        self.net = net
        self.activation = activation

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, n_labels)."""
        # In half precision 1 - 1e-7 is 1, and its logit infinite.
        said = ACTIVATIONS[self.activation](self.net(images).float())
        return said.clamp(EPSILON, 1 - EPSILON).logit()


class PlainStart(Callback):
    """Leave out the log-odds of each label, which the classifier starts from."""

    def on_train_begin(self, net: object, **kwargs: object) -> None:
        """Take the log-odds out of the module."""
        net.module_.log_odds = None


def make_net(
    image_shape: tuple[int, int, int],
    n_labels: int,
    *,
    backbone: str,
    weights: str,
    activation: str,
) -> nn.Module:
    """Return a backbone with a dense layer and such outputs."""
    loaded = load_backbone(backbone, image_shape[-1], weights)
    return ClippedOutputs(BackboneNet(loaded, image_shape, n_labels), activation)


def outputs(args):
    """ReLU, tanh or sigmoid as outputs of a network for several labels."""
    data = simulate(args, multilabel=True)
    weights = find_weights(args.weights, args.backbones[0])
    rows, found = {}, {}
    for activation in ACTIVATIONS:
        model = CNNClassifier(
            partial(
                make_net,
                backbone=args.backbones[0],
                weights=weights,
                activation=activation,
            ),
            max_epochs=args.epochs,
            batch_size=32,
            lr=LEARNING_RATE,
            lr_schedule=None,
            label_smoothing=0,
            device=args.device,
            callbacks=[PlainStart()],
            random_state=args.seed,
        )
        proba = out_of_fold(model, data, args, "predict_proba")
        said = found[activation] = proba >= 0.5
        rows[activation] = figures(data.target, said, data.groups, "micro") | {
            "labels an image": said.sum(axis=1).mean(),
            "outputs at 0": (proba < 2 * EPSILON).mean(),
            "outputs at 1": (proba > 1 - 2 * EPSILON).mean(),
        }
    write_counts(
        args.out / "outputs-counts.csv",
        data.target,
        found,
        data.groups,
        data.target_names,
    )
    truly = np.sum(data.target, axis=1).mean()
    return [
        f"{args.backbones[0]}, {several(args)} ({truly:.2f} on average). The network's "
        "outputs go through "
        "ReLU, tanh or sigmoid, are clipped to [1e-7, 1 − 1e-7] and taken for "
        "probabilities by binary cross-entropy, as in Keras. The optimiser is AdamW "
        f"with a constant rate of {LEARNING_RATE:g}. An image has the labels whose "
        'output is at least 0.5. "At 0" and "at 1" are the shares of outputs out of '
        "fold that are clipped there; from these nothing is learnt.",
        beside_source(pd.DataFrame(rows).T, CELL_TABLES["outputs"]),
    ]
