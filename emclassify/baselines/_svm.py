"""What a network has to beat: features of the particle and a support vector machine."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal

from joblib import Memory
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

from emclassify._typing import Estimator, RandomStateLike
from emclassify.baselines._clipped_scaler import ClippedScaler
from emclassify.features import FeatureExtractor

KERNELS = {"rbf", "linear", "poly", "sigmoid"}


@validate_params(
    {
        "kernel": [StrOptions(KERNELS)],
        "families": [str, list, tuple],
        "features": [None, str, list, tuple, HasMethods(["fit", "transform"])],
        "C": [None, Interval(Real, 0, None, closed="neither")],
        "gamma": [
            None,
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
    kernel: Literal["rbf", "linear", "poly", "sigmoid"] = "rbf",
    *,
    families: str | Sequence[str] = "all",
    features: Estimator | Sequence[str] | str | None = None,
    C: float | None = None,
    gamma: Literal["scale", "auto"] | float | None = None,
    class_weight: Literal["balanced"] | Mapping[Any, float] | None = "balanced",
    probability: bool = False,
    mask: Literal["auto", "last", "otsu", "full"] = "auto",
    image_shape: Sequence[int] | None = None,
    random_state: RandomStateLike = None,
    memory: str | Memory | None = None,
    n_jobs: int | None = None,
) -> Pipeline:
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
    families : {"all", "thesis"} or list of str, default="all"
        Families of `FeatureExtractor`. "thesis" is the machine of the thesis: its
        eight families, features scaled but not clipped, C = 1, and `gamma` "scale".
    features : transformer or list of str, default=None
        A transformer from images to features, in place of `families`. Names are
        taken as `families`.
    C : float, default=None
        Inverse strength of the regularisation. None: 10 for the RBF kernel, 1 for the
        others and for ``families="thesis"``.
    gamma : {"scale", "auto"} or float, default=None
        Coefficient of the kernel; the linear kernel has none. With the RBF kernel, it
        is in units of 1 / (number of features · their variance), which is what
        "scale" is, for any number of features. None: 0.3, and "scale" for other
        kernels and for ``families="thesis"``.
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
        Number of threads that share the images when features are computed; None is 1,
        -1 is all cores.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Takes images in every form that `FeatureExtractor` takes.

    Raises
    ------
    ValueError
        If a parameter would have no effect: `gamma` with the linear kernel; `families`
        beside `features`; `mask`, `image_shape` or `n_jobs` with a transformer as
        `features`.

    See Also
    --------
    emclassify.features.FeatureExtractor : The features.
    ClippedScaler : The scaling.

    Notes
    -----
    The families, C = 10 and gamma = 0.3 are one setting for all, chosen on two sets of
    real images and kept on others, see :doc:`/user_guide/features_svm`. A search over
    ``svc__C`` and ``svc__gamma`` may do better on yours.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import svm_baseline
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["empty", "full"], 20)
    >>> images = rng.normal(size=(40, 16, 16))
    >>> images[y == "full", 4:12, 4:12] += 1
    >>> svm_baseline().fit(images[::2], y[::2]).score(images[1::2], y[1::2])
    1.0
    """
    if kernel == "linear" and gamma not in (None, "scale"):
        raise ValueError(
            f"gamma={gamma!r} has no effect with the linear kernel: leave it out, or "
            'take kernel="rbf".'
        )
    if features is not None:
        if not (isinstance(families, str) and families == "all"):
            raise ValueError(
                f"families={families!r} has no effect where features is given: leave "
                "one of the two out."
            )
        families = features
    thesis = isinstance(families, str) and families == "thesis"
    ours = kernel == "rbf" and not thesis
    if C is None:
        C = 10.0 if ours else 1.0
    if gamma is None:
        gamma = 0.3 if ours else "scale"
    unit = "sample" if kernel == "rbf" else "feature"
    scaler = StandardScaler() if thesis else ClippedScaler(unit_variance=unit)
    pipeline = Pipeline(
        [
            ("features", feature_step(families, mask, image_shape, n_jobs)),
            ("scale", scaler),
            ("svc", machine(kernel, C, gamma, class_weight, random_state)),
        ],
        memory=memory,
    )
    if probability:
        calibrated = CalibratedClassifierCV(pipeline["svc"], ensemble=False)
        pipeline.set_params(svc=calibrated)
    return pipeline


def feature_step(
    families: Estimator | Sequence[str] | str,
    mask: Literal["auto", "last", "otsu", "full"],
    image_shape: Sequence[int] | None,
    n_jobs: int | None,
) -> Estimator:
    """Return the transformer from images to features."""
    if not hasattr(families, "transform"):
        return FeatureExtractor(
            families, mask=mask, image_shape=image_shape, n_jobs=n_jobs
        )
    for name, value, default in (
        ("mask", mask, "auto"),
        ("image_shape", image_shape, None),
        ("n_jobs", n_jobs, None),
    ):
        if value is not default and value != default:
            raise ValueError(
                f"{name}={value!r} has no effect where features is a transformer: "
                f"set it on {type(families).__name__}."
            )
    return families


def machine(
    kernel: str,
    C: float,
    gamma: Literal["scale", "auto"] | float,
    class_weight: Literal["balanced"] | Mapping[Any, float] | None,
    random_state: RandomStateLike,
) -> LinearSVC | SVC:
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
