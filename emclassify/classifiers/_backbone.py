"""BackboneClassifier: a pretrained network, trained further."""

import warnings
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from emclassify.classifiers._cnn import CNNClassifier
from emclassify.nets import BackboneNet, load_backbone
from emclassify.training import Unfreezing

__all__ = ["BackboneClassifier"]


class BackboneClassifier(CNNClassifier):
    """A network that was trained on other images, trained further on these.

    Any network of timm (extra ``[pretrained]``) with its pooling over all positions,
    then dropout and a new dense layer. All of it is trained from the start, at one
    rate; `unfreeze_after` and `backbone_lr_factor` spare the backbone. The defaults
    were chosen on four sets of real images, see the user guide.

    Parameters
    ----------
    backbone : str, default="tf_efficientnet_lite0"
        Name of a network in timm, also with the tag of its weights. The default takes
        55 ms of one CPU core to learn from an image of 128×128 px and 88 ms to predict
        it eight ways, 11 ms with ``test_time_augmentation=None``. Lee and Bamford had
        "tf_efficientnet_b7", see `as_published`, "resnet152", "resnetv2_152" (of which
        timm has no weights) and "inception_resnet_v2".
    weights : str or path, default="pretrained"
        "pretrained": from timm's cache on this machine, else from its server.
        "micronet", "imagenet-micronet", "cem500k", "cem1.5m": what a "resnet50" learnt
        from micrographs; the user guide names sources and licences. A path: a
        .safetensors file, or what `torch.save` wrote, of the network's `state_dict`.
        "random": random ones, with a warning.
    image_size : tuple of 2 int, "auto" or None, default="auto"
        (height, width) in px, at least 32, to which images are resized on the device
        after augmentation; the aspect ratio is not kept. "auto" is the size that the
        network was trained with where it is made for one (vision transformers, VGG);
        others take images as they are, but enlarged to 128 px where a side is shorter:
        small images are better told apart so. None is the same with 96 px.
    dropout : float, default=0.2
        Share of the pooled values dropped before the dense layer, in [0, 1).
    unfreeze_after : int or None, default=0
        Epochs after which the backbone is trained too. Until then it stays as it was
        loaded, with the running statistics of its batch normalisation. 0 trains all
        from the start, None the dense layer only.
    backbone_lr_factor : float, default=1.0
        Factor on `lr` for the backbone.
    max_epochs : int or "auto", default="auto"
        Passes over the training images. "auto" goes by the number of images and of
        classes, from learning curves that the user guide shows: 100 for 300 images of
        five classes, 49 for 4,800. `max_epochs_` has it.
        Here half of these, at least 15 and at most 40: there are weights to begin with.
    batch_size : int or "auto", default=32
        Images in a batch, at most. "auto" is 16 below 256 images, 32 below 8,192, 64
        below 32,768, then 128. `batch_size_` has it.
    lr : float, default=0.001
        Learning rate, that of the backbone times `backbone_lr_factor`; the highest one
        where `lr_schedule` varies it.
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
    test_time_augmentation : {"auto", "dihedral"} or None, default="auto"
        "dihedral" predicts from the mean of the logits of an image's eight flips and
        quarter turns (four where it isn't square), which takes eight times as long;
        `early_stopping` validates so, too. "auto" does where training flips and turns
        images by "dihedral".
    normalization : {"dataset", "image"}, default="dataset"
        Whether to bring pixels to mean 0 and standard deviation 1 by the statistics
        of each channel over the training set, or of each image by itself.
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
        It needs `unfreeze_after` 0 or None.
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
        Of the backbone, only random weights depend on it.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels as they came; the numbers of the columns of an indicator matrix.
    multilabel_ : bool
        Whether y was an indicator matrix: several labels an image.
    net_ : skorch.NeuralNetClassifier
        The trained network, ``net_.module_``; the network of timm is
        ``net_.module_.net.backbone``.
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
    emclassify.baselines.BackboneExtractor : Such a network as it is, for its features.
    LipNetClassifier : A small network, trained from nothing.

    Notes
    -----
    Weights for three channels are adapted to other numbers by timm: for one channel
    they are summed, for others repeated and scaled. A batch of one image is normalised
    by running statistics. Epochs are counted over `partial_fit` and warm starts.

    Examples
    --------
    With weights of your own, in a file that timm's network was saved to:

    >>> from tempfile import mkdtemp
    >>> import numpy as np, timm, torch
    >>> path = mkdtemp() + "/weights.pth"
    >>> torch.save(timm.create_model("test_resnet").state_dict(), path)
    >>> from emclassify import BackboneClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 32, 32)) + np.repeat([0, 2], 20)[:, None, None]
    >>> y = np.repeat(["dim", "bright"], 20)
    >>> clf = BackboneClassifier(
    ...     "test_resnet", weights=path, max_epochs=2, random_state=0
    ... )
    >>> clf.fit(X, y).predict_proba(X).shape
    (40, 2)
    """

    # What it brings along needs not be learnt.
    _epochs_share = 0.5
    _epochs_between = 15, 40

    _parameter_constraints = {
        **CNNClassifier._parameter_constraints,
        "backbone": [str],
        "weights": [str, PathLike],
        "image_size": ["array-like", StrOptions({"auto"}), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "unfreeze_after": [Interval(Integral, 0, None, closed="left"), None],
        "backbone_lr_factor": [Interval(Real, 0, None, closed="neither")],
    }
    del _parameter_constraints["net"], _parameter_constraints["mask"]

    def __init__(
        self,
        # network
        backbone: str = "tf_efficientnet_lite0",
        *,
        weights: str | PathLike = "pretrained",
        image_size: Sequence[int] | str | None = "auto",
        dropout: float = 0.2,
        unfreeze_after: int | None = 0,
        backbone_lr_factor: float = 1.0,
        # training
        max_epochs: int | str = "auto",
        batch_size: int | str = 32,
        lr: float = 0.001,
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
        test_time_augmentation: str | None = "auto",
        normalization: str = "dataset",
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
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size
        self.dropout = dropout
        self.unfreeze_after = unfreeze_after
        self.backbone_lr_factor = backbone_lr_factor

    def _validate_images(
        self, X: ArrayLike, *, reset: bool
    ) -> np.ndarray | list[np.ndarray]:
        return self._validate_images_of_any_size(X, reset=reset)

    def _make_net(
        self, image_shape: Sequence[int], n_classes: int, n_features: int
    ) -> nn.Module:
        if self.device == "accelerate" and self.unfreeze_after:
            raise ValueError(
                f"unfreeze_after={self.unfreeze_after} does not go with device="
                '"accelerate", whose processes agree on the weights to train before '
                "they begin: set it to 0 or None."
            )
        return self._make_backbone_net(image_shape, n_classes, self.weights)

    def _make_bare_net(self) -> nn.Module:
        image_shape, _ = self._net_input
        with warnings.catch_warnings():
            # That they are random, which doesn't matter here.
            warnings.simplefilter("ignore", UserWarning)
            return self._make_backbone_net(image_shape, len(self.classes_), "random")

    def _make_backbone_net(
        self, image_shape: Sequence[int], n_classes: int, weights: str | PathLike
    ) -> nn.Module:
        return BackboneNet(
            load_backbone(self.backbone, image_shape[-1], weights, self.image_size),
            image_shape,
            n_classes,
            dropout=self.dropout,
            image_size=self.image_size,
            frozen=self.unfreeze_after != 0,
        )

    @property
    def _param_groups(self) -> list[tuple[str, dict]]:
        return [("*backbone.*", {"lr_factor": self.backbone_lr_factor})]

    @property
    def _net_callbacks(self) -> list[tuple[str, Unfreezing]]:
        if not self.unfreeze_after:
            return []
        return [("unfreezing", Unfreezing(self.unfreeze_after))]

    def _ready_net(self) -> None:
        """Freeze or thaw the backbone: a run before may have had another parameter."""
        net, after = self.net_.module_.net, self.unfreeze_after
        if after is None or len(self.net_.history) < after:
            net.freeze()
        else:
            net.unfreeze()

    @classmethod
    def as_published(cls, **params: object) -> Self:
        """Return EfficientNet-B7, one of the four networks of Lee and Bamford.

        What is trained how is ours: the dense layer by itself for an epoch, then all
        of it, the backbone at a tenth of the rate; 20 epochs in batches of 32, images
        as they are but of at least 96 px. It wants a GPU.

        Parameters
        ----------
        **params
            Any parameter of the class; they go before the recipe's.

        Returns
        -------
        BackboneClassifier

        Examples
        --------
        >>> from emclassify import BackboneClassifier
        >>> BackboneClassifier.as_published(max_epochs=5).backbone
        'tf_efficientnet_b7'
        """
        recipe = {
            "backbone": "tf_efficientnet_b7",
            "image_size": None,
            "unfreeze_after": 1,
            "backbone_lr_factor": 0.1,
            "max_epochs": 20,
            "batch_size": 32,
            "test_time_augmentation": None,
        }
        return cls(**{**recipe, **params})

    def _masked(self) -> bool:
        """Say no: a mask can't be followed through networks of timm."""
        return False
