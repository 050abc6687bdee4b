"""Losses that take a weight for each sample."""

import torch.nn.functional as F
from torch import nn

__all__ = ["WeightedCrossEntropyLoss"]


class WeightedCrossEntropyLoss(nn.Module):
    """Cross-entropy, the mean over the batch of each sample's loss times its weight.

    The mean is over the number of samples, not over the sum of their weights: the
    weights average one over the training set, so a batch of light samples moves the
    network less than a batch of heavy ones.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the probability that is spread evenly over all classes.
    """

    def __init__(self, label_smoothing=0.0):
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits, y_true):
        """Return the loss of logits (n, n_classes) against (target, weight)."""
        target, weight = y_true
        loss = F.cross_entropy(
            logits, target, reduction="none", label_smoothing=self.label_smoothing
        )
        return (loss * weight).mean()
