"""Our own estimator checks, for images: what scikit-learn's checks don't feed.

Each check takes a name and an estimator; tests/test_common.py runs them on every
public estimator that takes images.
"""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier

N_SAMPLES = 24


def make_images(*shape, dtype="float64", seed=0):
    """Two classes that differ in brightness, as images of `shape`."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], N_SAMPLES // 2)
    X = rng.normal(100, 10, size=(N_SAMPLES, *shape))
    X += 60 * y.reshape(-1, *[1] * len(shape))
    return X.clip(0, 255).astype(dtype), y


def output(estimator, X):
    """What the estimator says of X, as an array."""
    method = "transform"
    if is_classifier(estimator):
        has = hasattr(estimator, "predict_proba")
        method = "predict_proba" if has else "decision_function"
    return np.asarray(getattr(estimator, method)(X))


def fitted(estimator, X, y):
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator.fit(X, y)


def check_image_forms(name, estimator):
    """Grey images give the same with and without the channel axis, and flat."""
    X, y = make_images(9, 8)
    expected = output(fitted(estimator, X, y), X)
    four = X[..., np.newaxis]
    got = output(fitted(estimator, four, y), four)
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)
    flat = X.reshape(N_SAMPLES, -1)
    cut = clone(estimator)
    own = "image_shape" in cut.get_params(deep=False)
    cut.set_params(**{"image_shape" if own else "estimator__image_shape": (9, 8)})
    got = output(fitted(cut, flat, y), flat)
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)


def check_channels(name, estimator):
    """Images of three channels pass."""
    X, y = make_images(8, 8, 3)
    assert len(output(fitted(estimator, X, y), X)) == N_SAMPLES


def check_integer_dtypes(name, estimator):
    """uint8, uint16 and float of the same values give the same."""
    X, y = make_images(8, 8, dtype="uint8")
    expected = output(fitted(estimator, X, y), X)
    # Images out of integer images are rounded.
    atol = 0.5 + 1e-5 if expected.dtype.kind in "iu" else 1e-5
    for dtype in ("uint16", ">u2", "int32", "float32", "float64"):
        Z = X.astype(dtype)
        got = output(fitted(estimator, Z, y), Z)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=atol, err_msg=dtype)


def check_memory_layout(name, estimator):
    """Read-only and non-contiguous images pass, give the same and stay as they are."""
    X, y = make_images(8, 8)
    before = X.copy()
    X.flags.writeable = False
    expected = output(fitted(estimator, X, y), X)
    for Z in (np.asfortranarray(X), np.repeat(X, 2, axis=2)[:, :, ::2]):
        np.testing.assert_array_equal(output(fitted(estimator, Z, y), Z), expected)
    np.testing.assert_array_equal(X, before)


def check_other_size_refused(name, estimator):
    """Images of another shape than in fit are refused, both shapes named."""
    X, y = make_images(8, 8)
    model = fitted(estimator, X, y)
    with pytest.raises(ValueError, match=r"\(8, 9, 1\).*\(8, 8, 1\)"):
        output(model, make_images(8, 9)[0])


def check_bad_values_named(name, estimator):
    """NaN and infinity are refused by the name of the sample."""
    for value, word in ((np.nan, "NaN"), (np.inf, "infinity")):
        X, y = make_images(8, 8)
        X[5, 2, 2] = value
        with pytest.raises(ValueError, match=f"{word}: image 5 of 24"):
            fitted(estimator, X, y)


def check_dimensions_refused(name, estimator):
    """No images, images without pixels, and too many axes are refused."""
    X, y = make_images(8, 8)
    for bad in (X[:0], X[:, :, :0], X[:, :, :, None, None]):
        with pytest.raises(ValueError, match=r"sample|shape"):
            fitted(estimator, bad, y[: len(bad)])


def check_copies_agree(name, estimator):
    """A pickled copy gives the same to the bit."""
    X, y = make_images(8, 8)
    model = fitted(estimator, X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(output(copy, X), output(model, X))


def check_random_states_untouched(name, estimator):
    """The caller's random states and torch threads are as before."""
    import torch

    X, y = make_images(8, 8)
    np.random.seed(3)  # noqa: NPY002 (the global state is the subject)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    output(fitted(estimator, X, y), X)
    after = np.random.get_state()[1], torch.get_rng_state()  # noqa: NPY002
    np.testing.assert_array_equal(after[0], before[0])
    assert torch.equal(after[1], before[1])
    assert torch.get_num_threads() == threads


IMAGE_CHECKS = [
    check_bad_values_named,
    check_channels,
    check_copies_agree,
    check_dimensions_refused,
    check_image_forms,
    check_integer_dtypes,
    check_memory_layout,
    check_other_size_refused,
    check_random_states_untouched,
]
