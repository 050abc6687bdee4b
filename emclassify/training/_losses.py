"""Losses that take a weight for each sample."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = [
    "LOSSES",
    "MULTILABEL_LOSSES",
    "WeightedBinaryCrossEntropyLoss",
    "WeightedBinaryFocalLoss",
    "WeightedCrossEntropyLoss",
    "WeightedFocalLoss",
]


class WeightedCrossEntropyLoss(nn.Module):
    """Cross-entropy, the mean over the batch of each sample's loss times its weight.

    The mean is over the number of samples, not over the sum of their weights: the
    weights average one over the training set, so a batch of light samples moves the
    network less than a batch of heavy ones. A sample's weight is a factor on its whole
    loss, the smoothed share of other classes too, as in Keras;
    ``torch.nn.CrossEntropyLoss(weight=...)`` gives each class's share that class's own.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the probability that is spread evenly over all classes.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(
        self, logits: torch.Tensor, y_true: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Return the loss of logits (n, n_classes) against (target, weight)."""
        target, weight = y_true
        loss = F.cross_entropy(
            logits, target, reduction="none", label_smoothing=self.label_smoothing
        )
        return (loss * weight).mean()


class WeightedFocalLoss(nn.Module):
    """Focal loss: cross-entropy times (1 − p)**gamma, with p of the true class.

    What the network already knows counts less, so that the many easy samples of a
    large class don't drown the few of a small one [1]_. With label smoothing, each
    class's term has the factor of that class's probability.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the probability that is spread evenly over all classes.
    gamma : float, default=2.0
        0 is cross-entropy.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017,
       equation 4.
    """

    def __init__(self, label_smoothing: float = 0.0, gamma: float = 2.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.gamma = gamma

    def forward(
        self, logits: torch.Tensor, y_true: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Return the loss of logits (n, n_classes) against (target, weight)."""
        target, weight = y_true
        log_p = F.log_softmax(logits, dim=1)
        n_classes = logits.shape[1]
        share = torch.full_like(log_p, self.label_smoothing / n_classes)
        share.scatter_(
            1,
            target[:, None],
            1 - self.label_smoothing * (n_classes - 1) / n_classes,
        )
        loss = -(share * (1 - log_p.exp()) ** self.gamma * log_p).sum(dim=1)
        return (loss * weight).mean()


class WeightedBinaryCrossEntropyLoss(nn.Module):
    """Binary cross-entropy of each label, the mean over batch and labels, weighted.

    For images with several labels: every label is a question of its own.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the probability that is spread evenly over present and absent.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(
        self, logits: torch.Tensor, y_true: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Return the loss of logits (n, n_labels) against (target, weight)."""
        target, weight = y_true
        share = _smooth(target, self.label_smoothing)
        loss = F.binary_cross_entropy_with_logits(logits, share, reduction="none")
        return (loss * weight).mean()


class WeightedBinaryFocalLoss(nn.Module):
    """Focal loss of each label: binary cross-entropy times (1 − p)**gamma [1]_.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the probability that is spread evenly over present and absent.
    gamma : float, default=2.0
        0 is binary cross-entropy.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017,
       equation 4.
    """

    def __init__(self, label_smoothing: float = 0.0, gamma: float = 2.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.gamma = gamma

    def forward(
        self, logits: torch.Tensor, y_true: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Return the loss of logits (n, n_labels) against (target, weight)."""
        target, weight = y_true
        share = _smooth(target, self.label_smoothing)
        present = logits.sigmoid()
        loss = -(
            share * (1 - present) ** self.gamma * F.logsigmoid(logits)
            + (1 - share) * present**self.gamma * F.logsigmoid(-logits)
        )
        return (loss * weight).mean()


def _smooth(target: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    return target.float() * (1 - label_smoothing) + label_smoothing / 2


LOSSES = {"cross_entropy": WeightedCrossEntropyLoss, "focal": WeightedFocalLoss}
MULTILABEL_LOSSES = {
    "cross_entropy": WeightedBinaryCrossEntropyLoss,
    "focal": WeightedBinaryFocalLoss,
}
