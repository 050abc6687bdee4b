"""to_onnx: a fitted image pipeline for other languages and runtimes."""

import importlib
import json
import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from emclassify._images import check_image_shape
from emclassify._typing import Estimator
from emclassify._version import __version__
from emclassify._whole_file import whole_file

__all__ = ["to_onnx"]

FORMAT_VERSION = 1
DTYPES = ("uint8", "uint16", "float32")
N_GOLDEN = 4
# Rounding stays far below in all of our networks; a wrong graph does not.
LARGEST_DIFFERENCE = 1e-4


def to_onnx(
    estimator: Estimator,
    path: str | PathLike[str],
    *,
    image_shape: Sequence[int] | None = None,
    dtype: DTypeLike = "float32",
) -> None:
    """Write a fitted classifier of images to an ONNX file, from raw pixels on.

    Resizing, cropping and normalisation are inside the graph, so that whoever runs it,
    in C#, C++, Java or JavaScript, passes images as they come, any number at a time.
    See :doc:`/user_guide/onnx`.

    Beside ``model.onnx`` goes ``model.golden.npz``, with a few random `images` and
    their `probabilities`: a program that gets the same runs the model as it should.

    Parameters
    ----------
    estimator : estimator
        A fitted network classifier, `SeedEnsembleClassifier`, or Pipeline that ends in
        one of them. Before it may stand `ResizeImages`, `CenterCrop` and
        `PixelStandardizer`, and samplers, which act in training only.
    path : str or path-like
        File to write, ending in ``.onnx``. What is there is replaced, each of the two
        files as a whole or not at all.
    image_shape : tuple of 2 or 3 int, default=None
        (height, width) or (height, width, channels) of the images that will come; a
        file takes images of one size. None: the shape seen in `fit`.
    dtype : {"uint8", "uint16", "float32"} or numpy dtype, default="float32"
        Type of the images that will come. Values are taken as they are, as by
        `predict_proba`: 8-bit images as float32 are still 0 to 255.

    Raises
    ------
    ImportError
        If the extra ``onnx`` is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If a part of the estimator can't be exported: the message names it.
    ValueError
        If `path`, `image_shape` or `dtype` is no good, if torch can't export a network
        of your own, or if onnxruntime gets other probabilities from the file.

    See Also
    --------
    save : For Python; the estimator comes back as it was.

    Notes
    -----
    The input is called ``images``: (n, height, width), or (n, height, width, channels)
    where there are several channels. The outputs are ``probabilities``, float32 of
    shape (n, n_classes), and ``label``, int64: for each image the index of the most
    probable class (n,), or 0 and 1 for several labels an image (n, n_classes). The
    metadata of the model say which classes, see the user guide.

    Probabilities are those of ``precision="float32"``, also if the estimator computes
    in bfloat16. Before the file is written, onnxruntime is asked for those of the
    golden images.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import emclassify, onnxruntime
    >>> data = emclassify.make_liposomes(40, image_size=16, random_state=0)
    >>> model = emclassify.LipNetClassifier(max_epochs=1, precision="float32")
    >>> model = model.fit(data.images, data.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lipnet.onnx"
    ...     emclassify.to_onnx(model, path, dtype=data.images.dtype)
    ...     session = onnxruntime.InferenceSession(path)
    >>> probabilities, label = session.run(None, {"images": data.images})
    >>> bool(abs(probabilities - model.predict_proba(data.images)).max() < 1e-3)
    True
    """
    path, dtype = _check_path(path), _check_dtype(dtype)
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"estimator must be an estimator; got {estimator!r}.")
    _check_extra()
    from emclassify.persistence._onnx_module import (
        ImagesToProbabilities,
        check_exportable,
        first_step,
        has_mask,
        last_step,
        pixel_scale,
        single_precision,
    )

    check_exportable(estimator)
    check_is_fitted(estimator)
    image_shape = _find_image_shape(first_step(estimator), image_shape)
    masked = has_mask(estimator, image_shape[-1])
    images = _draw_images(*pixel_scale(estimator), image_shape, dtype, masked)
    with single_precision(estimator):
        probabilities = estimator.predict_proba(images)
    module = ImagesToProbabilities(estimator, image_shape, whole=dtype != "float32")
    model = _export(module, images, type(estimator).__name__)
    _describe(model, estimator, image_shape, dtype, last_step(estimator))
    content = model.SerializeToString()
    _compare(content, images, probabilities)
    # The model comes last: a new one is never without its golden images.
    with whole_file(path.with_suffix(".golden.npz")) as file:
        np.savez(file, images=images, probabilities=probabilities)
    with whole_file(path) as file:
        file.write(content)


