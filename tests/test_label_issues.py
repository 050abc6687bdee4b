"""Wrong labels: cleanlab trains our classifiers, unmodified, on what it trusts.

tests/test_plays_with_others.py has its issues from probabilities out of fold.
"""

import numpy as np
import pytest

from emclassify import svm_baseline

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


def test_clean_learning_trains_on_what_it_trusts(mislabelled):
    from cleanlab.classification import CleanLearning

    X, y, wrong = mislabelled
    model = CleanLearning(
        svm_baseline(families="thesis", probability=True),
        cv_n_folds=3,
        seed=0,
        find_label_issues_kwargs={"n_jobs": 1},
    )
    model.fit(X, y)
    truth = np.where(wrong, 1 - y, y)
    assert (model.predict(X) == truth).mean() > 0.97
    found = model.get_label_issues()["is_label_issue"].to_numpy()
    assert found[wrong].mean() > 0.9
