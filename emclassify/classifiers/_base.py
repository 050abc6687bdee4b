"""What every network classifier shares: from images and labels to trained weights."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn

from emclassify._fit_state import unchanged_if_refused
from emclassify._groups import check_groups
from emclassify._images import ImageInputMixin
from emclassify._incoming import plain_array
from emclassify.classifiers._convergence import LearningCurveMixin, judge_training
from emclassify.classifiers._failed_training import as_before_if_it_fails
from emclassify.classifiers._keeping import KeptNetMixin
from emclassify.classifiers._labels import LabelsMixin
from emclassify.classifiers._length import TrainingLengthMixin, set_length
from emclassify.classifiers._settings import (
    changed_settings,
    refuse_fixed,
    settings_of,
)
from emclassify.nets import MaskedNet
from emclassify.training import (
    ConfusionOfBest,
    EpochCheckpoint,
    EpochProgress,
    FiniteLoss,
    ImageBatches,
    ImageDataset,
    ImageModule,
    OwnRandomState,
    TrainingRecord,
    TrainingRun,
    canonical_order,
    carry_over,
    class_factors,
    forward,
    image_digests,
    isolated,
    load_weights,
    looks_all_ways,
    make_augmentation,
    make_early_stopping,
    make_schedule,
    make_training_net,
    repeat_by_weight,
    reset_rates,
    resolve_compile,
    resolve_device,
    resolve_precision,
    resolve_threads,
    run_epochs,
    training_key,
    validation_split,
)

__all__ = ["BaseImageClassifier"]

# From images and labels to what `canonical_order` returns.
OrderOf = Callable[[Sequence[np.ndarray], np.ndarray], tuple[np.ndarray, np.ndarray]]

_PREDICTED_AT_ONCE = 128


class BaseImageClassifier(
    KeptNetMixin,
    LearningCurveMixin,
    TrainingLengthMixin,
    LabelsMixin,
    ImageInputMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Trains a network through skorch behind scikit-learn's interface.

    Children list the parameters and return the network from `_make_net`.
    """

    _reads_stored = True
    # Groups of weights for skorch: (pattern of names, {"lr_factor": factor on lr}).
    _param_groups: Sequence[tuple[str, dict]] = ()
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

    @abstractmethod
    def _make_net(
        self, image_shape: Sequence[int], n_classes: int, n_features: int
    ) -> nn.Module:
        """Return the untrained network."""

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
                _check_weights(images, sample_weight),
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

    def _make_datasets(
        self,
        images: np.ndarray | list[np.ndarray],
        target: np.ndarray,
        sample_weight: ArrayLike | None,
        groups: ArrayLike | None,
        order_of: OrderOf,
    ) -> tuple[ImageDataset, ImageDataset | None]:
        """Return the training set, and the validation set or None."""
        if groups is not None:
            groups = check_groups(groups, len(images))
        weight = _check_weights(images, sample_weight)
        index, content = order_of(images, target)
        if (weight > 0).any():
            # The others are left out, of the validation split too.
            index = index[weight[index] > 0]
        features = self._features(images, fitted=False)
        if not self.early_stopping:
            train = self._make_dataset(images, features, target, index, weight)
            return train, None
        if groups is None and len(np.unique(content[index])) < len(index):
            # Copies, as oversampling makes them, must not stand on both sides.
            groups = content
        random_state = self.random_state
        if random_state is None and self.checkpoint_dir is not None:
            random_state = 0  # a training that goes on has to find its split again
        train, valid = validation_split(
            target[index],
            None if groups is None else groups[index],
            self.validation_fraction,
            check_random_state(random_state),
        )
        return tuple(
            self._make_dataset(images, features, target, index[side], weight)
            for side in (train, valid)
        )

    def _make_dataset(
        self,
        images: np.ndarray | list[np.ndarray],
        features: np.ndarray | None,
        target: np.ndarray,
        index: np.ndarray,
        sample_weight: np.ndarray,
        *,
        rescaled: bool = True,
    ) -> ImageDataset:
        """Return the samples at `index`, with the product of both kinds of weight.

        If `rescaled`, its mean is 1.
        """
        rows, weight = repeat_by_weight(sample_weight[index])
        rows = index[rows]
        target = target[rows]
        factor = class_factors(self.class_weight, target, self.classes_)
        # One weight a sample; with several labels, one for each label of a sample.
        weight = (weight * factor.T).T
        if weight.sum() <= 0:
            raise ValueError(
                "class_weight and sample_weight leave no sample with a positive weight."
            )
        if rescaled:
            weight *= weight.size / weight.sum()
        return ImageDataset(images, target, weight, rows, features)

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


def _check_weights(
    images: Sequence[np.ndarray], sample_weight: ArrayLike | None
) -> np.ndarray:
    """Return the weight of each image, finite and not negative; 1 without any."""
    return _check_sample_weight(
        plain_array(sample_weight, "sample_weight"),
        images,
        dtype=np.float64,
        ensure_non_negative=True,
    )
