"""LearningRateRangeDisplay: the loss while the learning rate rises."""

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval, validate_params
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from emclassify._quiet_convergence import quiet_convergence
from emclassify.inspection._network import find_classifier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LearningRateRangeDisplay"]

_DIVERGED = 4.0  # times the lowest loss so far


class LearningRateRangeDisplay:
    """Loss against a learning rate that rises from batch to batch.

    Smith's range test [1]_: one short training, in which the rate grows by the same
    factor with every batch. The loss first stays, then falls, then rises again as the
    training diverges. Good rates lie where it falls.

    Parameters
    ----------
    lrs : array-like of shape (n_batches,)
        Rate of each batch, rising.
    losses : array-like of shape (n_batches,)
        Training loss of each batch.
    smoothing : float, default=5.0
        Standard deviation, in batches, of the Gaussian that smooths the losses.

    Attributes
    ----------
    smoothed_losses : ndarray of shape (n_batches,)
        Each a mean over batches before and after, so that the curve doesn't lag.
    suggestion : float or None
        A tenth of the rate with the lowest smoothed loss; None where the loss does not
        fall, or does not rise again by at least a tenth of the fall.
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes

    Notes
    -----
    The suggestion is a rule of thumb, and a place to begin: a rate for the parameter
    `lr`, the highest one under the schedule "one_cycle". The loss is that of training
    batches, each seen once or a few times, with augmentation and label smoothing; it
    does not say which rate generalises best. The curve changes with the batch size, the
    optimiser, the seed, and with how many batches the rise takes. Where the choice
    matters, let a `GridSearchCV` over a few rates about it decide.

    References
    ----------
    .. [1] L. N. Smith, "Cyclical learning rates for training neural networks",
       WACV 2017, section 3.3. The tenth is not from there.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import LearningRateRangeDisplay
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 40)
    >>> X = rng.normal(size=(80, 8, 8)) + y[:, None, None]
    >>> display = LearningRateRangeDisplay.from_estimator(
    ...     LipNetClassifier(batch_size=20, random_state=0), X, y, n_batches=30
    ... )
    >>> display.lrs[:2].round(8)
    array([1.000e-05, 1.487e-05])
    """

    def __init__(
        self, lrs: ArrayLike, losses: ArrayLike, *, smoothing: float = 5.0
    ) -> None:
        self.lrs = np.asarray(lrs, dtype=np.float64)
        self.losses = np.asarray(losses, dtype=np.float64)
        self.smoothing = smoothing

    @classmethod
    @validate_params(
        {
            "min_lr": [Interval(Real, 0, None, closed="neither")],
            "max_lr": [Interval(Real, 0, None, closed="neither")],
            "n_batches": [Interval(Integral, 2, None, closed="left")],
            "smoothing": [Interval(Real, 0, None, closed="neither")],
        },
        prefer_skip_nested_validation=False,
    )
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike,
        *,
        min_lr: float = 1e-5,
        max_lr: float = 1.0,
        n_batches: int = 200,
        smoothing: float = 5.0,
        ax: "Axes | None" = None,
    ) -> Self:
        """Train a clone while the rate rises, and draw.

        Training stops early where the loss is no longer finite, or is four times the
        lowest so far, both smoothed.

        Parameters
        ----------
        estimator : network classifier or Pipeline that ends in one
            Need not be fitted, and is not changed. All its parameters hold for the
            test, but `lr`, `lr_schedule`, `max_epochs`, `early_stopping`,
            `warm_start`, `callbacks` and `checkpoint_dir`.
        X : array-like
            Images for `estimator`. Only training ones: the rate is chosen on them.
        y : array-like of shape (n,) or (n, n_labels)
            Labels, or an indicator matrix.
        min_lr, max_lr : float, default=1e-5 and 1.0
            First and last rate.
        n_batches : int, default=200
            Batches to train on, in as many epochs as it takes.
        smoothing : float, default=5.0
            As for the class.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        LearningRateRangeDisplay

        Raises
        ------
        TypeError
            If `estimator` has no network of emclassify at its end.
        ValueError
            If `min_lr` is not below `max_lr`, or the loss is not finite from the start.
        """
        if not min_lr < max_lr:
            raise ValueError(f"min_lr must be below max_lr; got {min_lr} and {max_lr}.")
        trained = clone(estimator)
        classifier = find_classifier(trained, fitted=False)
        lrs = np.geomspace(min_lr, max_lr, n_batches)
        recorder = _LossRecorder(n_batches, smoothing)
        classifier.set_params(
            lr=float(min_lr),
            lr_schedule=_Factors(lrs / min_lr),
            max_epochs=n_batches,  # more than enough: the recorder ends it
            early_stopping=False,
            warm_start=False,
            callbacks=[recorder],
            checkpoint_dir=None,
        )
        with quiet_convergence():  # it is not meant to converge
            trained.fit(X, y)
        if len(recorder.losses) < 2:
            raise ValueError(
                f"The training loss is not finite at min_lr={min_lr}. Lower it."
            )
        lrs = lrs[: len(recorder.losses)]
        return cls(lrs, recorder.losses, smoothing=smoothing).plot(ax)

    @property
    def smoothed_losses(self) -> np.ndarray:
        """Losses without most of the noise between batches."""
        return gaussian_filter1d(self.losses, self.smoothing)

    @property
    def suggestion(self) -> float | None:
        """A rate to begin with, or None."""
        smooth = self.smoothed_losses
        lowest = int(smooth.argmin())
        fall, rise = smooth[0] - smooth[lowest], smooth[-1] - smooth[lowest]
        if fall <= 0 or rise < fall / 10:
            return None
        return float(self.lrs[lowest] / 10)

    def plot(self, ax: "Axes | None" = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        LearningRateRangeDisplay
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(layout="constrained")
        smooth, suggestion = self.smoothed_losses, self.suggestion
        ax.plot(self.lrs, self.losses, ".", color="0.7", label="a batch")
        ax.plot(self.lrs, smooth, color="#0072B2", label="smoothed")
        if suggestion is None:
            fell = smooth.min() < smooth[0]
            title = "no suggestion: the loss does not " + ("rise" if fell else "fall")
        else:
            ax.axvline(suggestion, color="#D55E00", linestyle="--", label="suggestion")
            title = f"suggestion: {suggestion:.2g}, a tenth of the rate at the lowest"
        ax.set_title(title, size="medium")
        ax.set_xscale("log")
        low, high = min(self.losses.min(), smooth.min()), smooth.max()
        margin = 0.1 * (high - low)
        ax.set_ylim(low - margin, high + margin)  # single batches may lie far above
        ax.set_xlabel("learning rate")
        ax.set_ylabel("training loss")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure.figure
        return self


class _Factors:
    """The factor on the rate of each batch."""

    def __init__(self, factors: np.ndarray) -> None:
        self.factors = factors

    def __call__(self, batch: int) -> float:
        # The scheduler asks for one more, after the last batch.
        return self.factors[min(batch, len(self.factors) - 1)]


class _LossRecorder(Callback):
    """Keeps the loss of each batch, and ends the training."""

    def __init__(self, n_batches: int, smoothing: float) -> None:
        self.n_batches = n_batches
        self.smoothing = smoothing

    def initialize(self) -> Self:
        self.losses = []
        return self

    def on_batch_end(
        self,
        net: NeuralNetClassifier,
        training: bool,
        loss: torch.Tensor,
        **kwargs: object,
    ) -> None:
        """Take the loss; stop after the last batch, or where there is no way back."""
        if not training:
            return
        loss = loss.item()
        if not math.isfinite(loss):
            raise KeyboardInterrupt
        self.losses.append(loss)
        smooth = gaussian_filter1d(np.array(self.losses), self.smoothing)
        if len(self.losses) == self.n_batches or smooth[-1] > _DIVERGED * smooth.min():
            raise KeyboardInterrupt
