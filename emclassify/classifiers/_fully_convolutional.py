"""FullyConvolutionalClassifier: images of different sizes in one fit."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from emclassify.classifiers._cnn import CNNClassifier
from emclassify.nets import FullyConvolutionalNet

__all__ = ["FullyConvolutionalClassifier"]


class FullyConvolutionalClassifier(CNNClassifier):
    """A network for images of different sizes, without resizing them.

    Pairs of same-padded 3×3 convolutions with batch normalisation and ReLU, 2×2 max
    pooling between pairs, global average pooling, and one dense layer. Batches hold
    images of one size; an epoch mixes the batches of all sizes. Scale is information
    here: a large particle stays large, as `ResizeImages` would not have it.

    The liposome thesis names such a network as future work; this one is ours.

    Parameters
    ----------
    widths : sequence of int, default=(32, 64, 128)
        Channels of each pair of convolutions.
    dropout : float, default=0.25
        Share of the channels dropped before the output, in [0, 1).
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
    image_shape_ : tuple of 3 int or None
        (height, width, channels) seen in `fit`; None if X was a sequence of images.
    n_channels_ : int
        Channels seen in `fit`; `predict` takes images of any height and width.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`; not set if X was a sequence of images.
    device_ : str
        Where it was trained.

    See Also
    --------
    LipNetClassifier : For images of one size.
    ResizeImages : Brings images to one size.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import FullyConvolutionalClassifier
    >>> rng = np.random.default_rng(0)
    >>> sizes = [(6, 6), (9, 12)] * 20
    >>> X = [rng.normal(i // 20, 1, size=size) for i, size in enumerate(sizes)]
    >>> y = [0] * 20 + [1] * 20
    >>> clf = FullyConvolutionalClassifier(widths=(8,), random_state=0).fit(X, y)
    >>> clf.predict_proba([rng.normal(size=(7, 5))]).shape
    (1, 2)
    """

    _parameter_constraints = {
        **CNNClassifier._parameter_constraints,
        "widths": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    del _parameter_constraints["net"]

    def __init__(
        self,
        widths=(32, 64, 128),
        *,
        dropout=0.25,
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
        self.widths = widths
        self.dropout = dropout

    def _validate_images(self, X, *, reset):
        return self._validate_images_of_any_size(X, reset=reset)

    def _make_net(self, image_shape, n_classes, n_features):
        widths = list(self.widths)
        if not widths or not all(isinstance(w, Integral) and w > 0 for w in widths):
            raise ValueError(
                "widths must be one or more whole numbers of at least 1; got "
                f"{self.widths!r}."
            )
        return FullyConvolutionalNet(
            image_shape, n_classes, widths=widths, dropout=self.dropout
        )
