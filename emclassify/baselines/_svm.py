"""What a network has to beat: features of the particle and a support vector machine."""

from numbers import Integral, Real

from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)

from emclassify.features import FeatureExtractor

KERNELS = {"rbf", "linear", "poly", "sigmoid"}


@validate_params(
    {
        "kernel": [StrOptions(KERNELS)],
        "features": [None, str, list, tuple, HasMethods(["fit", "transform"])],
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [
            StrOptions({"scale", "auto"}),
            Interval(Real, 0, None, closed="left"),
        ],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "probability": ["boolean"],
        "mask": [StrOptions({"auto", "last", "otsu", "full"})],
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
        "memory": [None, str, HasMethods(["cache"])],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def svm_baseline(
    kernel="rbf",
    *,
    features=None,
    C=1.0,
    gamma="scale",
    class_weight="balanced",
    probability=False,
    mask="auto",
    image_shape=None,
    random_state=None,
    memory=None,
    n_jobs=None,
):
    """Make a pipeline of features, scaling and a support vector machine.

    The steps are called "features", "scale" and "svc", so that parameters can be
    searched by name: ``svc__C``, ``svc__gamma``, ``features__families``,
    ``features__n_rings``.

    Parameters
    ----------
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default="rbf"
        "linear" gives `sklearn.svm.LinearSVC` (one class against the rest, squared
        hinge loss), whose time grows with the number of images, not its square.
        The others give `sklearn.svm.SVC`.
    features : None, list of str, "all" or transformer, default=None
        A transformer from images to features, or the `families` of
        `FeatureExtractor`. None: all of them.
    C : float, default=1.0
        Inverse strength of the regularisation.
    gamma : {"scale", "auto"} or float, default="scale"
        Coefficient of the kernel; the linear kernel has none.
    class_weight : "balanced", dict or None, default="balanced"
        "balanced" weighs the classes inversely to how often they come.
    probability : bool, default=False
        Whether the pipeline has `predict_proba`. The machine then stands inside
        `sklearn.calibration.CalibratedClassifierCV` with ``ensemble=False``: it is
        fitted six times, its parameters are called ``svc__estimator__C`` and so
        on, every class needs 5 images, and the five inner folds know no groups.
        Without it, `decision_function` serves rankings such as ROC AUC.
    mask : {"auto", "last", "otsu", "full"}, default="auto"
        Where the particle is, see `FeatureExtractor`.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of the image in a flat row.
    random_state : int, RandomState instance or None, default=None
        Order of the data in `LinearSVC` where it solves the dual problem; the other
        kernels use no randomness.
    memory : None, str or joblib.Memory, default=None
        Cache of the fitted feature step, see `sklearn.pipeline.Pipeline`: a grid
        search over ``svc__C`` then computes the features of a fold once.
    n_jobs : int, default=None
        Number of processes that share the images when features are computed.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Takes images in every form that `FeatureExtractor` takes.

    Raises
    ------
    ValueError
        If a parameter would have no effect: `gamma` with the linear kernel; `mask`,
        `image_shape` or `n_jobs` with a transformer as `features`.

    See Also
    --------
    emclassify.features.FeatureExtractor : The features.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import svm_baseline
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["empty", "full"], 20)
    >>> images = rng.normal(size=(40, 16, 16))
    >>> images[y == "full", 4:12, 4:12] += 1
    >>> svm_baseline(C=10).fit(images[::2], y[::2]).score(images[1::2], y[1::2])
    1.0
    """
    if kernel == "linear" and gamma != "scale":
        raise ValueError(
            f"gamma={gamma!r} has no effect with the linear kernel: leave it out, or "
            'take kernel="rbf".'
        )
    pipeline = Pipeline(
        [
            ("features", feature_step(features, mask, image_shape, n_jobs)),
            ("scale", StandardScaler()),
            ("svc", machine(kernel, C, gamma, class_weight, random_state)),
        ],
        memory=memory,
    )
    if probability:
        calibrated = CalibratedClassifierCV(pipeline["svc"], ensemble=False)
        pipeline.set_params(svc=calibrated)
    return pipeline


def feature_step(features, mask, image_shape, n_jobs):
    """Return the transformer from images to features."""
    if not hasattr(features, "transform"):
        return FeatureExtractor(
            "all" if features is None else features,
            mask=mask,
            image_shape=image_shape,
            n_jobs=n_jobs,
        )
    for name, value, default in (
        ("mask", mask, "auto"),
        ("image_shape", image_shape, None),
        ("n_jobs", n_jobs, None),
    ):
        if value is not default and value != default:
            raise ValueError(
                f"{name}={value!r} has no effect where features is a transformer: "
                f"set it on {type(features).__name__}."
            )
    return features


def machine(kernel, C, gamma, class_weight, random_state):
    """Return the support vector machine of a kernel."""
    if kernel == "linear":
        return LinearSVC(
            C=C,
            class_weight=class_weight,
            dual="auto",
            max_iter=10_000,
            random_state=random_state,
        )
    return SVC(
        kernel=kernel,
        C=C,
        gamma=gamma,
        class_weight=class_weight,
        random_state=random_state,
    )
