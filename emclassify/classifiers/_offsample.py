"""OffSampleNetClassifier: the network for off-sample ion images."""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Self

import numpy as np
import torch
from torch import nn

from emclassify.classifiers._cnn import CNNClassifier
from emclassify.nets import OffSampleNet

__all__ = ["OffSampleNetClassifier"]


class OffSampleNetClassifier(CNNClassifier):
    """OffSampleNet, which tells ion images of the sample from those of its background.

    Two 3×3 convolutions of 16 channels and two of 32, each with batch normalisation and
    ReLU; 3×3 max pooling after each pair; dense layers of 256, 256 and the classes. The
    source feeds it images of 56×56 px: put `ResizeImages` before it.

    The architecture is the source's. The default recipe is not: AdamW with a one-cycle
    learning rate, label smoothing 0.1, flips and quarter turns.
    `as_published` has the source's. The task is that of [1]_.

    Parameters
    ----------
    max_epochs : int or "auto", default="auto"
        Passes over the training images. "auto" goes by the number of images and of
        classes, from learning curves that the user guide shows: 100 for 300 images of
        five classes, 49 for 4,800. `max_epochs_` has it.
    batch_size : int or "auto", default="auto"
        Images in a batch, at most. "auto" is 16 below 256 images, 32 below 8,192, 64
        below 32,768, then 128. `batch_size_` has it.
    lr : float, default=0.003
        Learning rate; the highest one where `lr_schedule` varies it.
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        "sgd" has Nesterov momentum 0.9.
    lr_schedule : {"one_cycle", "cosine"}, callable or None, default="one_cycle"
        How the learning rate changes from batch to batch; a callable turns the
        number of the batch into a factor on `lr`. `partial_fit` keeps it constant.
    weight_decay : float, default=0.01
        Share of each weight, times the learning rate, that a step takes away.
    loss : {"cross_entropy", "focal"}, default="cross_entropy"
        "focal" (gamma 2) counts samples less that the network already knows.
    label_smoothing : float, default=0.1
        Share of a label's probability that is spread over all classes, in [0, 1).
        With class weights the form is that of Keras: a sample's whole loss has the
        factor of its own class, where torch's has each class's for that class's share.
    class_weight : dict, {"balanced", "complement"} or None, default=None
        Factor on the loss of each class; "balanced" is n / (n_classes · count),
        "complement" is 1 − count / n. With several labels an image, both take presence
        and absence of each label for two classes; a dict weighs presence.
    early_stopping : bool, default=False
        Whether to hold out a validation set, stop when its loss has not improved for
        `n_iter_no_change` epochs, and take the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of samples held out for `early_stopping`. Classes keep their shares;
        with `groups`, whole groups are held out.
    n_iter_no_change : int, default=10
        Epochs of patience for `early_stopping`.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last call.
        Other parameters are taken over by the next `fit` or `partial_fit`, or refused
        by name where a trained network can't have them.
    augmentation : str, callable, list of callables or None, default="auto"
        What happens to a training batch, a float tensor (n, channels, height,
        width). "dihedral" is flips and quarter turns; "affine" is the liposome
        thesis's: rotation, shift, zoom, shear and flips; "affine_spline" is the same
        with its interpolation, by cubic splines; "auto" is "dihedral", but nothing for
        images of one row or column. See `emclassify.training`.
    test_time_augmentation : {"auto", "dihedral"} or None, default=None
        "dihedral" predicts from the mean of the logits of an image's eight flips and
        quarter turns (four where it isn't square), which takes eight times as long;
        `early_stopping` validates so, too. "auto" does where training flips and turns
        images by "dihedral".
    normalization : {"dataset", "image"}, default="image"
        Whether to bring pixels to mean 0 and standard deviation 1 by the statistics
        of each channel over the training set, or of each image by itself.
        Ions differ in intensity by orders of magnitude: hence the default.
    mask : {"last"} or None, default=None
        "last" takes the last channel for a mask of the particle, 0 outside: pixels are
        normalised, batches too, and maps pooled over the particle only, while
        convolutions see its surroundings. None looks at the mask as at an image.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X; without it a row of a 2-D X is an
        image of one row.
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
        CPU threads. None takes the cores that the process has: in a worker of joblib
        or Dask, its share of them. The number changes results by rounding; with 1
        they are equal to the bit at any `n_jobs`.
    callbacks : list, default=None
        More skorch callbacks: instances or (name, instance).
    checkpoint_dir : str or path-like, default=None
        Folder for the state after each epoch. A `fit` that was killed goes on from
        there when it is called again, and ends as if it had not been.
        With it, and without `random_state`, the validation split is always the same.
    random_state : int, RandomState instance or None, default=None
        Initial weights, shuffling, augmentation, dropout and validation split. The
        global random states of NumPy and torch are neither used nor changed.
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
    max_epochs_ : int
        Passes that the last `fit` was to make; early stopping makes fewer.
    batch_size_ : int
        Images in a batch of the last training, at most.
    converged_ : bool
        Whether the last `fit` seems long enough. If not, it gave a
        `ConvergenceWarning` that says why and what to do.
    learning_curve_ : dict of str to ndarray
        train_loss, train_accuracy and valid_loss of each epoch. The accuracy is that
        of the training batches as the network saw them.
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
    SeedEnsembleClassifier : The average of several trainings.
    emclassify.datasets.make_ion_images : Simulated ion images.
    emclassify.baselines.MaskCorrelationClassifier : What it has to beat.

    References
    ----------
    .. [1] K. Ovchinnikova, V. Kovalev, L. Stuart and T. Alexandrov, "OffsampleAI:
       artificial intelligence approach to recognize off-sample mass spectrometry
       images", BMC Bioinformatics 21:129, 2020 (the task and the public images).

    Examples
    --------
    >>> from emclassify import OffSampleNetClassifier, make_ion_images
    >>> data = make_ion_images(60, image_size=28, random_state=0)
    >>> clf = OffSampleNetClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data.images, data.target).predict_proba(data.images).shape
    (60, 2)
    """

    _parameter_constraints = {**CNNClassifier._parameter_constraints}
    del _parameter_constraints["net"]

    def __init__(
        self,
        *,
        # training
        max_epochs: int | str = "auto",
        batch_size: int | str = "auto",
        lr: float = 0.003,
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr_schedule: str | Callable[[int], float] | None = "one_cycle",
        weight_decay: float = 0.01,
        loss: str = "cross_entropy",
        label_smoothing: float = 0.1,
        class_weight: dict | str | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        # data
        augmentation: str | Callable | list[Callable] | None = "auto",
        test_time_augmentation: str | None = None,
        normalization: str = "image",
        mask: str | None = None,
        image_shape: Sequence[int] | None = None,
        # running
        precision: str = "auto",
        compile: bool | str = "auto",
        device: str | torch.device = "auto",
        n_threads: int | None = None,
        callbacks: list | None = None,
        checkpoint_dir: str | PathLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
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
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            augmentation=augmentation,
            test_time_augmentation=test_time_augmentation,
            normalization=normalization,
            mask=mask,
            image_shape=image_shape,
            precision=precision,
            compile=compile,
            device=device,
            n_threads=n_threads,
            callbacks=callbacks,
            checkpoint_dir=checkpoint_dir,
            random_state=random_state,
            verbose=verbose,
        )

    def _make_net(
        self, image_shape: Sequence[int], n_classes: int, n_features: int
    ) -> nn.Module:
        return OffSampleNet(image_shape, n_classes)

    @classmethod
    def as_published(cls, **params: object) -> Self:
        """Return a classifier with the training recipe of the source.

        SGD at the constant rate 0.01 with momentum 0.9 (not Nesterov's), on the plain
        cross entropy: no weight decay, label smoothing or augmentation, and no
        statistics of single images: pixels are brought to one scale over the training
        set. "A couple of epochs" is all that is said of the length; 20 here, and
        batches of 128.

        Parameters
        ----------
        **params
            Any parameter of the class; they go before the recipe's.

        Returns
        -------
        OffSampleNetClassifier

        Examples
        --------
        >>> from emclassify import OffSampleNetClassifier
        >>> OffSampleNetClassifier.as_published(max_epochs=50).lr
        0.01
        """
        recipe = {
            "max_epochs": 20,
            "batch_size": 128,
            "lr": 0.01,
            "optimizer": _MomentumSGD,
            "lr_schedule": None,
            "weight_decay": 0.0,
            "label_smoothing": 0.0,
            "augmentation": None,
            "normalization": "dataset",
        }
        return cls(**{**recipe, **params})


class _MomentumSGD(torch.optim.SGD):
    """SGD with momentum 0.9 as Keras has it by default, without Nesterov's change."""

    def __init__(self, params: Iterable, lr: float, weight_decay: float) -> None:
        super().__init__(
            params, lr=lr, momentum=0.9, weight_decay=weight_decay, fused=True
        )
