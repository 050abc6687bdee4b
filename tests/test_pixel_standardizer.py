"""PixelStandardizer: scikit-learn's StandardScaler, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.preprocessing import StandardScaler

from emclassify import PixelStandardizer
from emclassify.preprocessing import _pixel_standardizer


def stack(dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((30, 5, 4, 2)) * 200 + 20).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_as_standard_scaler(dtype, with_mean, with_std):
    train, test = stack(dtype), stack(dtype, seed=1)
    theirs = StandardScaler(with_mean=with_mean, with_std=with_std)
    theirs.fit(train.reshape(30, -1).astype(float))
    ours = PixelStandardizer(with_mean=with_mean, with_std=with_std).fit(train)
    np.testing.assert_allclose(
        ours.transform(test).reshape(30, -1),
        theirs.transform(test.reshape(30, -1).astype(float)),
        rtol=1e-5,
        atol=1e-5,
    )
    kept = np.float64 if dtype == "float64" else np.float32
    assert ours.transform(test).dtype == kept


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1, 65535.0])
def test_dead_pixels_are_zero_also_where_they_wake(value):
    train = stack()
    train[:, 2, 1, 0] = value
    scaler = PixelStandardizer().fit(train)
    assert scaler.dead_pixels_.sum() == 1
    assert scaler.dead_pixels_[2, 1, 0]
    test = stack(seed=1)
    assert (scaler.transform(test)[:, 2, 1, 0] == 0).all()


def test_a_weak_pixel_is_not_dead():
    # One photon in one of a thousand patterns.
    X = np.zeros((1000, 2, 2), np.uint16)
    X[17, 0, 1] = 1
    scaler = PixelStandardizer().fit(X)
    assert scaler.dead_pixels_[..., 0].tolist() == [[True, False], [True, True]]
    assert scaler.scale_[0, 1, 0] == pytest.approx(np.sqrt(0.001 * 0.999))


def test_deviation_is_exact_far_from_zero():
    X = 1e8 + stack()
    scaler = PixelStandardizer().fit(X)
    np.testing.assert_allclose(scaler.scale_, X.std(axis=0), rtol=1e-9)


def test_chunks_change_nothing(monkeypatch):
    X = stack("uint16")
    whole = PixelStandardizer().fit_transform(X)
    monkeypatch.setattr(_pixel_standardizer, "_VALUES_PER_READ", 7 * 40)
    monkeypatch.setattr(_pixel_standardizer, "_VALUES_PER_CHUNK", 2 * 40)
    np.testing.assert_allclose(PixelStandardizer().fit_transform(X), whole, rtol=1e-6)


def test_squares_beyond_the_largest_number_are_refused():
    X = np.zeros((3, 2, 2))
    X[1] = 1e200
    with pytest.raises(ValueError, match="so large that their squares overflow"):
        PixelStandardizer().fit(X)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_training_images_come_out_standardised(n, seed):
    X = np.random.default_rng(seed).integers(0, 5, (n, 3, 2)).astype(np.uint8)
    out = PixelStandardizer().fit_transform(X)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-6)
    assert np.isin(np.round(out.std(axis=0), 4), [0, 1]).all()
