"""LipNetClassifier: the networks of the liposome thesis."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, Options

from ..nets import LipNet4
from ._cnn import CNNClassifier

__all__ = ["LipNetClassifier"]

_NETS = {4: LipNet4}


class LipNetClassifier(CNNClassifier):
    """LipNet, the convolutional network of the liposome thesis.

    LipNet-4 has two 3×3 convolutions of 32 channels and two of 64 (the first of each
    pair same-padded, the second valid), each with batch normalisation and ReLU; 2×2
    max pooling and dropout after each pair; a dense layer of 512 with batch
    normalisation, ReLU and dropout; and a dense output with batch normalisation
    [1]_. The source trains on 28×28 images; any size will do here, one pixel up.

    The architecture is the thesis's. The default recipe is not: AdamW with a
    one-cycle learning rate over 20 epochs, label smoothing 0.1, flips and quarter
    turns.

    Parameters
    ----------
    depth : {4}, default=4
        Number of convolutions.
    dropout : float, default=0.25
        Share dropped after each pooling, in [0, 1).
    dropout_dense : float, default=0.5
        Share dropped after the dense layer, in [0, 1).
    max_epochs : int, default=20
        Passes over the training images.
    batch_size : int, default=128
        Images in a batch, at most.
    lr : float, default=0.003
        Learning rate; the highest one where `lr_schedule` varies it.
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        "sgd" has Nesterov momentum 0.9.
    lr_schedule : {"one_cycle", "cosine"} or None, default="one_cycle"
        How the learning rate changes from batch to batch.
    weight_decay : float, default=0.01
    label_smoothing : float, default=0.1
        Share of a label's probability that is spread over all classes, in [0, 1).
    class_weight : dict, "balanced" or None, default=None
        Factor on the loss of each class; "balanced" is n / (n_classes · count).
    augmentation : {"auto", "dihedral"}, callable, list or None, default="auto"
        What happens to a training batch; see `CNNClassifier`.
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
        "auto" computes in bfloat16 where the hardware does it natively.
    device : str or torch.device, default="auto"
        "auto" is a GPU where there is one, else the CPU.
    n_threads : int, default=None
        CPU threads; None is 1 where `random_state` is set, else all that torch has.
    callbacks : list, default=None
        More skorch callbacks.
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
        Labels as they came.
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
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "dropout_dense": [Interval(Real, 0, 1, closed="left")],
    }
    del _parameter_constraints["net"]

    def __init__(
        self,
        depth=4,
        *,
        dropout=0.25,
        dropout_dense=0.5,
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
        super().__init__(
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            optimizer=optimizer,
            lr_schedule=lr_schedule,
            weight_decay=weight_decay,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            augmentation=augmentation,
            normalization=normalization,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            precision=precision,
            device=device,
            n_threads=n_threads,
            callbacks=callbacks,
            warm_start=warm_start,
            image_shape=image_shape,
            random_state=random_state,
            verbose=verbose,
        )
        self.depth = depth
        self.dropout = dropout
        self.dropout_dense = dropout_dense

    def _make_net(self, image_shape, n_classes):
        return _NETS[self.depth](
            image_shape,
            n_classes,
            dropout=self.dropout,
            dropout_dense=self.dropout_dense,
        )