def _check_path(path):
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"path must end in .onnx; got {str(path)!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}.")
    return path


def _check_dtype(dtype):
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = None
    if name not in DTYPES:
        raise ValueError(
            f"dtype must be one of {', '.join(DTYPES)}; got {dtype!r}. Every image of "
            "up to 16 bits has the same values as float32."
        )
    return name


def _check_extra():
    for name in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ImportError(
                f'to_onnx needs {name}: pip install "emclassify[onnx]".'
            ) from error


def _find_image_shape(first, image_shape):
    """Return (height, width, channels) of the images that will come."""
    if image_shape is not None:
        return check_image_shape(image_shape)
    if getattr(first, "image_shape_", None) is None:
        raise ValueError(
            f"image_shape must be given: {type(first).__name__} was fitted on images "
            "of different sizes, and a file takes one."
        )
    return first.image_shape_


def _draw_images(mean, std, image_shape, dtype, masked):
    """Return random images (n, h, w) or (n, h, w, c) of values as in training.

    Coarse blocks in them outlive resizing, and neither turning nor mirroring nor
    another order of the pixels goes unnoticed. Of a mask, about half the blocks are 0.
    """
    height, width, channels = image_shape
    mean, std = (np.broadcast_to(scale, channels) for scale in (mean, std))
    rng = np.random.default_rng(0)
    blocks = rng.normal(size=(N_GOLDEN, 5, 5, channels))
    rows, columns = (np.arange(side) * 5 // side for side in (height, width))
    noise = rng.normal(size=(N_GOLDEN, *image_shape))
    blocks = blocks[:, rows][:, :, columns]
    images = mean + std * (blocks + 0.5 * noise)
    if masked:
        inside = max(1, round(float((mean + std)[-1])))
        images[..., -1] = inside * (blocks[..., -1] > 0)
    if np.dtype(dtype).kind == "u":
        images = np.clip(images.round(), 0, np.iinfo(dtype).max)
    images = images.astype(dtype)
    return images if channels > 1 else images[..., 0]


def _export(module, images, name):
    """Return the ONNX model of a module, for any number of images."""
    import torch

    # Not one image: torch would take it for all there ever are.
    example = torch.from_numpy(images[:2])
    try:
        with warnings.catch_warnings():
            # From within torch.export, about its own tree of inputs.
            warnings.filterwarnings(
                "ignore", ".*isinstance\\(treespec, LeafSpec\\)", FutureWarning
            )
            program = torch.onnx.export(
                module.eval(),
                (example,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("n")},),
                input_names=["images"],
                output_names=["probabilities", "label"],
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ValueError(f"torch can't export {name}: {reason[:300]}") from error
    return program.model_proto


def _describe(model, estimator, image_shape, dtype, last):
    """Put our metadata into a model, in place of torch's, which name files here."""
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        del part.metadata_props[:]
        part.doc_string = ""
    model.producer_name, model.producer_version = "emclassify", __version__
    metadata = {
        "format": "emclassify",
        "format_version": FORMAT_VERSION,
        "emclassify_version": __version__,
        "estimator": type(estimator).__name__,
        "classes": last.classes_.tolist(),
        "multilabel": last.multilabel_,
        "image_shape": image_shape,
        "dtype": dtype,
    }
    for key, value in metadata.items():
        text = value if isinstance(value, str) else json.dumps(value)
        model.metadata_props.add(key=key, value=text)


def _compare(content, images, probabilities):
    """Raise ValueError unless onnxruntime finds these probabilities."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    # One image too: a graph may hold only for several.
    for n in (1, len(images)):
        found = session.run(["probabilities"], {"images": images[:n]})[0]
        difference = np.abs(found - probabilities[:n]).max()
        # Not >, which NaN would pass.
        if not difference <= LARGEST_DIFFERENCE:
            raise ValueError(
                f"in onnxruntime, probabilities differ by {difference:.1e} from those "
                "of the estimator: its network does something that torch can't export. "
                "Nothing was written."
            )
