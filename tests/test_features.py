"""What all feature transformers share: input, masks, names, chunks, errors.

scikit-learn's checks and the image checks on them are in test_common.py.
"""

import os
import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone

import emclassify.features
from emclassify.features import (
    EdgeDensity,
    FeatureExtractor,
    Histogram,
    Length,
    Moments,
    RadialDensity,
    SignalToNoise,
    _base,
)

TRANSFORMERS = [getattr(emclassify.features, n) for n in emclassify.features.__all__]
every_transformer = pytest.mark.parametrize(
    "make", TRANSFORMERS, ids=lambda make: make.__name__
)


def images(n=9, shape=(12, 15), dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, size=(n, *shape)).astype(dtype)


@every_transformer
@pytest.mark.parametrize("shape", [(12, 15), (12, 15, 1), (12, 15, 2), (12, 15, 3)])
@pytest.mark.parametrize("mask", ["auto", "otsu", "full"])
def test_names_are_unique_and_as_many_as_columns(make, shape, mask):
    transformer = make(mask=mask)
    got = transformer.fit_transform(images(shape=shape))
    names = transformer.get_feature_names_out()
    assert got.shape == (9, len(names)) == (9, transformer.n_features_out_)
    assert len(set(names)) == len(names)
    assert got.dtype == np.float64
    assert np.isfinite(got).all()


@every_transformer
def test_pandas_output_has_names_and_index(make):
    transformer = make().set_output(transform="pandas")
    frame = transformer.fit_transform(images())
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(transformer.get_feature_names_out())
    rows = pd.DataFrame(images().reshape(9, -1).astype(float), index=range(5, 14))
    rows.columns = rows.columns.astype(str)
    transformer.set_params(image_shape=(12, 15))
    other = transformer.fit_transform(rows)
    assert list(other.index) == list(range(5, 14))
    np.testing.assert_allclose(other, frame)


@every_transformer
@pytest.mark.parametrize("pixels", [1, 12 * 15 * 4])
def test_chunks_change_nothing(make, pixels, monkeypatch):
    X = np.stack([images(), images(seed=1) > 90], axis=-1)
    expected = make().fit_transform(X)
    monkeypatch.setattr(_base, "PIXELS_PER_CHUNK", pixels)
    np.testing.assert_allclose(make().fit_transform(X), expected, rtol=1e-9, atol=1e-9)


@every_transformer
def test_workers_change_nothing(make, monkeypatch):
    X = images(40, (12, 15, 2))
    monkeypatch.setattr(_base, "PIXELS_PER_CHUNK", 12 * 15 * 3)
    expected = make().fit_transform(X)
    got = make(n_jobs=2).fit_transform(X)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("n_jobs", [2, 3, -1])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_any_number_of_workers_gives_the_same_to_the_bit(n_jobs, dtype, monkeypatch):
    X = images(50, (17, 19, 2), dtype)
    monkeypatch.setattr(_base, "PIXELS_PER_CHUNK", 17 * 19 * 4)
    expected = FeatureExtractor().fit_transform(X)
    np.testing.assert_array_equal(
        FeatureExtractor(n_jobs=n_jobs).fit_transform(X), expected
    )


def test_workers_are_threads(monkeypatch):
    ids = set()

    def watched(images, *rest):
        ids.add((os.getpid(), threading.get_ident()))
        return compute_block(images, *rest)

    compute_block = _base.compute_block
    monkeypatch.setattr(_base, "compute_block", watched)
    monkeypatch.setattr(_base, "PIXELS_PER_CHUNK", 12 * 15)
    FeatureExtractor(n_jobs=2).fit_transform(images(20))
    assert {pid for pid, _ in ids} == {os.getpid()}
    assert threading.get_ident() not in {thread for _, thread in ids}


def test_workers_read_stored_images_by_the_chunk(monkeypatch):
    zarr = pytest.importorskip("zarr")
    n_read = []

    def watched(images, *rest):
        n_read.append(len(images))
        return compute_block(images, *rest)

    compute_block = _base.compute_block
    monkeypatch.setattr(_base, "compute_block", watched)
    monkeypatch.setattr(_base, "PIXELS_PER_CHUNK", 12 * 15 * 3)
    X = images(80)
    extractor = FeatureExtractor().fit(X)
    expected = extractor.transform(X)
    n_read.clear()
    got = extractor.set_params(n_jobs=2).transform(zarr.array(X))
    np.testing.assert_array_equal(got, expected)
    assert max(n_read) == 3


@every_transformer
def test_one_image_gives_the_same_alone(make):
    X = np.stack([images(), images(seed=1) > 90], axis=-1)
    transformer = make().fit(X)
    together = transformer.transform(X)
    for i in range(len(X)):
        np.testing.assert_allclose(
            transformer.transform(X[i : i + 1])[0], together[i], rtol=1e-9, atol=1e-9
        )


@every_transformer
def test_clone_and_pickle(make):
    transformer = make(mask="otsu", particle="dark", image_shape=(12, 15))
    X = images().reshape(9, -1)
    expected = transformer.fit_transform(X)
    copy = clone(transformer)
    assert not hasattr(copy, "image_shape_")
    np.testing.assert_array_equal(copy.fit_transform(X), expected)
    again = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(again.transform(X), expected)


@every_transformer
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 3), (40, 3)])
def test_tiny_images(make, shape):
    for mask in ("full", "otsu"):
        assert np.isfinite(make(mask=mask).fit_transform(images(shape=shape))).all()


