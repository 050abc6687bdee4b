"""What every network classifier shares: from images and labels to trained weights."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback

from emclassify._fit_state import unchanged_if_refused
from emclassify._images import ImageInputMixin
from emclassify.classifiers._building import BuiltNetMixin
from emclassify.classifiers._callbacks import check_callbacks
from emclassify.classifiers._convergence import LearningCurveMixin, judge_training
from emclassify.classifiers._failed_training import as_before_if_it_fails
from emclassify.classifiers._keeping import KeptNetMixin
from emclassify.classifiers._labels import LabelsMixin
from emclassify.classifiers._length import TrainingLengthMixin, set_length
from emclassify.classifiers._samples import OrderOf, SamplesMixin, check_weights
from emclassify.training import (
    ConfusionOfBest,
    EpochCheckpoint,
    EpochProgress,
    FiniteLoss,
    ImageBatches,
    ImageDataset,
    OwnRandomState,
    TrainingRecord,
    TrainingRun,
    canonical_order,
    forward,
    image_digests,
    isolated,
    make_early_stopping,
    make_schedule,
    reset_rates,
    resolve_compile,
    resolve_threads,
    run_epochs,
    training_key,
)

__all__ = ["BaseImageClassifier"]


class BaseImageClassifier(
    BuiltNetMixin,
    KeptNetMixin,
    LearningCurveMixin,
    TrainingLengthMixin,
    LabelsMixin,
    SamplesMixin,
    ImageInputMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Trains a network through skorch behind scikit-learn's interface.

    Children list the parameters and return the network from `_make_net`.
    """

    _reads_stored = True
    # Callbacks that the network needs in training.
    _net_callbacks: Sequence[tuple[str, Callback]] = ()

    def __sklearn_tags__(self) -> Tags:
        """Say that an image may have several labels.

        Normalised one by one, images of two pixels, as scikit-learn's checks have
        them, have little to tell them apart.
        """
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.poor_score = self.normalization == "image"
        return tags

    def _features(
        self, images: Sequence[np.ndarray], *, fitted: bool = True
    ) -> np.ndarray | None:
        """Return numbers (n, n_features) beside the images, if a child has any."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like
            Images: (n, height, width), (n, height, width, channels), or flat rows.
        y : array-like of shape (n,) or (n, n_labels)
            Labels of any kind; or several labels an image, as an indicator matrix of
            0 and 1.
        sample_weight : array-like of shape (n,), default=None
            Finite, not negative; see Notes of the class.
        groups : array-like of shape (n,), default=None
            Samples of one group never stand on both sides of the validation split.
            Without `early_stopping` there is no split, and they have no effect.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If images, labels, weights or parameters are no good, or `y` holds one
            class only; or if the loss is no longer finite. The estimator is then what
            it was before.
        """
        again = self.warm_start and hasattr(self, "net_")
        with as_before_if_it_fails(self, trains_on=again):
            train, valid, checkpoint = self._prepare(X, y, sample_weight, groups)
            # If the user interrupts, nobody knows.
            vars(self).pop("converged_", None)
            with self._isolated(self._draw_seed()):
                run, record = self._make_run(train, valid, checkpoint)
                run_epochs([run])
        if checkpoint is not None:
            checkpoint.remove()
        self.converged_ = judge_training(self, run, record, len(train))
        return self

    def _prepare(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        order_of: OrderOf = canonical_order,
    ) -> tuple[ImageDataset, ImageDataset | None, EpochCheckpoint | None]:
        """Do all of `fit` that may refuse; return what there is to train on."""
        again = self.warm_start and hasattr(self, "net_")
        with unchanged_if_refused(self):
            check_callbacks(self.callbacks)
            images = self._validate_images(X, reset=not again)
            target = self._encode_labels(images, y, reset=not again)
            train, valid = self._make_datasets(
                images, target, sample_weight, groups, order_of
            )
            set_length(self, len(train))
            if again:
                self._take_over_settings()
            else:
                self._initialize(train)
            return train, valid, self._make_checkpoint(images, target, train, valid)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on these images, at the constant rate `lr`.

        Parameters
        ----------
        X : array-like
            Images, as in `fit`.
        y : array-like of shape (n,) or (n, n_labels)
            Labels, as in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call. For an indicator
            matrix, the numbers of its columns. The pixel statistics of
            `normalization` are those of the first call.
        sample_weight : array-like of shape (n,), default=None
            As in `fit`, which brings the mean of all weights to 1. Here they count as
            they are, those of `class_weight` too: calls weigh against each other.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in `fit`; also if `class_weight` is "balanced" or "complement", which
            take all samples together: give a dict.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f'class_weight="{self.class_weight}" is not supported for partial_fit, '
                "which does not see all samples: give a dict, as from "
                "sklearn.utils.class_weight.compute_class_weight."
            )
        first = not hasattr(self, "net_")
        with unchanged_if_refused(self):
            check_callbacks(self.callbacks)
            images = self._validate_images(X, reset=first)
            if first and classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit."
                )
            if classes is not None:
                classes = np.unique(classes)
                if not first and not np.array_equal(classes, self.classes_):
                    raise ValueError(
                        f"classes={classes.tolist()} is not the same as in the first "
                        f"call to partial_fit, {self.classes_.tolist()}."
                    )
            target = self._encode_labels(images, y, reset=first, classes=classes)
            train = self._make_dataset(
                images,
                self._features(images, fitted=not first),
                target,
                np.arange(len(images)),
                check_weights(images, sample_weight),
                rescaled=False,
            )
            self.batch_size_ = self.training_length(len(train), len(self.classes_))[1]
            if first:
                self._initialize(train)
            else:
                self._take_over_settings()
        with (
            as_before_if_it_fails(self, trains_on=not first),
            self._isolated(self._draw_seed()),
        ):
            run, _ = self._make_run(train, None, None, n_epochs=1)
            run_epochs([run])
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`. Rows sum to one; with several labels an image,
            each number stands by itself.
        """
        check_is_fitted(self)
        images = self._validate_images(X, reset=False)
        features = self._features(images)
        with self._isolated():
            dataset = ImageDataset(images, features=features)
            logits = forward(self.net_, dataset, len(self.classes_)).double()
            return (logits.sigmoid() if self.multilabel_ else logits.softmax(1)).numpy()

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable label of each image, or all of at least one half.

        Parameters
        ----------
        X : array-like
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n,) or (n, n_labels)
            Labels, or the indicator matrix of those with a probability of at least
            0.5.
        """
        return self._choose_labels(self.predict_proba(X))

    def _make_checkpoint(
        self,
        images: np.ndarray | list[np.ndarray],
        target: np.ndarray,
        train: ImageDataset,
        valid: ImageDataset | None,
    ) -> EpochCheckpoint | None:
        """Return what keeps the state of this training, or None."""
        if self.checkpoint_dir is None:
            return None
        for name, unfit in (
            ("callbacks", bool(self.callbacks)),
            ('device="accelerate"', self.device == "accelerate"),
        ):
            if unfit:
                raise ValueError(
                    f"checkpoint_dir is given together with {name}, whose state it "
                    "does not keep: leave one of them out."
                )
        key = training_key(
            self, self.net_.module_, (train, valid), image_digests(images, target)
        )
        return EpochCheckpoint(self.checkpoint_dir, key)

    def _make_run(
        self,
        train: ImageDataset,
        valid: ImageDataset | None,
        checkpoint: EpochCheckpoint | None,
        *,
        n_epochs: int | None = None,
        random: OwnRandomState | None = None,
    ) -> tuple[TrainingRun, TrainingRecord]:
        """Return the training of `net_` as the parameters say, and what records it.

        With `n_epochs`, it is at a constant rate.
        """
        net = self.net_
        train.move_to(torch.device(self.device_), shared_with=valid)
        net.batch_size = self.batch_size_  # "auto" goes with each set
        schedule = self.lr_schedule if n_epochs is None else None
        n_epochs = n_epochs or self.max_epochs_
        n_steps = n_epochs * len(ImageBatches(train, self.batch_size_))
        reset_rates(net.optimizer_, self.lr)
        record = TrainingRecord(
            len(self.classes_), self.multilabel_, keeps_last=valid is None
        )
        run = [("finite_loss", FiniteLoss()), ("record", record), *self._net_callbacks]
        run += make_schedule(schedule, n_steps)
        if valid is not None:
            stopping = make_early_stopping(self.n_iter_no_change)
            run.append(("early_stopping", stopping))
            run.append(("confusion_of_best", ConfusionOfBest(record, stopping)))
        done = 0
        if checkpoint is not None:
            run.append(("checkpoint", checkpoint))
            done = checkpoint.restore_history(net)
        self._ready_net()
        if self.verbose:
            # Before the checkpoint, which comes last.
            run.insert(0, ("progress", EpochProgress(self._title(), n_epochs, done)))
        # Somebody's callback may want to see losses batch by batch.
        net.one_sync = self.device_ != "cpu" and not self.callbacks
        self.history_ = net.history
        return TrainingRun(
            net,
            train,
            valid,
            n_epochs,
            run_callbacks=run,
            callbacks=self.callbacks or [],
            n_done=done,
            random=random,
        ), record

    def _ready_net(self) -> None:
        """Bring the network to where a run begins, by the epochs in its history."""

    def _title(self) -> str:
        """Return what stands before the progress bar."""
        threads = "" if self.device_ != "cpu" else f", {self._threads()} thread(s)"
        return f"{type(self).__name__} ({self.device_}{threads})"

    def _threads(self) -> int:
        return resolve_threads(self.n_threads)

    def _draw_seed(self) -> int:
        """Return what the next training, or fresh weights, are drawn from."""
        return self._rng.randint(np.iinfo(np.int32).max)

    def _isolated(self, seed: int | None = None) -> AbstractContextManager[None]:
        """Guard the caller's random state and threads; seed torch for training."""
        device = torch.device(self.device_)
        compiled = resolve_compile(self.compile, self.device)
        return isolated(device, self.n_threads, seed, compiled)
