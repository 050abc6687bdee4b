"""Several labels an image, in every network classifier."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multioutput import ClassifierChain

from emclassify import (
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    ResNetClassifier,
    SeedEnsembleClassifier,
)
from emclassify.metrics import PerClassScorer, per_class_scorers, per_class_scores
from emclassify.model_selection import MultilabelStratifiedGroupKFold
from emclassify.training import (
    ImageDataset,
    ImageModule,
    WeightedBinaryCrossEntropyLoss,
    WeightedBinaryFocalLoss,
    WeightedCrossEntropyLoss,
    class_factors,
    validation_split,
)


def make_images(n=120, seed=0):
    """Images of 12×12 px; each label brightens a corner of its own."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 3)) < [0.6, 0.4, 0.2]).astype(int)
    X = rng.normal(100, 8, size=(n, 12, 12))
    X[:, :6, :6] += 30 * y[:, :1, None]
    X[:, :6, 6:] += 30 * y[:, 1:2, None]
    X[:, 6:, :6] += 30 * y[:, 2:, None]
    return X.clip(0, 255).astype(np.uint8), y


QUICK = {"max_epochs": 15, "batch_size": 20, "augmentation": None, "random_state": 0}


@pytest.mark.parametrize(
    "classifier",
    [
        LipNetClassifier(**QUICK),
        LipNetClassifier(**QUICK, loss="focal"),
        LipNetClassifier(**QUICK, class_weight="balanced"),
        LipNetClassifier(**QUICK, class_weight="complement"),
        LipNetClassifier(**QUICK, class_weight={0: 1.0, 2: 3.0}),
        LipNetClassifier(**QUICK, early_stopping=True),
        ResNetClassifier(n=1, m=0, **QUICK),
        FullyConvolutionalClassifier(
            widths=(8, 16), **{**QUICK, "max_epochs": 40, "lr": 0.02}
        ),
        FusionClassifier(["histogram"], **QUICK),
        SeedEnsembleClassifier(LipNetClassifier(**QUICK), n_members=2, random_state=0),
    ],
    ids=lambda c: f"{type(c).__name__}-{getattr(c, 'loss', '')}",
)
def test_every_network_learns_several_labels(classifier):
    X, y = make_images()
    classifier.fit(X[:80], y[:80])
    proba = classifier.predict_proba(X[80:])
    assert proba.shape == (40, 3)
    assert ((proba >= 0) & (proba <= 1)).all()
    assert not np.allclose(proba.sum(axis=1), 1)
    predicted = classifier.predict(X[80:])
    assert_array_equal(predicted, proba >= 0.5)
    assert f1_score(y[80:], predicted, average="macro") > 0.8
    assert classifier.multilabel_
    assert_array_equal(classifier.classes_, [0, 1, 2])


def test_takes_sparse_labels():
    X, y = make_images(40)
    dense, thin = (
        LipNetClassifier(**{**QUICK, "max_epochs": 2}).fit(X, labels)
        for labels in (y, sparse.csr_array(y))
    )
    assert_array_equal(dense.predict_proba(X), thin.predict_proba(X))


def test_weight_two_is_the_sample_twice():
    X, y = make_images(40)
    weight = np.where(np.arange(40) % 3 == 0, 2, 1)
    twice = np.repeat(np.arange(40), weight)
    net = LipNetClassifier(**{**QUICK, "max_epochs": 2, "class_weight": "balanced"})
    weighted = net.fit(X, y, sample_weight=weight).predict_proba(X)
    repeated = net.fit(X[twice], y[twice]).predict_proba(X)
    assert_allclose(weighted, repeated, rtol=1e-4)


def test_the_order_of_samples_does_not_matter():
    X, y = make_images(40)
    order = np.random.default_rng(0).permutation(40)
    net = LipNetClassifier(**{**QUICK, "max_epochs": 2, "batch_size": 40})
    assert_allclose(
        net.fit(X, y).predict_proba(X),
        net.fit(X[order], y[order]).predict_proba(X),
        rtol=1e-5,
    )


def test_partial_fit_and_warm_start():
    X, y = make_images(40)
    net = LipNetClassifier(**{**QUICK, "max_epochs": 1})
    net.partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    assert len(net.history_) == 2
    with pytest.raises(ValueError, match=r"y has shape \(40,\).*several labels"):
        net.partial_fit(X, y[:, 0])
    with pytest.raises(ValueError, match="y has 2 columns"):
        net.partial_fit(X, y[:, :2])
    warm = LipNetClassifier(**{**QUICK, "max_epochs": 1, "warm_start": True})
    warm.fit(X, y[:, 0])
    with pytest.raises(ValueError, match="one label"):
        warm.fit(X, y)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.arange(80).reshape(40, 2), "y has shape .* multiclass-multioutput"),
        (np.ones((39, 2), dtype=int), "39 rows for 40 images"),
    ],
)
def test_bad_labels(bad, message):
    X, _ = make_images(40)
    bad[0, 0] = 0
    with pytest.raises(ValueError, match=message):
        LipNetClassifier().fit(X, bad)


