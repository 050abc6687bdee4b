"""Networks and features inside scikit-learn's and imbalanced-learn's machinery."""

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline

from emclassify import (
    LipNetClassifier,
    ResizeImages,
    benchmark_classifiers,
    make_liposomes,
    svm_baseline,
)
from emclassify.metrics import per_class_scorers

NAMES = ["unilamellar", "multilamellar", "uncertain"]


@pytest.fixture(scope="module")
def liposomes():
    return make_liposomes(
        90, image_size=24, weights=[0.5, 0.3, 0.2], n_groups=15, random_state=0
    )


def lipnet(**params):
    return LipNetClassifier(
        **{"max_epochs": 2, "batch_size": 16, "random_state": 0, **params}
    )


@pytest.mark.parametrize(
    "model",
    [
        lipnet(),
        svm_baseline(),
        make_pipeline(ResizeImages((12, 12)), lipnet()),
        make_imblearn_pipeline(ResizeImages((12, 12)), lipnet()),
    ],
    ids=["lipnet", "svm", "pipeline", "imblearn"],
)
def test_cross_validate_with_groups_and_per_class_scores(liposomes, model):
    scores = cross_validate(
        model,
        liposomes.images,
        liposomes.target,
        groups=liposomes.groups,
        cv=GroupKFold(5),
        scoring=per_class_scorers(NAMES),
        n_jobs=2,
        error_score="raise",
    )
    for name in NAMES:
        for figure in ("TPR", "TNR", "PPV", "NPV", "F1"):
            assert scores[f"test_{figure}_{name}"].shape == (5,)
            assert np.isfinite(scores[f"test_{figure}_{name}"]).all()
    assert scores["test_F1_macro"].mean() > 0.1


def test_grid_search_over_cnn_and_svm(liposomes):
    search = GridSearchCV(
        Pipeline([("model", lipnet())]),
        [
            {"model": [lipnet()], "model__dropout": [0.0, 0.25]},
            {"model": [svm_baseline()], "model__svc__C": [1, 10]},
        ],
        scoring="f1_macro",
        cv=GroupKFold(3),
        n_jobs=2,
        error_score="raise",
    )
    search.fit(liposomes.images, liposomes.target, groups=liposomes.groups)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.cv_results_["params"]) == 4
    assert search.predict(liposomes.images[:3]).shape == (3,)


def test_imblearn_sampler_on_flat_rows(liposomes):
    model = make_imblearn_pipeline(
        RandomOverSampler(random_state=0), lipnet(image_shape=(24, 24))
    )
    flat = liposomes.images.reshape(len(liposomes.images), -1)
    predicted = cross_val_predict(
        model, flat, liposomes.target, groups=liposomes.groups, cv=GroupKFold(3)
    )
    assert set(predicted) <= set(liposomes.target)


def test_benchmark_is_the_same_at_any_n_jobs(liposomes):
    # The network's early stopping gets the groups for its inner split.
    one, two = (
        benchmark_classifiers(
            {"CNN": lipnet(early_stopping=True, n_threads=1), "SVM": svm_baseline()},
            liposomes.images,
            liposomes.target,
            groups=liposomes.groups,
            cv=GroupKFold(3),
            random_state=0,
            n_jobs=n_jobs,
        )
        for n_jobs in (1, 2)
    )
    for name in ("CNN", "SVM"):
        np.testing.assert_array_equal(
            one.out_of_fold(name).to_numpy(), two.out_of_fold(name).to_numpy()
        )
    assert one.verdict() == two.verdict()
    assert "CNN" in one.verdict()
