"""How many images of another kind a rejecting classifier rejects.

LipNet-4 and the SVM baseline are trained on simulated liposomes, with a detector of
novel images, and asked about images of other kinds: noise, other magnifications, empty
fields. The detector was chosen among a few, on other draws of the same kinds. The
share that confidence alone rejects, the detector alone, and either, is printed as a
table of reStructuredText.

    python benchmarks/ood_rejection.py [training images] [epochs]
"""

import sys

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    FeatureExtractor,
    LipNetClassifier,
    RejectClassifierCV,
    make_liposomes,
    svm_baseline,
)

SIZE, N_TEST = 28, 500
WEIGHTS = {"unilamellar": 0.6, "multilamellar": 0.3, "uncertain": 0.1}


def draw(n, seed, image_size=SIZE, **settings):
    """Simulate liposomes; each seed has micrographs of its own."""
    return make_liposomes(
        n, image_size=image_size, weights=WEIGHTS, random_state=seed, **settings
    )


def other_kinds(n):
    """{kind: n images unlike those trained on}."""
    like = draw(n, 2).images
    rng = np.random.default_rng(2)
    shuffled = rng.permuted(like.reshape(n, -1), axis=1).reshape(like.shape)
    # The corner of a field around one particle: no particle reaches into it.
    field = draw(n, 5, image_size=5 * SIZE, pixel_size=4.0, neighbours=0).images
    middle = slice(SIZE // 2, -SIZE // 2)
    return {
        "uniform noise": rng.integers(0, 256, like.shape, dtype=np.uint8),
        "their pixels shuffled": shuffled,
        "magnified twice": draw(n, 3, image_size=2 * SIZE).images[:, middle, middle],
        "magnified half": draw(n, 4, margin=(1.3, 1.8)).images,
        "empty field": field[:, :SIZE, :SIZE],
    }


def main(n_train=1000, max_epochs=15):
    train, test = draw(n_train, 0), draw(N_TEST, 1)
    kinds = {"like those trained on": test.images, **other_kinds(N_TEST)}
    detector = make_pipeline(
        FeatureExtractor(), StandardScaler(), LocalOutlierFactor(novelty=True)
    )
    models = {
        "SVM": svm_baseline(families="thesis", probability=True),
        "LipNet-4": LipNetClassifier(
            max_epochs=max_epochs, batch_size=32, random_state=0
        ),
    }
    columns = {}
    for name, model in models.items():
        clf = RejectClassifierCV(
            model,
            max_error=0.1,
            novelty_detector=detector,
            max_false_novelty=0.05,
            cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
        ).fit(train.images, train.target, groups=train.groups)
        describe(name, clf, test, kinds["empty field"])
        columns |= shares_rejected(name, clf, kinds)
    print(f"\n.. list-table:: Rejected of {N_TEST} images each")
    print("   :header-rows: 1\n")
    print_row("Images", *columns)
    for kind in kinds:
        print_row(kind, *(f"{100 * column[kind]:.1f} %" for column in columns.values()))


def shares_rejected(name, clf, kinds):
    """Return {what rejects: {kind: share}}."""
    either = {kind: np.mean(~clf.accepts(X)) for kind, X in kinds.items()}
    novel = {
        kind: np.mean(clf.novelty_detector_.score_samples(X) < clf.novelty_threshold_)
        for kind, X in kinds.items()
    }
    unsure = {}
    for kind, X in kinds.items():
        code = np.searchsorted(clf.classes_, clf.estimator_.predict(X))
        confidence = clf.predict_proba(X)[np.arange(len(X)), code]
        unsure[kind] = np.mean(confidence < clf.thresholds_[code])
    return {name: unsure, "detector": novel, f"{name} or detector": either}


def describe(name, clf, test, empty):
    """Print what is accepted of images like those trained on."""
    accepted = clf.accepts(test.images)
    wrong = clf.estimator_.predict(test.images) != test.target
    called = np.unique(clf.predict(empty), return_counts=True)
    print(
        f"{name}: out of fold, coverage {clf.coverage_:.3f} and risk {clf.risk_:.3f}; "
        f"on new images, {accepted.mean():.3f} and {wrong[accepted].mean():.3f}, "
        f"without rejecting {wrong.mean():.3f}. Empty fields are called "
        f"{dict(zip(called[0].tolist(), called[1].tolist(), strict=True))}.",
        flush=True,
    )


def print_row(*cells):
    """Print a row of a list-table."""
    print("   * - " + "\n     - ".join(cells))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
