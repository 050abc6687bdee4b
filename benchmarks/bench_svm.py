"""Speed of the SVM baseline's machine with and without scikit-learn-intelex.

The `SVC` that `svm_baseline` makes is fitted by turns by scikit-learn and by its
patched version: 14,169 samples of 110 standardised features, in three Gaussian classes
as frequent as those of the liposome thesis (12,368, 1,717 and 84). How far the classes
are apart decides: the patched machine computes the kernel in large blocks, which pays
where many samples become support vectors and is wasted where few do. On simulated
liposomes some 30 % do. Ratios are those of the medians of five runs; the patched
machine takes all cores it gets, scikit-learn's one. Needs ``emclassify[intel]``.

    python benchmarks/bench_svm.py [number of runs]
"""

import sys

import numpy as np
from _timing import by_turns, report
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emclassify.baselines import svm_baseline

COUNTS = (12_368, 1_717, 84)
N_FEATURES = 110
# Standard deviation of the classes' centres; that of a class is 1 in each feature.
APART = {"overlapping": 0.1, "as liposomes": 0.2, "far apart": 0.5}


def make_features(apart, random_state=0):
    """Return samples to learn from and as many to predict, and the labels of both."""
    rng = np.random.default_rng(random_state)
    y = rng.permutation(np.repeat(np.arange(len(COUNTS)), COUNTS))
    centres = rng.normal(0, apart, (len(COUNTS), N_FEATURES))
    learn, new = rng.normal(0, 1, (2, len(y), N_FEATURES)) + centres[y]
    scaler = StandardScaler().fit(learn)
    return scaler.transform(learn), scaler.transform(new), y


def machines():
    """Return the machine of `svm_baseline` as patched, and scikit-learn's own."""
    from sklearnex import patch_sklearn, unpatch_sklearn

    plain = svm_baseline(families="thesis")["svc"]
    patch_sklearn("sklearn.svm.SVC", verbose=False)
    from sklearn.svm import SVC as Patched

    unpatch_sklearn("sklearn.svm.SVC")
    if Patched is SVC:
        raise RuntimeError("scikit-learn-intelex has not patched SVC.")
    return Patched(**plain.get_params()), plain


def main(runs=5):
    try:
        patched, plain = machines()
    except ModuleNotFoundError as error:
        print(f'SVC fit: not measured, {error}: pip install "emclassify[intel]"')
        return
    for name, apart in APART.items():
        X, X_new, y = make_features(apart)
        fast, slow = by_turns(
            *(lambda svc=svc: svc.fit(X, y) for svc in (patched, plain)),  # noqa: B023
            runs=runs,
        )
        report(
            f"SVC fit with [intel], {len(X):,} × {N_FEATURES}, {name}",
            len(X) / fast,
            "scikit-learn",
            len(X) / slow,
            unit="samples/s",
            goal=2,
        )
        same = (patched.predict(X_new) == plain.predict(X_new)).mean()
        print(
            f"  {plain.n_support_.sum() / len(X):.0%} are support vectors; "
            f"{same:.2%} of {len(X_new):,} predictions are the same",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