def test_cross_validate_search_and_chain():
    X, y = make_images(60)
    groups = np.arange(60) // 5
    net = LipNetClassifier(**{**QUICK, "max_epochs": 4})
    scores = cross_validate(
        net,
        X,
        y,
        groups=groups,
        cv=MultilabelStratifiedGroupKFold(2),
        scoring=per_class_scorers([0, 1, 2], target_names=["a", "b", "c"]),
        error_score="raise",
    )
    assert len(scores["test_TPR_c"]) == 2
    search = GridSearchCV(
        net,
        {"class_weight": [None, "complement"]},
        cv=MultilabelStratifiedGroupKFold(2),
        scoring="f1_macro",
        error_score="raise",
    ).fit(X, y, groups=groups)
    assert search.predict(X).shape == y.shape
    # A chain hands its links rows of numbers: the pixels, and the labels before.
    chain = ClassifierChain(LipNetClassifier(**{**QUICK, "max_epochs": 2}))
    rows = X.reshape(60, -1)[:, ::8]
    assert chain.fit(rows, y).predict(rows).shape == y.shape


# --- known answers --------------------------------------------------------------------


def test_losses_are_those_of_torch_and_of_the_paper():
    logits = torch.tensor([[0.3, -1.2], [2.0, 0.5]])
    target = torch.tensor([[1, 0], [0, 1]])
    weight = torch.tensor([[1.0, 2.0], [0.5, 1.0]])
    plain = WeightedBinaryCrossEntropyLoss()(logits, (target, weight))
    known = torch.nn.BCEWithLogitsLoss(weight=weight)(logits, target.float())
    assert_allclose(plain, known, rtol=1e-6)
    smooth = WeightedBinaryCrossEntropyLoss(0.2)(logits, (target, weight))
    soft = torch.nn.BCEWithLogitsLoss(weight=weight)(logits, target * 0.8 + 0.1)
    assert_allclose(smooth, soft, rtol=1e-6)
    flat = WeightedBinaryFocalLoss(0.2, gamma=0.0)(logits, (target, weight))
    assert_allclose(flat, smooth, rtol=1e-6)
    p = torch.where(target == 1, logits.sigmoid(), 1 - logits.sigmoid())
    focal = (-((1 - p) ** 2) * p.log() * weight).mean()
    ours = WeightedBinaryFocalLoss()(logits, (target, weight))
    assert_allclose(ours, focal, rtol=1e-5)


def test_label_smoothing_with_weights_has_the_form_of_keras():
    logits, target = torch.tensor([[1.0, 0.0, -1.0]]), torch.tensor([2])
    weight = torch.tensor([5.0])
    ours = WeightedCrossEntropyLoss(0.3)(logits, (target, weight))
    # Smoothed shares 0.1, 0.1, 0.8; the sample's weight stands before all of them.
    log_p = logits[0].log_softmax(0)
    by_hand = -5 * (0.1 * log_p[0] + 0.1 * log_p[1] + 0.8 * log_p[2])
    assert_allclose(ours, by_hand, rtol=1e-5)


@pytest.mark.parametrize("pair", [(0, 2), (-1, 1), (1, 2), (0, 255), (0.0, 2.0)])
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sparse"])
def test_other_values_than_0_and_1_are_refused(pair, dense):
    X, y = make_images(20)
    strange = np.array(pair)[y]
    if not dense:
        # Of sparse matrices, scikit-learn takes one value beside 0.
        strange = sparse.csr_matrix(np.where(y, pair[1], 0) if pair[1] > 1 else -y)
    words = (
        r"has several columns and holds (-1|2|255|2\.0); an indicator matrix .* 0 and 1"
    )
    with pytest.raises(ValueError, match=f"y {words}"):
        LipNetClassifier(**QUICK).fit(X, strange)
    with pytest.raises(ValueError, match=f"y_true {words}"):
        per_class_scores(strange, y)
    with pytest.raises(ValueError, match=f"y_pred {words}"):
        per_class_scores(y, strange)
    with pytest.raises(ValueError, match=f"y {words}"):
        next(MultilabelStratifiedGroupKFold(2).split(X, strange))


def test_class_factors_by_hand():
    y = np.array([[1, 0], [1, 1], [1, 0], [0, 0]])
    classes = np.arange(2)
    assert_array_equal(class_factors(None, y, classes), np.ones((4, 2)))
    # Three of four have label 0, one of four label 1: 4 / (2 · 3), 4 / (2 · 1).
    balanced = [[2 / 3, 2 / 3], [2 / 3, 2], [2 / 3, 2 / 3], [2, 2 / 3]]
    assert_allclose(class_factors("balanced", y, classes), balanced)
    # The same formula for presence and absence of each label: 1 − 3 / 4, 1 − 1 / 4.
    complement = [[0.25, 0.25], [0.25, 0.75], [0.25, 0.25], [0.75, 0.25]]
    assert_allclose(class_factors("complement", y, classes), complement)
    constant = np.array([[1, 0], [1, 0]])
    assert_allclose(class_factors("complement", constant, classes), np.ones((2, 2)))
    given = [[1, 1], [1, 5], [1, 1], [1, 1]]
    assert_allclose(class_factors({1: 5.0}, y, classes), given)
    # One label a sample: three of class 0, one of class 1.
    labels = np.array([0, 0, 0, 1])
    factors = class_factors("complement", labels, np.array(["a", "b"]))
    assert_allclose(factors, [0.25, 0.25, 0.25, 0.75])
    # A dict holds for classes that these samples don't have, too.
    factors = class_factors({"c": 3.0}, labels, np.array(["a", "b", "c"]))
    assert_allclose(factors, [1, 1, 1, 1])


