"""CNNClassifier: any torch network as a scikit-learn classifier."""

import math
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split

from .._images import ImageInputMixin
from ..nets import LipNet4
from ..training import (
    OPTIMIZERS,
    SCHEDULES,
    EpochProgress,
    ImageBatches,
    ImageDataset,
    ImageModule,
    WeightedCrossEntropyLoss,
    canonical_order,
    isolated,
    make_augmentation,
    make_optimizer,
    make_schedule,
    repeat_by_weight,
    resolve_device,
    resolve_precision,
    resolve_threads,
    validation_split,
)

__all__ = ["CNNClassifier"]


class CNNClassifier(ImageInputMixin, ClassifierMixin, BaseEstimator):
    """A convolutional neural network as a scikit-learn classifier.

    Training runs through skorch; the fitted `skorch.NeuralNetClassifier` is in
    `net_`. Images keep their dtype (uint8, uint16, float) in memory; conversion,
    normalisation and augmentation happen batch by batch on the device.

    Parameters
    ----------
    net : callable, default=None
        ``net(image_shape, n_classes)`` returns a `torch.nn.Module` that turns float
        tensors (n, channels, height, width) into logits (n, n_classes).
        `image_shape` is (height, width, channels). None is LipNet-4.
    max_epochs : int, default=20
        Passes over the training images.
    batch_size : int, default=128
        Images in a batch, at most.
    lr : float, default=0.003
        Learning rate; the highest one where `lr_schedule` varies it.
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        "sgd" has Nesterov momentum 0.9.
    lr_schedule : {"one_cycle", "cosine"} or None, default="one_cycle"
        How the learning rate changes from batch to batch. `partial_fit` keeps it
        constant.
    weight_decay : float, default=0.01
    label_smoothing : float, default=0.1
        Share of a label's probability that is spread over all classes, in [0, 1).
    class_weight : dict, "balanced" or None, default=None
        Factor on the loss of each class; "balanced" is n / (n_classes · count).
    augmentation : {"auto", "dihedral"}, callable, list or None, default="auto"
        What happens to a training batch, a float tensor (n, channels, height,
        width). "dihedral" is flips and quarter turns; "auto" is the same, but
        nothing for images of one row or column. See `emclassify.training`.
    normalization : {"dataset", "image"}, default="dataset"
        Whether to bring pixels to mean 0 and standard deviation 1 by the statistics
        of each channel over the training set, or of each image by itself.
    early_stopping : bool, default=False
        Whether to hold out a validation set, stop when its loss has not improved for
        `n_iter_no_change` epochs, and take the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of samples held out for `early_stopping`. Classes keep their shares;
        with `groups`, whole groups are held out.
    n_iter_no_change : int, default=10
        Epochs of patience for `early_stopping`.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        "auto" computes in bfloat16 where the hardware does it natively.
    device : str or torch.device, default="auto"
        "auto" is a GPU where there is one, else the CPU.
    n_threads : int, default=None
        CPU threads. None is 1 where `random_state` is set, since results depend on
        the number of threads in their last bits and joblib's workers have fewer than
        the main process; without `random_state`, all that torch has.
    callbacks : list, default=None
        More skorch callbacks: instances or (name, instance).
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last call.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X; without it a row of a 2-D X is an
        image of one row.
    random_state : int, RandomState instance or None, default=None
        Initial weights, shuffling, augmentation, dropout and validation split. The
        global random states of NumPy and torch are neither used nor changed.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels as they came.
    net_ : skorch.NeuralNetClassifier
        The trained network, ``net_.module_``.
    history_ : skorch.history.History
        One record an epoch: train_loss, valid_loss with `early_stopping`, dur
        (seconds). ``pandas.DataFrame`` takes its ``to_list()``.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`.
    device_ : str
        Where it was trained.

    See Also
    --------
    LipNetClassifier : The networks of the liposome thesis.

    Notes
    -----
    `sample_weight` follows scikit-learn's contract exactly: a weight of two is the
    sample given twice, zero is the sample left out. A sample of weight w comes
    ceil(w) times an epoch with w / ceil(w) on its loss, each copy augmented afresh.

    The order of the rows of X does not matter: the same samples and the same
    `random_state` give the same network.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import CNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 8, 8)) + np.repeat([0, 2], 20)[:, None, None]
    >>> y = np.repeat(["dim", "bright"], 20)
    >>> clf = CNNClassifier(max_epochs=5, random_state=0).fit(X, y)
    >>> clf.predict(X[[0, -1]])
    array(['dim', 'bright'], dtype='<U6')
    """

    _parameter_constraints = {
        "net": [callable, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "lr_schedule": [StrOptions(set(SCHEDULES)), None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "augmentation": [StrOptions({"auto", "dihedral"}), callable, list, None],
        "normalization": [StrOptions({"dataset", "image"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "device": [str, torch.device],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "callbacks": [list, None],
        "warm_start": ["boolean"],
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        net=None,
        *,
        max_epochs=20,
        batch_size=128,
        lr=0.003,
        optimizer="adamw",
        lr_schedule="one_cycle",
        weight_decay=0.01,
        label_smoothing=0.1,
        class_weight=None,
        augmentation="auto",
        normalization="dataset",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        precision="auto",
        device="auto",
        n_threads=None,
        callbacks=None,
        warm_start=False,
        image_shape=None,
        random_state=None,
        verbose=0,
    ):
        self.net = net
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.augmentation = augmentation
        self.normalization = normalization
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.precision = precision
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.image_shape = image_shape
        self.random_state = random_state
        self.verbose = verbose

    def _make_net(self, image_shape, n_classes):
        """Return the untrained network; children override it."""
        return (self.net or LipNet4)(image_shape, n_classes)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network.

        Parameters
        ----------
        X : array-like
            Images: (n, height, width), (n, height, width, channels), or flat rows.
        y : array-like of shape (n,)
            Labels of any kind.
        sample_weight : array-like of shape (n,), default=None
            Finite, not negative; see Notes of the class.
        groups : array-like of shape (n,), default=None
            Samples of one group never stand on both sides of the validation split.
            Without `early_stopping` there is no split, and they have no effect.

        Returns
        -------
        self : CNNClassifier

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
        with self._isolated(train=True):
            self._train(train, valid, self.max_epochs, self.lr_schedule)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these images, at the constant rate `lr`.

        Parameters
        ----------
        X : array-like
            Images, as in `fit`.
        y : array-like of shape (n,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call. The pixel
            statistics of `normalization` are those of the first call.
        sample_weight : array-like of shape (n,), default=None
            As in `fit`.

        Returns
        -------
        self : CNNClassifier
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
            images, target, np.arange(len(images)), sample_weight
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
            In the order of `classes_`; rows sum to one.
        """
        check_is_fitted(self)
        images = self._validate_images(X, reset=False)
        dataset = ImageDataset(images)
        with self._isolated(train=False):
            logits = [
                batch.cpu() for batch in self.net_.forward_iter(dataset, training=False)
            ]
            return torch.cat(logits).double().softmax(dim=1).numpy()

    def predict(self, X):
        """Return the most probable label of each image.

        Parameters
        ----------
        X : array-like
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n,)
        """
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]

    def _encode_labels(self, images, y, *, reset, classes=None):
        """Set or use `classes_`; return class indices."""
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
        index = canonical_order(images, target)
        if not self.early_stopping:
            return self._make_dataset(images, target, index, sample_weight), None
        train, valid = validation_split(
            target[index],
            None if groups is None else groups[index],
            self.validation_fraction,
            check_random_state(self.random_state),
        )
        return (
            self._make_dataset(images, target, index[train], sample_weight),
            self._make_dataset(images, target, index[valid], sample_weight),
        )

    def _make_dataset(self, images, target, index, sample_weight):
        """Return the samples at `index`, with the product of both kinds of weight."""
        sample_weight = _check_sample_weight(
            sample_weight, images, dtype=np.float64, ensure_non_negative=True
        )
        rows, weight = repeat_by_weight(sample_weight[index])
        rows = index[rows]
        target = target[rows]
        present = np.unique(target)
        factor = np.ones(len(self.classes_))
        factor[present] = compute_class_weight(
            self.class_weight, classes=self.classes_[present], y=self.classes_[target]
        )
        weight = weight * factor[target]
        if weight.sum() <= 0:
            raise ValueError(
                "class_weight and sample_weight leave no sample with a positive weight."
            )
        return ImageDataset(images, target, weight * (len(weight) / weight.sum()), rows)

    def _initialize(self, train):
        """Build the network with fresh weights."""
        self._rng = check_random_state(self.random_state)
        device = resolve_device(self.device)
        self.device_ = str(device)
        optimizer, optimizer_params = make_optimizer(
            self.optimizer, self.lr, self.weight_decay
        )
        mean, std = (
            train.channel_statistics()
            if self.normalization == "dataset"
            else (None, None)
        )
        with self._isolated(train=True):
            module = ImageModule(
                self._make_net(self.image_shape_, len(self.classes_)),
                mean,
                std,
                make_augmentation(self.augmentation, self.image_shape_),
                resolve_precision(self.precision, device),
            )
            self.net_ = NeuralNetClassifier(
                module,
                criterion=WeightedCrossEntropyLoss(self.label_smoothing),
                optimizer=optimizer,
                **{f"optimizer__{key}": v for key, v in optimizer_params.items()},
                batch_size=self.batch_size,
                iterator_train=ImageBatches,
                iterator_train__shuffle=True,
                iterator_valid=ImageBatches,
                classes=np.arange(len(self.classes_)),
                callbacks__valid_acc=None,
                callbacks__print_log=None,
                device=self.device_,
                verbose=0,
            )
            self.net_.initialize()
        self.history_ = self.net_.history

    def _train(self, train, valid, n_epochs, lr_schedule):
        """Train `net_` for some epochs, with the callbacks of this run only."""
        n_steps = n_epochs * math.ceil(len(train) / self.batch_size)
        run = make_schedule(lr_schedule, self.lr, n_steps)
        if valid is not None:
            stopping = EarlyStopping(
                monitor="valid_loss",
                patience=self.n_iter_no_change,
                load_best=True,
                sink=_silent,
            )
            run.append(("early_stopping", stopping))
        if self.verbose:
            threads = "" if self.device_ != "cpu" else f", {self._threads()} thread(s)"
            title = f"{type(self).__name__} ({self.device_}{threads})"
            run.append(("progress", EpochProgress(title, n_epochs)))
        net = self.net_
        net.callbacks = [*run, *(self.callbacks or [])]
        net.train_split = None if valid is None else predefined_split(valid)
        net.initialize_callbacks()
        net.partial_fit(train, epochs=n_epochs)
        self.history_ = net.history

    def _threads(self):
        return resolve_threads(self.n_threads, self.random_state)

    def _isolated(self, *, train):
        """Guard the caller's random state and threads; seed torch for training."""
        seed = self._rng.randint(np.iinfo(np.int32).max) if train else None
        return isolated(torch.device(self.device_), self._threads(), seed)


def _silent(message):
    """Swallow skorch's notes: `history_` says what happened."""
