"""ClippedScaler: z-scores with a limit."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from emclassify.baselines import ClippedScaler


@pytest.fixture
def X():
    X = np.random.default_rng(0).normal(3, 5, size=(400, 6))
    X[7, 2] = 1e6
    X[:, 4] = 0.1
    return X


def test_within_the_limit_it_is_the_standard_scaler(X):
    expected = np.clip(StandardScaler().fit_transform(X), -8, 8)
    expected[:, 4] = 0
    got = ClippedScaler().fit_transform(X)
    np.testing.assert_allclose(got, expected, atol=1e-9)
    assert got[7, 2] == 8
    assert np.abs(ClippedScaler(2).fit_transform(X)).max() == 2


def test_all_features_of_a_sample_share_a_variance_of_one(X):
    got = ClippedScaler(unit_variance="sample").fit_transform(X)
    np.testing.assert_allclose(got.shape[1] * got.var(), 1)
    plain = ClippedScaler().fit_transform(X)
    np.testing.assert_allclose(got, plain / np.sqrt(6 * plain.var()))


@pytest.mark.parametrize("unit", ["feature", "sample"])
def test_constants_huge_values_and_one_sample_stay_finite(unit):
    scaler = ClippedScaler(unit_variance=unit)
    assert not scaler.fit_transform(np.full((5, 3), 7.3)).any()
    assert not scaler.fit_transform([[1.0, 2.0]]).any()
    huge = np.array([[1e200, 1.0], [-1e200, 2.0], [0.0, 3.0]])
    assert np.isfinite(scaler.fit_transform(huge)).all()


@pytest.mark.parametrize("bad", [{"limit": 0}, {"unit_variance": "all"}], ids=str)
def test_bad_parameters_are_named(bad, X):
    with pytest.raises(ValueError, match=next(iter(bad))):
        ClippedScaler(**bad).fit(X)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("unit", ["feature", "sample"])
def test_skl2onnx_can_write_it(unit, X):
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    scaler = ClippedScaler(3, unit_variance=unit).fit(X)
    graph = skl2onnx.to_onnx(scaler, X).SerializeToString()
    (got,) = onnxruntime.InferenceSession(graph).run(None, {"X": X})
    np.testing.assert_allclose(got, scaler.transform(X), atol=1e-12)
