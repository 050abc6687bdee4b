"""Whether a network was trained enough, from how its training went."""

from collections.abc import Sequence

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

__all__ = ["TrainingRecord", "never_said", "why_not_converged"]

# From 78 learning curves on five sets of images, at 100 to 5,200 images. Skill is
# (balanced accuracy − chance) / (1 − chance): 0 is guessing, 1 is no mistake.
_LEARNT = 0.9
_EACH_LEARNT = 0.5
_HARDLY_LEARNT = 0.4
_HARDLY_LEARNT_SEVERAL = 0.05
_STILL_FALLING = 0.25
_ENOUGH_OF_BUDGET = 0.6


def why_not_converged(
    losses: Sequence[float],
    confusion: np.ndarray | None,
    *,
    images_seen: int,
    budget: int,
    stopped: bool,
) -> str | None:
    """Return what speaks against a training having come to its end, or None.

    Parameters
    ----------
    losses : sequence of float
        Training loss of each epoch.
    confusion : ndarray of int of shape (k, k) or (n_labels, 2, 2), or None
        True by predicted classes of the epoch whose weights are kept, as the network
        saw the images; with several labels an image, absence and presence of each.
        None if no epoch came to its end.
    images_seen : int
        By the network, in all epochs.
    budget : int
        Images that such a set wants, from `auto_max_epochs`.
    stopped : bool
        Whether early stopping ended the training: the length is then the data's.

    Returns
    -------
    {"one class", "hardly learnt", "never said", "short", "falling"} or None

    Examples
    --------
    A hundred images of each of two classes, all said to be of the first:

    >>> import numpy as np
    >>> from emclassify.training._convergence import why_not_converged
    >>> confusion = np.array([[100, 0], [100, 0]])
    >>> given = {"images_seen": 4000, "budget": 4000, "stopped": False}
    >>> why_not_converged([0.7, 0.69], confusion, **given)
    'one class'
    >>> good = np.array([[99, 1], [2, 98]])
    >>> why_not_converged([0.7, 0.3, 0.2, 0.2], good, **given) is None
    True
    """
    if confusion is None:
        return None
    several = confusion.ndim == 3
    tables = confusion if several else confusion[np.newaxis]
    # Where all images are the same there is nothing to learn.
    varied = [table for table in tables if (table.sum(1) > 0).sum() > 1]
    if varied and all((table.sum(0) > 0).sum() <= 1 for table in varied):
        return "one class"
    skill = np.mean([_skill(table) for table in varied]) if varied else 1.0
    # The mean of many classes says little of a rare one that is still missed.
    worst = min(_recalls(table).min() for table in tables)
    if skill >= _LEARNT and worst >= _EACH_LEARNT:
        return None
    if skill < (_HARDLY_LEARNT_SEVERAL if several else _HARDLY_LEARNT):
        return "hardly learnt"
    if stopped:
        return None
    if never_said(confusion).any():
        return "never said"
    if images_seen < _ENOUGH_OF_BUDGET * budget:
        return "short"
    before = np.interp(0.7 * (len(losses) - 1), np.arange(len(losses)), losses)
    fallen = losses[0] - losses[-1]
    if fallen <= 0 or (before - losses[-1]) / fallen > _STILL_FALLING:
        return "falling"
    return None


def never_said(confusion: np.ndarray) -> np.ndarray:
    """Return which classes there are, but not among the predictions.

    None, where an image may have several labels: a rare one is often not said.
    """
    if confusion.ndim == 3:
        return np.zeros(len(confusion), dtype=bool)
    return (confusion.sum(1) > 0) & (confusion.sum(0) == 0)


def _recalls(table: np.ndarray) -> np.ndarray:
    """Return the share of each class that there is that was found."""
    n = table.sum(1)
    return np.diag(table)[n > 0] / n[n > 0]


def _skill(table: np.ndarray) -> float:
    """Return balanced accuracy, rescaled."""
    recalls = _recalls(table)
    n_classes = len(recalls)
    return (recalls.mean() * n_classes - 1) / (n_classes - 1)


class TrainingRecord(Callback):
    """Count right and wrong predictions of training batches, as they come.

    The history gets "train_accuracy" for each epoch: of the augmented images, with
    dropout, before the step of each batch.

    Parameters
    ----------
    n_classes : int
    multilabel : bool
    keeps_last : bool, default=True
        Whether the weights are those of the last epoch. If not, others say by `keep`
        which epoch's they are.

    Attributes
    ----------
    confusion_ : ndarray or None
        Of the epoch whose weights are kept, as `why_not_converged` takes it.
    """

    # After a captured epoch it is told of all batches at once.
    capturable = True

    def __init__(
        self, n_classes: int, multilabel: bool, keeps_last: bool = True
    ) -> None:
        self.n_classes = n_classes
        self.multilabel = multilabel
        self.keeps_last = keeps_last

    def keep(self) -> None:
        """Take the confusion of the epoch that is over for that of the weights."""
        self.confusion_ = self.of_epoch_

    def on_train_begin(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Start without any."""
        self.confusion_ = None
        size = 4 * self.n_classes if self.multilabel else self.n_classes**2
        self.counts_ = torch.zeros(size, dtype=torch.long, device=net.device)

    def on_epoch_begin(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Start from zero."""
        self.counts_.zero_()

    def on_batch_end(
        self,
        net: NeuralNetClassifier,
        batch: tuple,
        training: bool,
        y_pred: torch.Tensor,
        **kwargs: object,
    ) -> None:
        """Count a batch; nothing is read back from the device."""
        if not training:
            return
        target = batch[1].to(y_pred.device)
        if self.multilabel:
            labels = torch.arange(self.n_classes, device=y_pred.device)
            cells = 4 * labels + 2 * target + (y_pred >= 0)
        else:
            cells = self.n_classes * target + y_pred.argmax(1)
        cells = cells.flatten()
        self.counts_.scatter_add_(0, cells, torch.ones_like(cells))

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Write the accuracy into the history."""
        shape = (
            (self.n_classes, 2, 2) if self.multilabel else (1, *2 * [self.n_classes])
        )
        tables = self.counts_.cpu().numpy().reshape(shape).copy()
        self.of_epoch_ = tables if self.multilabel else tables[0]
        if self.keeps_last:
            self.keep()
        right = np.trace(tables, axis1=1, axis2=2).sum()
        net.history.record("train_accuracy", float(right / tables.sum()))
