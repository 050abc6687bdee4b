"""Label issues by out-of-fold probabilities: cleanlab takes our classifiers as is."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_val_predict

from emclassify import LipNetClassifier, svm_baseline

pytest.importorskip("cleanlab")

N, N_WRONG = 120, 12


@pytest.fixture(scope="module")
def mislabelled():
    """Images of two brightnesses, a tenth of them under the wrong label."""
    rng = np.random.default_rng(0)
    truth = np.tile([0, 1], N // 2)
    X = rng.normal(100, 8, (N, 8, 8)) + 60 * truth[:, None, None]
    wrong = np.zeros(N, dtype=bool)
    wrong[rng.choice(N, N_WRONG, replace=False)] = True
    return X.astype(np.float32), np.where(wrong, 1 - truth, truth), wrong


@pytest.mark.parametrize(
    "model",
    [
        svm_baseline(probability=True),
        LipNetClassifier(depth=2, max_epochs=4, batch_size=16, random_state=0),
    ],
    ids=["SVM", "LipNet"],
)
def test_wrong_labels_are_found_out_of_fold(model, mislabelled):
    from cleanlab.rank import get_label_quality_scores

    X, y, wrong = mislabelled
    proba = cross_val_predict(
        model,
        X,
        y,
        groups=np.arange(N) // 4,
        cv=GroupKFold(3),
        method="predict_proba",
    )
    quality = get_label_quality_scores(y, proba)
    assert wrong[np.argsort(quality)[:N_WRONG]].mean() > 0.9


def test_clean_learning_trains_on_what_it_trusts(mislabelled):
    from cleanlab.classification import CleanLearning

    X, y, wrong = mislabelled
    model = CleanLearning(
        svm_baseline(probability=True),
        cv_n_folds=3,
        seed=0,
        find_label_issues_kwargs={"n_jobs": 1},
    )
    model.fit(X, y)
    truth = np.where(wrong, 1 - y, y)
    assert (model.predict(X) == truth).mean() > 0.97
    found = model.get_label_issues()["is_label_issue"].to_numpy()
    assert found[wrong].mean() > 0.9