@every_transformer
def test_landscape_is_portrait_turned(make):
    X = np.stack([images(), images(seed=1) > 90], axis=-1)
    got, turned = (make().fit_transform(Z) for Z in (X, X.transpose(0, 2, 1, 3)))
    names = make().fit(X).get_feature_names_out()
    # Of the moments, mu_pq becomes mu_qp, and Hu's seventh changes sign.
    free = [not n.startswith(("moment", "norm", "hu_7")) for n in names]
    np.testing.assert_allclose(turned[:, free], got[:, free], rtol=1e-5, atol=1e-5)


@given(
    arrays(
        np.float64,
        (2, 5, 6, 2),
        elements=st.floats(-1e30, 1e30, allow_nan=False, allow_infinity=False),
    )
)
@example(np.where(np.arange(120).reshape(2, 5, 6, 2) == 0, 0.0, 5e-324))
@settings(max_examples=100, deadline=None)
def test_features_are_finite_whatever_the_values(X):
    for mask in ("last", "otsu", "full"):
        assert np.isfinite(FeatureExtractor(mask=mask).fit_transform(X)).all()


@pytest.mark.parametrize("value", [1e-320, 1e-30, 1.0, 1e29])
@pytest.mark.parametrize("weights", ["contrast", "intensity", "mask"])
def test_features_are_finite_at_any_scale(value, weights):
    X = np.random.default_rng(0).normal(size=(3, 16, 16)) * value
    extractor = FeatureExtractor(moments_weights=weights)
    assert np.isfinite(extractor.fit_transform(X)).all()
    assert np.isfinite(extractor.fit_transform(np.abs(X))).all()


def test_huge_values_are_refused():
    with pytest.raises(ValueError, match=r"values up to 1e\+31.*rescale"):
        Histogram().fit_transform(np.full((1, 4, 4), 1e31))


# Masks


def test_auto_takes_a_mask_only_from_exactly_two_channels():
    X = images(shape=(12, 15, 3))
    X[..., -1] = 0
    np.testing.assert_allclose(Length().fit_transform(X), np.hypot(11, 15))
    assert not Length().fit_transform(X[..., 1:]).any()
    assert not Length(mask="last").fit_transform(X).any()


def test_the_mask_is_where_the_channel_is_not_zero():
    mask = images(seed=1) > 90
    expected = Length().fit_transform(np.stack([images(), mask], axis=-1))
    for value in (-1.5, 0.25, 255):
        X = np.stack([images(), mask * value], axis=-1)
        np.testing.assert_array_equal(Length().fit_transform(X), expected)


@every_transformer
def test_a_mask_needs_a_channel(make):
    with pytest.raises(ValueError, match=r'mask="last".*\(12, 15, 1\).*mask="otsu"'):
        make(mask="last").fit(images())


def test_channels_are_computed_one_by_one():
    X = images(shape=(12, 15, 3))
    extractor = FeatureExtractor().fit(X)
    frame = extractor.set_output(transform="pandas").transform(X)
    assert frame.shape[1] == 3 + 3 * 99
    for channel in range(3):
        alone = FeatureExtractor().set_output(transform="pandas")
        alone = alone.fit_transform(X[..., channel])
        tail = f"_channel{channel}"
        mine = frame.filter(like=tail).rename(
            columns=lambda n, t=tail: n.removesuffix(t)
        )
        pd.testing.assert_frame_equal(mine, alone[mine.columns])


def test_the_mask_is_no_channel_of_grey_values():
    X = images(shape=(12, 15, 3))
    names = FeatureExtractor(mask="last").fit(X).get_feature_names_out()
    assert len(names) == 3 + 2 * 99
    assert FeatureExtractor().fit(X[..., 1:]).n_features_out_ == 102


# Errors


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (Histogram(0), "n_bins"),
        (Histogram(-3), "n_bins"),
        (Histogram(2.5), "n_bins"),
        (Histogram(value_range="image"), "value_range"),
        (Histogram(value_range=(3, 3)), "value_range"),
        (Histogram(value_range=(0, np.inf)), "value_range"),
        (Histogram(value_range=(0, 1, 2)), "value_range"),
        (Histogram(value_range=("a", "b")), "value_range"),
        (Moments(1), "order"),
        (Moments(weights="grey"), "weights"),
        (RadialDensity(0), "n_rings"),
        (RadialDensity(extent=0), "extent"),
        (EdgeDensity(-1), "n_rings"),
        (EdgeDensity(extent=-1.0), "extent"),
        (SignalToNoise(mask="circle"), "mask"),
        (SignalToNoise(particle="grey"), "particle"),
        (Length(n_jobs=1.5), "n_jobs"),
    ],
    ids=str,
)
def test_bad_parameters_are_named(bad, name):
    with pytest.raises(ValueError, match=name):
        bad.fit(images())


def test_flat_rows_need_a_fitting_shape():
    with pytest.raises(ValueError, match=r"image_shape=\(12, 14\) needs 168.*180"):
        Length(image_shape=(12, 14)).fit(images().reshape(9, -1))


@pytest.mark.parametrize("order", [2, 3, 5])
def test_moments_of_any_order_have_their_names(order):
    moments = Moments(order).fit(images())
    names = moments.get_feature_names_out()
    assert f"moment_{order}0" in names
    assert f"normalized_moment_0{order}" in names
    assert sum(n.startswith("hu_") for n in names) == 7
    assert moments.transform(images()).shape[1] == len(names)
