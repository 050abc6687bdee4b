"""What every network classifier shares: from images and labels to trained weights."""

from abc import abstractmethod

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split
from skorch.utils import noop

from emclassify._images import ImageInputMixin
from emclassify.classifiers._network import build_network, restore_kept, state_to_keep
from emclassify.metrics._targets import check_indicator, choose_labels, is_multilabel
from emclassify.training import (
    EpochCheckpoint,
    EpochProgress,
    FiniteLoss,
    ImageBatches,
    ImageDataset,
    canonical_order,
    class_factors,
    image_digests,
    isolated,
    make_schedule,
    raised_by_callback,
    repeat_by_weight,
    reset_rates,
    resolve_compile,
    resolve_device,
    resolve_threads,
    training_key,
    validation_split,
)

__all__ = ["BaseImageClassifier"]


class BaseImageClassifier(ImageInputMixin, ClassifierMixin, BaseEstimator):
    """Trains a network through skorch behind scikit-learn's interface.

    Children list the parameters and return the network from `_make_net`.
    """

    _reads_stored = True
    # Groups of weights for skorch: (pattern of names, {"lr_factor": factor on lr}).
    _param_groups = ()
    # Callbacks that the network needs in training: (name, callback).
    _net_callbacks = ()

    def __sklearn_tags__(self):
        """Say that an image may have several labels.

        Normalised one by one, images of two pixels, as scikit-learn's checks have
        them, have little to tell them apart.
        """
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.poor_score = self.normalization == "image"
        return tags

    @abstractmethod
    def _make_net(self, image_shape, n_classes, n_features):
        """Return the untrained network."""

    def _features(self, images):
        """Return numbers (n, n_features) for the network beside the images.

        None unless a child has any.
        """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
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
            class only.
        """
        again = self.warm_start and hasattr(self, "net_")
        images = self._validate_images(X, reset=not again)
        target = self._encode_labels(images, y, reset=not again)
        train, valid = self._make_datasets(images, target, sample_weight, groups)
        if not again:
            self._initialize(train)
        checkpoint = self._make_checkpoint(images, target, train, valid)
        with self._isolated(train=True):
            self._train(train, valid, self.max_epochs, self.lr_schedule, checkpoint)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
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
            As in `fit`.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        first = not hasattr(self, "net_")
        images = self._validate_images(X, reset=first)
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = np.unique(classes)
            if not first and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"classes={classes.tolist()} is not the same as in the first call "
                    f"to partial_fit, {self.classes_.tolist()}."
                )
        target = self._encode_labels(images, y, reset=first, classes=classes)
        train = self._make_dataset(
            images,
            self._features(images),
            target,
            np.arange(len(images)),
            sample_weight,
        )
        if first:
            self._initialize(train)
        with self._isolated(train=True):
            self._train(train, None, 1, None)
        return self

    def predict_proba(self, X):
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
        dataset = ImageDataset(images, features=self._features(images))
        # Kept in one piece: small tensors among large ones would tear the heap.
        logits = torch.empty(len(images), len(self.classes_))
        done = 0
        with self._isolated(train=False):
            for batch in self.net_.forward_iter(dataset, training=False):
                logits[done : done + len(batch)] = batch
                done += len(batch)
        # Batches come size by size: back into the order of X.
        logits = logits[torch.argsort(torch.cat(dataset.runs()))]
        logits = logits.double()
        return (logits.sigmoid() if self.multilabel_ else logits.softmax(1)).numpy()

    def predict(self, X):
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

    def _choose_labels(self, proba):
        """Return what `predict` says where `predict_proba` says `proba`."""
        return choose_labels(proba, self.classes_, self.multilabel_)

    def _encode_labels(self, images, y, *, reset, classes=None):
        """Set or use `classes_`; return class indices, or an indicator matrix."""
        multilabel = is_multilabel(y)
        if not reset and multilabel != self.multilabel_:
            several = "several labels" if self.multilabel_ else "one label"
            raise ValueError(
                f"y has shape {np.shape(y)}, but {type(self).__name__} was fitted on "
                f"{several} an image."
            )
        self.multilabel_ = multilabel
        if multilabel:
            known = classes if reset else self.classes_
            indicator = check_indicator(y, len(images), known)
            self.classes_ = np.arange(indicator.shape[1])
            return indicator
        y = validate_data(self, X="no_validation", y=y)
        y = column_or_1d(y, warn=True)
        check_consistent_length(images, y)
        check_classification_targets(y)
        if reset:
            self.classes_ = np.unique(y) if classes is None else classes
            if len(self.classes_) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs samples of at least 2 classes; y "
                    f"holds one class only, {self.classes_[0]!r}."
                )
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            raise ValueError(
                f"y holds labels that are not among classes_ "
                f"{self.classes_.tolist()}: {np.unique(y[unknown]).tolist()}."
            )
        return np.searchsorted(self.classes_, y)

    def _make_datasets(self, images, target, sample_weight, groups):
        """Return the training set, and the validation set or None."""
        if groups is not None:
            groups = column_or_1d(groups)
            check_consistent_length(images, groups)
        index, content = canonical_order(images, target)
        features = self._features(images)
        if not self.early_stopping:
            train = self._make_dataset(images, features, target, index, sample_weight)
            return train, None
        if groups is None and content.max() + 1 < len(content):
            # Copies, as oversampling makes them, must not stand on both sides.
            groups = content
        train, valid = validation_split(
            target[index],
            None if groups is None else groups[index],
            self.validation_fraction,
            check_random_state(self.random_state),
        )
        return tuple(
            self._make_dataset(images, features, target, index[side], sample_weight)
            for side in (train, valid)
        )

    def _make_dataset(self, images, features, target, index, sample_weight):
        """Return the samples at `index`, with the product of both kinds of weight."""
        sample_weight = _check_sample_weight(
            sample_weight, images, dtype=np.float64, ensure_non_negative=True
        )
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
        weight *= weight.size / weight.sum()
        return ImageDataset(images, target, weight, rows, features)

    def _initialize(self, train):
        """Build the network with fresh weights."""
        self._rng = check_random_state(self.random_state)
        self.device_ = str(resolve_device(self.device))
        self._net_input = tuple(train.stacks[0].shape[1:]), train.n_features
        with self._isolated(train=True):
            self.net_ = build_network(self, train)
        self.history_ = self.net_.history

    def _make_checkpoint(self, images, target, train, valid):
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

    def _make_bare_net(self):
        """Return the network that `net_` has, with any weights.

        A child whose `_make_net` fetches or reads weights leaves that out here.
        """
        image_shape, n_features = self._net_input
        return self._make_net(image_shape, len(self.classes_), n_features)

    def __setstate__(self, state):
        super().__setstate__(state)
        if hasattr(self, "net_"):
            # skorch moves the network to the CPU where its device isn't there.
            self.device_ = str(self.net_.device)

    # How files hold it: see `emclassify.save`.
    _state_to_keep = state_to_keep
    _restore_kept = restore_kept

    def _train(self, train, valid, n_epochs, lr_schedule, checkpoint=None):
        """Train `net_` for some epochs, with the callbacks of this run only."""
        train.move_to(torch.device(self.device_), shared_with=valid)
        n_steps = n_epochs * len(ImageBatches(train, self.batch_size))
        net = self.net_
        run = [("finite_loss", FiniteLoss()), *self._net_callbacks]
        run += make_schedule(lr_schedule, reset_rates(net.optimizer_, self.lr), n_steps)
        if valid is not None:
            stopping = EarlyStopping(
                monitor="valid_loss",
                patience=self.n_iter_no_change,
                load_best=True,
                sink=noop,
            )
            run.append(("early_stopping", stopping))
        done = 0
        if checkpoint is not None:
            run.append(("checkpoint", checkpoint))
            done = checkpoint.restore_history(self.net_)
        if self.verbose:
            threads = "" if self.device_ != "cpu" else f", {self._threads()} thread(s)"
            title = f"{type(self).__name__} ({self.device_}{threads})"
            # Before the checkpoint, which comes last.
            run.insert(0, ("progress", EpochProgress(title, n_epochs, done)))
        # Somebody's callback may want to see losses batch by batch.
        net.one_sync = self.device_ != "cpu" and not self.callbacks
        net.callbacks = [*run, *(self.callbacks or [])]
        net.train_split = None if valid is None else predefined_split(valid)
        net.initialize_callbacks()
        # Not net.partial_fit, which takes a user's interrupt for the end of training.
        net.notify("on_train_begin", X=train, y=None)
        try:
            net.fit_loop(train, epochs=n_epochs - done)
        except KeyboardInterrupt as interrupt:
            if not raised_by_callback(interrupt):
                raise
        finally:
            net.notify("on_train_end", X=train, y=None)
        if checkpoint is not None:
            checkpoint.remove()
        self.history_ = net.history
        # They hold the validation images and a copy of the weights.
        net.train_split = None
        net.callbacks = list(self.callbacks or [])
        done = {name for name, _ in run}
        net.callbacks_ = [c for c in net.callbacks_ if c[0] not in done]

    def _threads(self):
        return resolve_threads(self.n_threads, self.random_state)

    def _isolated(self, *, train):
        """Guard the caller's random state and threads; seed torch for training."""
        seed = self._rng.randint(np.iinfo(np.int32).max) if train else None
        device = torch.device(self.device_)
        compiled = resolve_compile(self.compile, self.device)
        return isolated(device, self._threads(), seed, compiled)
