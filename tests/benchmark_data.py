"""Small data and quick models for the tests of benchmark_classifiers."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

NAMES = ["full", "empty", "unsure"]


def flatten(images):
    return np.stack([np.asarray(image) for image in images]).reshape(len(images), -1)


def flat(model):
    return make_pipeline(FunctionTransformer(flatten), model)


def make_data():
    """Noisy digits of three classes, their labels, and groups of ten."""
    digits = load_digits(n_class=3)
    rng = np.random.RandomState(0)
    X = digits.images[:180] + rng.normal(scale=6, size=(180, 8, 8))
    y = np.array(NAMES)[digits.target[:180]]
    return X.astype(np.float32), y, np.repeat(np.arange(18), 10)


MODELS = {
    "bayes": flat(GaussianNB()),
    "stump": flat(DecisionTreeClassifier(max_depth=1, random_state=0)),
}
