"""FusionClassifier: images and features together."""

import numpy as np
import pytest
from sklearn.model_selection import cross_val_predict

from emclassify import FeatureExtractor, FusionClassifier, make_liposomes
from emclassify.training import ImageDataset


@pytest.fixture(scope="module")
def liposomes():
    data = make_liposomes(80, image_size=16, weights=[1, 1, 0], random_state=0)
    return np.stack([data.images, data.masks * 255], axis=-1), data.target


def model(**params):
    return FusionClassifier(
        **{"max_epochs": 2, "batch_size": 16, "random_state": 0, **params}
    )


def test_features_reach_the_network_standardised(liposomes):
    X, y = liposomes
    clf = model().fit(X, y)
    module = clf.net_.module_
    features = FeatureExtractor().fit_transform(X)
    np.testing.assert_allclose(module.features_mean.cpu(), features.mean(0), rtol=1e-3)
    # The features alone move the prediction: swap them between images.
    logits = [
        clf.net_.forward(ImageDataset(X, features=f)).cpu().numpy()
        for f in (features, features[::-1])
    ]
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_features_alone_can_decide():
    # The images are noise of one brightness; only the mask's size tells the class.
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    X = np.zeros((80, 12, 12, 2), np.uint8)
    X[..., 0] = rng.integers(90, 110, (80, 12, 12))
    for i, label in enumerate(y):
        side = 3 + 4 * label
        X[i, :side, :side, 1] = 1
    clf = model(families=["diameter"], max_epochs=15, lr=0.01)
    predicted = cross_val_predict(clf, X, y, cv=4)
    assert (predicted == y).mean() > 0.9


def test_cross_validation_sees_training_features_only(liposomes):
    X, y = liposomes
    first = model().fit(X[:60], y[:60])
    again = model().fit(X[:60].copy(), y[:60])
    np.testing.assert_array_equal(
        first.predict_proba(X[60:]), again.predict_proba(X[60:])
    )
    features = FeatureExtractor().fit_transform(X[:60])
    np.testing.assert_allclose(
        first.net_.module_.features_mean.cpu(), features.mean(0), rtol=1e-3
    )


def test_unknown_family_is_named(liposomes):
    with pytest.raises(ValueError, match="colour"):
        model(families=["colour"]).fit(*liposomes)
