"""BackboneExtractor: features of images from a frozen pretrained network."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike, RandomStateLike

if TYPE_CHECKING:
    import torch

__all__ = ["BackboneExtractor"]


class BackboneExtractor(ImageInputMixin, TransformerMixin, BaseEstimator):
    """Features of images from a frozen network that was trained on other images.

    The network is one of timm, with the weights that come with it (extra
    ``[pretrained]``); nothing of it is trained here. A linear classifier on these
    features is what a network trained from scratch has to beat.

    Parameters
    ----------
    backbone : str, default="vgg16"
        Name of a network in timm, also with the tag of its weights.
    layers : list of str, default=None
        Names of modules of the network. What each returns is averaged over all
        positions and put side by side. None is what the network pools for its own
        classification; for VGG both hidden dense layers after their ReLU, 4096 + 4096
        numbers.
    weights : str or path, default="pretrained"
        "pretrained": from timm's cache on this machine, else from its server.
        "micronet", "imagenet-micronet", "cem500k", "cem1.5m": what a "resnet50" learnt
        from micrographs; the user guide names sources and licences. A path: a
        .safetensors file, or what `torch.save` wrote, of the network's `state_dict`.
        "random": random ones, with a warning.
    image_size : tuple of 2 int, default=None
        (height, width) in px to which images are resized on the device; the aspect
        ratio is not kept. None is the size that the network was trained with where it
        is made for one (vision transformers, VGG); others take images as they are,
        but enlarged to 96 px where a side is shorter.
    normalization : {"dataset", "image", "pretrained"}, default="dataset"
        Whether each channel is brought to mean 0 and standard deviation 1 over all
        images in `fit`, or in each image, as the images were in the network's training
        on average. "pretrained" is for photographs of values from 0 to 255: they are
        shifted and scaled as for that training.
    batch_size : int, default=32
        Images that the network gets at a time, at most.
    precision : {"auto", "float32", "bfloat16"}, default="float32"
        "auto" is bfloat16 where the hardware computes in it natively.
    device : str or torch.device, default="auto"
        "auto" is a GPU where there is one, else the CPU.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.
    random_state : int, RandomState instance or None, default=None
        For random weights.

    Attributes
    ----------
    net_ : torch.nn.Module
        What normalises images and asks the network; the network of timm is
        ``net_.net.net``.
    layers_ : list of str
        The layers whose outputs are the features; "pooled" is what the network pools.
    device_ : str
        Where `fit` ran.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) seen in `fit`; None if X was a sequence of images.
    n_channels_ : int
        Channels seen in `fit`; `transform` takes images of any height and width.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`; not set if X was a sequence of images.
    n_features_out_ : int
        Number of features.

    Raises
    ------
    ImportError
        In `fit`, if timm is missing.
    ConnectionError
        In `fit`, if pretrained weights are not on this machine and their server can't
        be reached.

    See Also
    --------
    emclassify.classifiers.BackboneClassifier : Trains such a network further.
    emclassify.features.FeatureExtractor : Features that are named and understood.

    Notes
    -----
    Weights for three channels are adapted to other numbers by timm: for one channel
    they are summed, for others repeated and scaled.

    In float32 the features are, bit for bit, those of timm for the same batch.

    Images are read by the batch, also those of a memory map, of zarr or HDF5, or in
    files. A pickled extractor holds its weights, 0.5 GB for VGG16, and so does each
    entry of a pipeline's `memory`.

    Examples
    --------
    With weights of your own, in a file that timm's network was saved to:

    >>> from tempfile import mkdtemp
    >>> import numpy as np, timm, torch
    >>> path = mkdtemp() + "/weights.pth"
    >>> torch.save(timm.create_model("test_resnet").state_dict(), path)
    >>> from emclassify import BackboneExtractor
    >>> images = np.random.default_rng(0).integers(0, 256, (5, 32, 32), dtype=np.uint8)
    >>> BackboneExtractor("test_resnet", weights=path).fit_transform(images).shape
    (5, 96)
    """

    _parameter_constraints = {
        "backbone": [str],
        "layers": ["array-like", None],
        "weights": [str, PathLike],
        "image_size": ["array-like", None],
        "normalization": [StrOptions({"dataset", "image", "pretrained"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        # A string or a torch.device, but torch is not imported yet.
        "device": "no_validation",
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
    }

    _reads_stored = True

    def __init__(
        self,
        backbone: str = "vgg16",
        *,
        layers: Sequence[str] | None = None,
        weights: str | PathLike[str] = "pretrained",
        image_size: Sequence[int] | None = None,
        normalization: Literal["dataset", "image", "pretrained"] = "dataset",
        batch_size: int = 32,
        precision: Literal["auto", "float32", "bfloat16"] = "float32",
        device: str | torch.device = "auto",
        image_shape: Sequence[int] | None = None,
        random_state: RandomStateLike = None,
    ) -> None:
        self.backbone = backbone
        self.layers = layers
        self.weights = weights
        self.image_size = image_size
        self.normalization = normalization
        self.batch_size = batch_size
        self.precision = precision
        self.device = device
        self.image_shape = image_shape
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Load the network and learn the normalisation.

        Parameters
        ----------
        X : array-like, sequence of arrays, or sequence of paths
            Images; in a list they may differ in size.
        y : None
            Ignored; there for pipelines.

        Returns
        -------
        self : BackboneExtractor
        """
        import torch

        from emclassify.nets import load_backbone
        from emclassify.training import (
            ImageDataset,
            isolated,
            resolve_device,
            resolve_precision,
        )

        images = self._validate_images_of_any_size(X, reset=True)
        device = resolve_device(self.device)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        with isolated(torch.device("cpu"), seed=seed):
            backbone = load_backbone(
                self.backbone, self.n_channels_, self.weights, self.image_size
            )
        self._net_input = shape = tuple(images[0].shape)
        size = shape if self.image_size is None else self.image_size
        precision = resolve_precision(self.precision, device, size)
        module = self._make_module(backbone, precision)
        if self.normalization == "pretrained":
            module.mean, module.std = self._scales(backbone.pretrained_cfg)
        else:
            by_image = self.normalization == "image"
            with isolated(torch.device("cpu")):
                module.learn_scales(ImageDataset(images), by_image=by_image)
        self.net_ = module.eval().requires_grad_(False)
        self.device_ = str(device)
        widths = module.net.widths
        self.layers_ = list(widths)
        self._names = np.array(
            [f"{layer}_{i}" for layer, n in widths.items() for i in range(n)],
            dtype=object,
        )
        self.n_features_out_ = len(self._names)
        return self

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Compute the features of each image.

        Parameters
        ----------
        X : array-like, sequence of arrays, or sequence of paths
            Images of any size, with the channels seen in `fit`. Those of a memory map,
            a zarr or HDF5 array, or in files are read by the batch.

        Returns
        -------
        ndarray of float32 of shape (n, n_features_out)

        Raises
        ------
        ValueError
            If `normalization` is "pretrained" and a value lies outside 0 to 255.
        """
        import torch

        from emclassify.training import (
            ImageBatches,
            ImageDataset,
            isolated,
            resolve_device,
        )

        check_is_fitted(self)
        dataset = ImageDataset(self._validate_images_of_any_size(X, reset=False))
        device = resolve_device(self.device)
        module = self.net_.to(device)
        half = module.precision == "bfloat16"
        features = np.empty((len(dataset), self.n_features_out_), np.float32)
        # Batches come size by size.
        order, done = torch.cat(dataset.runs()).numpy(), 0
        # In a forked process torch's threads would wait for ever.
        with isolated(device):
            for inputs, _ in ImageBatches(dataset, self.batch_size):
                self._check_range(inputs["images"])
                with (
                    torch.inference_mode(),
                    torch.autocast(device.type, torch.bfloat16, enabled=half),
                ):
                    batch = module.prepare(inputs["images"].to(device))
                    # Strides of one channel say nothing; torch picks kernels by them.
                    batch = batch.flatten().view(batch.shape)
                    if half:
                        batch = batch.contiguous(memory_format=torch.channels_last)
                    batch = module.net(batch)
                features[order[done : done + len(batch)]] = batch.float().cpu().numpy()
                done += len(batch)
        return features

    @as_fitted
    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Names of the features: that of the layer, and a number.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Checked against what `fit` saw, as scikit-learn does; not used further.

        Returns
        -------
        ndarray of str objects of shape (n_features_out,)
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return self._names.copy()

    def _scales(self, config):
        """Return mean and deviation of the network's own training images, in grey."""
        import torch

        scales = []
        for name in ("mean", "std"):
            scale = 255 * torch.tensor(config[name])
            if len(scale) != self.n_channels_:
                scale = scale.mean().expand(self.n_channels_)
            scales.append(scale[:, None, None])
        return scales

    def _check_range(self, images):
        if self.normalization != "pretrained":
            return
        low, high = images.numpy().min(), images.numpy().max()
        if low < 0 or high > 255:
            raise ValueError(
                'normalization="pretrained" is for values from 0 to 255; X holds '
                f'{low:g} to {high:g}: rescale the images, or take "dataset".'
            )

    def _make_module(self, backbone, precision):
        """Return a backbone behind what brings images to its scale."""
        import torch

        from emclassify.nets import BackboneFeatures
        from emclassify.training import ImageModule

        module = ImageModule(torch.nn.Identity(), torch.nn.Identity(), precision)
        # Not above, where its memory format changes, and with it how sums are rounded.
        module.net = BackboneFeatures(
            backbone, self._net_input, self.layers, self.image_size
        )
        if precision == "bfloat16":
            module.net.to(memory_format=torch.channels_last)
        return module

    # How files hold it: see `emclassify.save`.

    def _state_to_keep(self):
        state = dict(self.__getstate__())
        if "net_" in state:
            module = state["net_"]
            weights = dict(module.state_dict())
            state["net_"] = {"precision": module.precision, "weights": weights}
        return state

    def _restore_kept(self, state):
        import torch

        from emclassify.nets import load_backbone
        from emclassify.training import isolated, load_weights

        kept = state.pop("net_", None)
        self.__setstate__(state)
        if kept is None:
            return
        self.device_ = "cpu"
        # With the parameters of fit, which may have been changed since.
        made = copy.copy(self)
        vars(made).update(vars(self).get("_params_of_fit", {}))
        cpu = torch.device("cpu")
        with warnings.catch_warnings(), isolated(cpu):
            # That they are random, which doesn't matter here.
            warnings.simplefilter("ignore", UserWarning)
            backbone = load_backbone(
                made.backbone, made.n_channels_, "random", made.image_size
            )
        module = made._make_module(backbone, kept["precision"])
        load_weights(module, kept["weights"])
        self.net_ = module.eval().requires_grad_(False)

    def __getstate__(self):
        """Bring the weights to the CPU, for a machine without this one's device."""
        state = super().__getstate__()
        net = state.get("net_")
        # Not device_, that of fit or load: transform takes it to that of this machine.
        if net is not None and next(net.parameters()).device.type != "cpu":
            state["net_"] = copy.deepcopy(net).cpu()
        return state

    def __sklearn_tags__(self) -> Tags:
        """Say that features are float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
