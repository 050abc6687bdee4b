"""predict_stream: predictions for the images of an iterator, in bounded memory."""

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints as _check,
)
from sklearn.utils.validation import check_is_fitted

from emclassify._typing import Estimator
from emclassify.metrics._targets import behind, scores_pairs

__all__ = [
    "Prediction",
    "check_classifier",
    "class_names",
    "predict_stream",
    "score_names",
]

# A batch holds no more than this and one image.
_BYTES_PER_BATCH = 2**27


class Prediction(NamedTuple):
    """What a model says of one image of a stream.

    Parameters
    ----------
    label : object
        The predicted class, or with several labels an image a row of the indicator
        matrix; None if the model refuses the image.
    scores : ndarray of float, or None
        Probability of each class, or what `decision_function` gives; empty if the
        model has neither, or has scores of pairs of classes only.
    error : str or None
        Why the model refuses the image.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.prediction import Prediction
    >>> Prediction("full", np.array([0.1, 0.9])).error is None
    True
    """

    label: object
    scores: np.ndarray | None
    error: str | None = None


def predict_stream(
    estimator: Estimator,
    images: Iterable[NDArray[Any]],
    *,
    batch_size: int = 128,
    on_error: Literal["raise", "skip"] = "raise",
) -> Iterator[Prediction]:
    """Predict the images of an iterator, which may never end, one after the other.

    Images are collected into batches. No more than one batch is held at a time.

    Parameters
    ----------
    estimator : classifier or Pipeline
        Fitted.
    images : iterable of ndarray
        Images (height, width) or (height, width, channels), as the estimator takes
        them. They may differ in size and type if the estimator can do with it. None
        among them means that nothing more is there for now: what has come so far is
        predicted.
    batch_size : int, default=128
        Images predicted at a time, at most; fewer if they are large.
    on_error : {"raise", "skip"}, default="raise"
        What to do about an image that the estimator refuses (of another size, with
        NaN): raise, or go on, and say why in the `error` of its prediction.

    Yields
    ------
    Prediction
        (label, scores, error), one for each image, in their order.

    Raises
    ------
    ValueError
        If the estimator refuses an image and ``on_error="raise"``; the message has
        the number of the image, from 0. If it is no classifier.
    TypeError
        If `predict_proba` gives a list of arrays, one for each label.

    See Also
    --------
    predict_folder : Files that arrive in a folder, and a table of predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import predict_stream, svm_baseline
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 8, 8)) + np.repeat([0, 2], 20)[:, None, None]
    >>> svm = svm_baseline().fit(X, np.repeat(["dim", "bright"], 20))
    >>> camera = (rng.normal(size=(8, 8)) + 2 * (i % 2) for i in range(4))
    >>> [str(image.label) for image in predict_stream(svm, camera)]
    ['dim', 'bright', 'dim', 'bright']
    """
    _check(
        {
            "estimator": [HasMethods("predict")],
            "batch_size": [Interval(Integral, 1, None, closed="left")],
            "on_error": [StrOptions({"raise", "skip"})],
        },
        {"estimator": estimator, "batch_size": batch_size, "on_error": on_error},
        caller_name="predict_stream",
    )
    check_is_fitted(estimator)
    check_classifier(estimator)
    return _predictions(estimator, images, batch_size, on_error)


def check_classifier(estimator: Estimator) -> None:
    """Raise ValueError unless it has classes."""
    if not hasattr(estimator, "classes_"):
        raise ValueError(
            f"estimator must be a classifier; got a {type(estimator).__name__}, which "
            "has no classes_."
        )


def class_names(estimator: Estimator) -> list[str]:
    """Return what to call the classes, or the labels, of a fitted classifier."""
    classes = estimator.classes_
    if isinstance(classes, list):
        # The values, 0 and 1, of each label: so have some of scikit-learn's.
        classes = range(len(classes))
    return [str(name) for name in classes]


def score_names(estimator: Estimator) -> list[str]:
    """Return what to call the scores of a fitted classifier."""
    names = class_names(estimator)
    method = _score_method(estimator)
    if method == "predict_proba":
        return [f"probability_{name}" for name in names]
    if method is None:
        return []
    one_score = len(names) == 2 and not _gives_several_labels(estimator)
    return [f"score_{name}" for name in (names[1:] if one_score else names)]


def _gives_several_labels(estimator):
    return isinstance(estimator.classes_, list) or getattr(
        behind(estimator), "multilabel_", False
    )


def _score_method(estimator):
    """Return which method gives a score for each class, or None."""
    if hasattr(estimator, "predict_proba"):
        return "predict_proba"
    if hasattr(estimator, "decision_function") and not scores_pairs(estimator):
        return "decision_function"
    return None


def _predictions(estimator, images, batch_size, on_error):
    n_before = 0
    for batch in _batches(images, batch_size):
        try:
            yield from _predict(estimator, batch)
        except ValueError:
            for i, image in enumerate(batch):
                yield _predict_one(estimator, image, n_before + i, on_error)
        n_before += len(batch)


def _batches(images, batch_size):
    """Yield lists of images of one shape and type, as they come."""
    batch, size = [], 0
    for image in images:
        image = None if image is None else np.asarray(image)
        like = batch and image is not None and _kind(image) == _kind(batch[0])
        if batch and not like:
            yield batch
            batch, size = [], 0
        if image is None:
            continue
        batch.append(image)
        size += image.nbytes
        if len(batch) == batch_size or size >= _BYTES_PER_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _kind(image):
    return image.shape, image.dtype


def _predict_one(estimator, image, number, on_error):
    try:
        (prediction,) = _predict(estimator, [image])
    except ValueError as error:
        if on_error == "raise":
            raise ValueError(f"Image {number} of the stream: {error}") from error
        return Prediction(None, None, str(error))
    return prediction


def _predict(estimator, batch):
    """Return the predictions of images of one shape."""
    images = np.stack(batch)
    method, scores = _score_method(estimator), np.empty((len(images), 0))
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if method is not None:
        scores = getattr(estimator, method)(images)
        if isinstance(scores, list):
            raise TypeError(
                f"{type(last).__name__} gives the scores of each label by themselves; "
                "take OneVsRestClassifier for several labels an image."
            )
        scores = np.reshape(scores, (len(images), -1))
    if hasattr(last, "_choose_labels"):
        # The network need not be asked twice.
        labels = last._choose_labels(scores)
    else:
        labels = estimator.predict(images)
    return [Prediction(*pair) for pair in zip(labels, scores, strict=True)]
