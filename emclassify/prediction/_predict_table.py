"""New images in, a table of what a model says of each out."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import HasMethods, Interval, validate_params
from sklearn.utils.validation import _num_samples
from tqdm.auto import tqdm

from emclassify._typing import Estimator, ImagesLike
from emclassify.metrics._targets import OneLabel

__all__ = ["predict_table"]


@validate_params(
    {
        "estimator": [HasMethods(["predict"])],
        "images": "no_validation",
        "names": ["array-like", None],
        "abstain_below": [None, Interval(Real, 0, 1, closed="both")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def predict_table(
    estimator: Estimator,
    images: ImagesLike,
    *,
    names: ArrayLike | None = None,
    abstain_below: float | None = None,
    batch_size: int = 256,
    verbose: int = 0,
) -> pd.DataFrame:
    """Predict new images, as a table with one row an image.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict`` and ``predict_proba``. `RejectClassifierCV` abstains
        where it rejects.
    images : array-like of n images
        Whatever the estimator takes: arrays, object arrays of images of different
        sizes, paths, arrays of zarr or h5py. `batch_size` of them are taken at a time,
        so that stored ones are never all in memory.
    names : array-like of shape (n,), default=None
        Name of each image, such as its ion or file; its number by default.
    abstain_below : float, default=None
        Probability of the label under which the model abstains. By default it never
        does, unless it rejects by itself.
    batch_size : int, default=256
        Images at a time.
    verbose : int, default=0
        1 shows progress.

    Returns
    -------
    DataFrame
        name; label, what the model says, also where it abstained; probability, that of
        this label; abstained; then probability_<class> for each of
        ``estimator.classes_``. In the order of `images`.

    Raises
    ------
    ValueError
        If there are no images, not one name for each, or the estimator has no
        probabilities or gives an image several labels.

    See Also
    --------
    emclassify.display.ContactSheetDisplay : The same with the images.

    Notes
    -----
    A bound on the probability means what it says only if the probabilities are
    calibrated.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import svm_baseline
    >>> from emclassify.prediction import predict_table
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 8, 8)) + np.tile([0, 4], 20)[:, None, None]
    >>> y = np.tile(["off", "on"], 20)
    >>> model = svm_baseline(probability=True, families="thesis").fit(X[:36], y[:36])
    >>> table = predict_table(model, X[36:], names=["a", "b", "c", "d"])
    >>> table[["name", "label", "abstained"]]
      name label  abstained
    0    a   off      False
    1    b    on      False
    2    c   off      False
    3    d    on      False
    >>> table.columns[-2:].tolist()
    ['probability_off', 'probability_on']
    """
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba. Give it probabilities "
            "with sklearn.calibration.CalibratedClassifierCV."
        )
    n = _num_samples(images)
    if n == 0:
        raise ValueError("images holds no images.")
    names = np.arange(n) if names is None else np.asarray(names)
    if names.shape != (n,):
        raise ValueError(f"names has shape {names.shape} for {n} images.")
    rejects = hasattr(estimator, "accepts")
    model = estimator.estimator_ if rejects else estimator
    labels, probabilities, abstained = [], [], []
    with tqdm(total=n, desc="Predicting", unit="image", disable=not verbose) as done:
        for batch in gen_batches(n, batch_size):
            some = images.iloc[batch] if hasattr(images, "iloc") else images[batch]
            # Not the largest probability: a model may have a threshold of its own.
            labels.append(np.asarray(model.predict(some)))
            probabilities.append(np.asarray(model.predict_proba(some)))
            if rejects:
                abstained.append(~estimator.accepts(some))
            done.update(len(labels[-1]))
    labels, probabilities = np.concatenate(labels), np.concatenate(probabilities)
    if labels.ndim != 1:
        raise ValueError(
            f"{type(estimator).__name__} predicts several labels an image, shape "
            f"{labels.shape}; a table has one."
        )
    classes = np.asarray(estimator.classes_)
    codes = OneLabel(classes).encode(labels, type(estimator).__name__)
    of_label = probabilities[np.arange(n), codes]
    table = pd.DataFrame({"name": names, "label": labels, "probability": of_label})
    table["abstained"] = np.concatenate(abstained) if rejects else False
    if abstain_below is not None:
        table["abstained"] |= of_label < abstain_below
    for code, name in enumerate(classes):
        table[f"probability_{name}"] = probabilities[:, code]
    return table