def test_networks_start_from_the_share_of_each_label():
    y = np.array([[1, 0]] * 3 + [[0, 0]] * 5)
    dataset = ImageDataset(np.zeros((8, 2, 2, 1)), y, np.ones((8, 2)), np.arange(8))
    module = ImageModule(torch.nn.Identity(), torch.nn.Identity(), "float32")
    module.learn_log_odds(dataset)
    # (3 + 1/2) / (8 + 1) and (0 + 1/2) / (8 + 1)
    assert_allclose(module.log_odds.sigmoid(), [3.5 / 9, 0.5 / 9], rtol=1e-5)


def test_validation_split_keeps_every_label_in_training():
    rng = np.random.default_rng(0)
    y = (rng.random((60, 4)) < [0.5, 0.3, 0.1, 0]).astype(np.int8)
    y[7, 3] = 1  # one sample only: it has to be learnt from
    train, valid = validation_split(y, None, 0.2, np.random.RandomState(0))
    assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(60))
    assert y[train].any(axis=0).all()
    assert 10 <= len(valid) <= 14
    groups = np.arange(60) // 6
    train, valid = validation_split(y, groups, 0.2, np.random.RandomState(0))
    assert not set(groups[train]) & set(groups[valid])
    assert y[train].any(axis=0).all()


def test_figures_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth = (rng.random((80, 3)) < 0.4).astype(int)
    guess = np.where(rng.random((80, 3)) < 0.2, 1 - truth, truth)
    names = ["nuclei", "Golgi", "cytosol"]
    table = per_class_scores(truth, guess, target_names=names, zero_division=0)
    report = classification_report(
        truth, guess, target_names=names, output_dict=True, zero_division=0
    )
    for row, known in [
        *zip(names, names, strict=True),
        *((a, f"{a} avg") for a in ("macro", "weighted", "micro", "samples")),
    ]:
        ours = table.loc[row, ["PPV", "TPR", "F1", "support"]]
        assert_allclose(ours.to_numpy(dtype=float), list(report[known].values()))
    # TNR and NPV of a label: sensitivity and precision of its absence.
    absent = classification_report(
        1 - truth, 1 - guess, target_names=names, output_dict=True, zero_division=0
    )
    assert_allclose(table.loc["Golgi", "TNR"], absent["Golgi"]["recall"])
    assert_allclose(table.loc["Golgi", "NPV"], absent["Golgi"]["precision"])


def test_figures_of_one_label_of_several():
    truth, guess = [[1, 0], [0, 1], [1, 1], [0, 0]], [[1, 0], [0, 1], [1, 0], [0, 1]]
    table = per_class_scores(truth, guess, labels=[1], zero_division=0)
    # Found, missed, and wrongly found once each; not there once.
    assert table.loc[1].tolist() == [0.5, 0.5, 0.5, 0.5, 0.5, 2]
    # Of the four samples, one has the label and is given it.
    assert table.loc["samples", "TPR"] == 0.25
    assert table.loc["samples", "TNR"] == 0.25
    both = per_class_scores(truth, guess, labels=[1, 0], zero_division=0)
    assert_allclose(both.loc[1], table.loc[1])


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float64", "int8"])
def test_figures_of_frames(dtype):
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 2, (2, 20, 3))
    expected = per_class_scores(truth, guess)
    frames = [
        pd.DataFrame(y, columns=list("abc"), index=np.arange(20)[::-1]).astype(dtype)
        for y in (truth, guess)
    ]
    pd.testing.assert_frame_equal(per_class_scores(*frames), expected)

    class Given:
        def predict(self, X):
            return guess

    scores = PerClassScorer([0, 1, 2])(Given(), None, frames[0])
    assert scores["F1_macro"] == pytest.approx(expected.loc["macro", "F1"])


def test_scorer_of_several_labels():
    class Constant:
        def predict(self, X):
            return np.array([[1, 0], [1, 1], [0, 0]])

    scores = PerClassScorer([0, 1], target_names=["a", "b"])(
        Constant(), None, np.array([[1, 0], [1, 0], [1, 0]])
    )
    assert scores["accuracy"] == pytest.approx(1 / 3)  # only the first is all right
    assert scores["TPR_a"] == pytest.approx(2 / 3)
    assert scores["TNR_b"] == pytest.approx(2 / 3)
