"""LipNetClassifier: the networks of the liposome thesis."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, Options

from emclassify.classifiers._cnn import CNNClassifier
from emclassify.nets import LipNet2, LipNet4, LipNet6, LipNet8, LipNet10

__all__ = ["LipNetClassifier"]

_NETS = {2: LipNet2, 4: LipNet4, 6: LipNet6, 8: LipNet8, 10: LipNet10}


class LipNetClassifier(CNNClassifier):
    """LipNet, the convolutional network of the liposome thesis.

    LipNet-4 has two 3×3 convolutions of 32 channels and two of 64 (the first of each
    pair same-padded, the second valid), each with batch normalisation and ReLU; 2×2
    max pooling and dropout after each pair; a dense layer of 512 with batch
    normalisation, ReLU and dropout; and a dense output with batch normalisation
    [1]_. The source trains on 28×28 images; any size will do here, one pixel up.

    The architecture is the thesis's. The default recipe is not: AdamW with a
    one-cycle learning rate over 20 epochs, label smoothing 0.1, flips and quarter
    turns. `as_published` has the thesis's.

    Parameters
    ----------
    depth : {2, 4, 6, 8, 10}, default=4
        Number of convolutions. The source names five networks and describes those of
        2, 4 and 6; 8 and 10 continue LipNet-4's blocks and are ours.
    dropout : float, default=None
        Share dropped after each pooling, in [0, 1). None is the network's own: 0.25,
        and 0 for LipNet-2.
    dropout_dense : float, default=None
        Share dropped after each dense layer, in [0, 1). None is the network's own:
        0.5, and 0 for LipNet-2.
    max_epochs : int, default=20
        Passes over the training images.
    batch_size : int, default=128
        Images in a batch, at most.
    lr : float, default=0.003
        Learning rate; the highest one where `lr_schedule` varies it.
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        "sgd" has Nesterov momentum 0.9.
    lr_schedule : {"one_cycle", "cosine"}, callable or None, default="one_cycle"
        How the learning rate changes from batch to batch.
    weight_decay : float, default=0.01
    loss : {"cross_entropy", "focal"}, default="cross_entropy"
        "focal" (gamma 2) counts samples less that the network already knows.
    label_smoothing : float, default=0.1
        Share of a label's probability that is spread over all classes, in [0, 1).
    class_weight : dict, {"balanced", "complement"} or None, default=None
        Factor on the loss of each class; "balanced" is n / (n_classes · count),
        "complement" is 1 − count / n. With several labels an image, "balanced" gives
        presence and absence of each the same weight; the others weigh presence.
    augmentation : str, callable, list of callables or None, default="auto"
        What happens to a training batch: "auto", "dihedral", "affine" or callables;
        see `CNNClassifier`.
    normalization : {"dataset", "image"}, default="dataset"
        Whether pixels are brought to mean 0 and standard deviation 1 over the
        training set or in each image.
    early_stopping : bool, default=False
        Whether to hold out a validation set, stop when its loss has not improved for
        `n_iter_no_change` epochs, and take the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of samples held out for `early_stopping`.
    n_iter_no_change : int, default=10
        Epochs of patience for `early_stopping`.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        "auto" computes in bfloat16 where the hardware does it natively, for images of
        at least 16 px a side.
    compile : bool or "auto", default="auto"
        Whether `torch.compile` compiles the network, on a GPU with CUDA graphs; see the
        user guide. "auto" does so where it has been measured to pay: nowhere yet.
    device : str or torch.device, default="auto"
        "auto" is a GPU where there is one, else the CPU. "accelerate" shares the
        training among the processes of one launch, see the user guide.
    n_threads : int, default=None
        CPU threads; None is 1 where `random_state` is set, else all that torch has.
    callbacks : list, default=None
        More skorch callbacks.
    checkpoint_dir : str or path-like, default=None
        Folder for the state after each epoch. A `fit` that was killed goes on from
        there when it is called again, and ends as if it had not been.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last call.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.
    random_state : int, RandomState instance or None, default=None
        Initial weights, shuffling, augmentation, dropout and validation split.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels as they came; the numbers of the columns of an indicator matrix.
    multilabel_ : bool
        Whether y was an indicator matrix: several labels an image.
    net_ : skorch.NeuralNetClassifier
        The trained network, ``net_.module_``.
    history_ : skorch.history.History
        One record an epoch.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`.
    device_ : str
        Where it was trained.

    See Also
    --------
    CNNClassifier : Any torch network, the same way.
    svm_baseline : What it has to beat.

    References
    ----------
    .. [1] S. Gryshkevych, master's thesis, Uppsala University, 2016, and the
       author's Keras code.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from emclassify import LipNetClassifier
    >>> digits = load_digits()
    >>> clf = LipNetClassifier(max_epochs=3, augmentation=None, random_state=0)
    >>> clf = clf.fit(digits.images[:1500], digits.target[:1500])
    >>> clf.score(digits.images[1500:], digits.target[1500:]) > 0.85
    True
    """

    _parameter_constraints = {
        **CNNClassifier._parameter_constraints,
        "depth": [Options(Integral, set(_NETS))],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
        "dropout_dense": [Interval(Real, 0, 1, closed="left"), None],
    }
    del _parameter_constraints["net"]

    def __init__(
        self,
        depth=4,
        *,
        dropout=None,
        dropout_dense=None,
        max_epochs=20,
        batch_size=128,
        lr=0.003,
        optimizer="adamw",
        lr_schedule="one_cycle",
        weight_decay=0.01,
        loss="cross_entropy",
        label_smoothing=0.1,
        class_weight=None,
        augmentation="auto",
        normalization="dataset",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        precision="auto",
        compile="auto",
        device="auto",
        n_threads=None,
        callbacks=None,
        checkpoint_dir=None,
        warm_start=False,
        image_shape=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            optimizer=optimizer,
            lr_schedule=lr_schedule,
            weight_decay=weight_decay,
            loss=loss,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            augmentation=augmentation,
            normalization=normalization,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            precision=precision,
            compile=compile,
            device=device,
            n_threads=n_threads,
            callbacks=callbacks,
            checkpoint_dir=checkpoint_dir,
            warm_start=warm_start,
            image_shape=image_shape,
            random_state=random_state,
            verbose=verbose,
        )
        self.depth = depth
        self.dropout = dropout
        self.dropout_dense = dropout_dense

    def _make_net(self, image_shape, n_classes, n_features):
        dropout = {"dropout": self.dropout, "dropout_dense": self.dropout_dense}
        given = {name: share for name, share in dropout.items() if share is not None}
        return _NETS[self.depth](image_shape, n_classes, **given)

    @classmethod
    def as_published(cls, depth=4, **params):
        """Return a classifier with the training recipe of the thesis.

        SGD at 0.01 with Nesterov momentum 0.9 and decay 1e-6 (the rate of batch t is
        0.01 / (1 + 1e-6 · t)), no weight decay, label smoothing 0.1, the thesis's
        augmentation, and early stopping with a patience of 20 epochs.

        Parameters
        ----------
        depth : {2, 4, 6, 8, 10}, default=4
        **params
            Any parameter of the class; they go before the recipe's.

        Returns
        -------
        LipNetClassifier

        Examples
        --------
        >>> from emclassify import LipNetClassifier
        >>> LipNetClassifier.as_published(6, max_epochs=300).optimizer
        'sgd'
        """
        recipe = {
            "max_epochs": 200,
            "lr": 0.01,
            "optimizer": "sgd",
            "lr_schedule": _published_decay,
            "weight_decay": 0.0,
            "label_smoothing": 0.1,
            "augmentation": "affine",
            "early_stopping": True,
            "n_iter_no_change": 20,
        }
        return cls(depth, **{**recipe, **params})


def _published_decay(batch):
    """Factor on the learning rate of a batch: the decay of Keras's SGD in 2016."""
    return 1 / (1 + 1e-6 * batch)
