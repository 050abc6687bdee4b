"""DiffusionMap against spectra that are known, and SpectralEmbedding."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import make_swiss_roll
from sklearn.manifold import SpectralEmbedding

from emclassify.baselines import DiffusionMap


def circle(n):
    angle = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def aligned(one, other):
    """Largest deviation of columns from multiples of the other's columns."""
    one, other = (Z / np.linalg.norm(Z, axis=0) for Z in (one, other))
    return np.abs(one - other * np.sign((one * other).sum(axis=0))).max()


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_circle(alpha):
    # The kernel is circulant: its eigenvalues are its row's Fourier transform.
    X, epsilon = circle(24), 0.3
    row = np.exp(-((X - X[0]) ** 2).sum(axis=1) / epsilon)
    expected = np.sort(np.fft.fft(row / row.sum()).real)[::-1][1:7]
    walk = DiffusionMap(6, epsilon=epsilon, alpha=alpha).fit(X)
    np.testing.assert_allclose(walk.eigenvalues_, expected, atol=1e-12)
    # The first two coordinates turn once around, the next two twice.
    first = walk.embedding_[:, :2] / walk.eigenvalues_[0]
    np.testing.assert_allclose(np.hypot(*first.T), np.sqrt(2), rtol=1e-9)


def test_three_images_by_hand():
    # On a line at 0, 1, 3, epsilon 1, alpha 0.
    a, b, c = np.exp(-1.0), np.exp(-9.0), np.exp(-4.0)
    kernel = np.array([[1, a, b], [a, 1, c], [b, c, 1]])
    walk = kernel / kernel.sum(axis=1, keepdims=True)
    # Of a Markov matrix of three states, with eigenvalue 1: trace and determinant.
    total, product = np.trace(walk) - 1, np.linalg.det(walk)
    root = np.sqrt(total**2 / 4 - product)
    expected = [total / 2 + root, total / 2 - root]
    X = np.array([[0.0], [1.0], [3.0]])
    made = DiffusionMap(2, epsilon=1.0, alpha=0.0, diffusion_time=0).fit(X)
    np.testing.assert_allclose(made.eigenvalues_, expected, rtol=1e-9)
    for value, vector in zip(expected, made.embedding_.T, strict=True):
        np.testing.assert_allclose(walk @ vector, value * vector, atol=1e-12)
        stationary = kernel.sum(axis=1) / kernel.sum()
        assert stationary @ vector**2 == pytest.approx(1)


@pytest.mark.parametrize("n_neighbors", [None, 100])
def test_as_spectral_embedding(n_neighbors):
    # It leaves out the steps from an image to itself; here they are one in a hundred.
    X = np.random.default_rng(0).random((400, 2)) * [3, 1]
    ours = DiffusionMap(
        3, epsilon=0.3, alpha=0.0, diffusion_time=0, n_neighbors=n_neighbors
    ).fit(X)
    affinity = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1) / 0.3)
    if n_neighbors is not None:
        far = np.argsort(np.argsort(-affinity, axis=1), axis=1) >= n_neighbors
        affinity[far & far.T] = 0
    theirs = SpectralEmbedding(3, affinity="precomputed", random_state=0)
    assert aligned(ours.embedding_, theirs.fit_transform(affinity)) < 0.01


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("diffusion_time", [0, 1, 2.5])
def test_nystroem_gives_training_images_their_place(alpha, diffusion_time):
    X = np.random.default_rng(0).normal(size=(50, 4, 3))
    walk = DiffusionMap(3, alpha=alpha, diffusion_time=diffusion_time)
    where = walk.fit_transform(X)
    np.testing.assert_allclose(walk.transform(X), where, atol=1e-9)


def test_new_images_land_between_their_neighbours():
    walk = DiffusionMap(2, epsilon=0.1).fit(circle(40))
    between = circle(80)[1::2]
    new, old = walk.transform(between), walk.embedding_
    np.testing.assert_allclose(new, (old + np.roll(old, -1, axis=0)) / 2, atol=0.02)


def test_far_away_is_where_the_nearest_is():
    X = np.vstack([circle(30), [[1.3, 0.0]]])
    walk = DiffusionMap(2, epsilon=0.2).fit(X)
    far = walk.transform([[1e4, 0.0]])
    np.testing.assert_allclose(
        far[0], walk.embedding_[-1] / walk.eigenvalues_, rtol=1e-6
    )


@pytest.mark.parametrize("n", [400, 1500])
def test_unrolls_the_swiss_roll(n):
    X, along = make_swiss_roll(n, random_state=0)
    walk = DiffusionMap(1, n_neighbors=10, random_state=0)
    where = walk.fit_transform(X)[:, 0]
    assert abs(spearmanr(where, along).statistic) > 0.98
    # New images too.
    new, along = make_swiss_roll(100, random_state=1)
    assert abs(spearmanr(walk.transform(new)[:, 0], along).statistic) > 0.95


def test_iteration_finds_what_the_direct_solver_finds(monkeypatch):
    X = np.random.default_rng(0).normal(size=(120, 5))
    direct = DiffusionMap(3, random_state=0).fit(X)
    monkeypatch.setattr("emclassify.baselines._diffusion_map._FEW_SAMPLES", 10)
    iterated = DiffusionMap(3, random_state=0).fit(X)
    np.testing.assert_allclose(iterated.eigenvalues_, direct.eigenvalues_, rtol=1e-9)
    np.testing.assert_allclose(iterated.embedding_, direct.embedding_, atol=1e-7)


def test_alpha_one_divides_the_density_out():
    # Twice as dense on the right: the first eigenfunction on a segment stays a cosine.
    x = np.concatenate([np.linspace(0, 0.5, 60), np.linspace(0.5, 1, 240)[1:]])
    wave = np.cos(np.pi * x)

    def deviation(alpha):
        where = DiffusionMap(1, epsilon=0.001, alpha=alpha).fit_transform(x[:, None])
        slope, offset = np.polyfit(wave, where[:, 0], 1)
        return np.abs(where[:, 0] - slope * wave - offset).max() / abs(slope)

    assert deviation(1.0) < 0.05
    assert deviation(0.0) > 10 * deviation(1.0)


def test_bandwidth_finds_the_scale():
    # On a curve of unit spacing the kernel's sum grows as the root of epsilon.
    X = np.arange(200.0)[:, None]
    near, far = (DiffusionMap(1).fit(scale * X).epsilon_ for scale in (1.0, 10.0))
    assert far == pytest.approx(100 * near, rel=1e-9)
    assert 1 < near < 200**2


@pytest.mark.parametrize(
    ("params", "n", "message"),
    [
        ({"n_components": 5}, 5, r"n_components=5 needs more images.*n_samples=5"),
        ({"n_neighbors": 9}, 9, r"n_neighbors=9 needs more images.*n_samples=9"),
    ],
)
def test_too_few_images(params, n, message):
    X = np.random.default_rng(0).normal(size=(n, 3))
    with pytest.raises(ValueError, match=message):
        DiffusionMap(**params).fit(X)


@pytest.mark.parametrize("params", [{"n_neighbors": 5}, {"epsilon": 0.1}])
def test_groups_without_a_way_between_them(params):
    rng = np.random.default_rng(0)
    X = np.vstack(
        [rng.normal(size=(20, 2)) * 0.1, 100 + rng.normal(size=(20, 2)) * 0.1]
    )
    with pytest.raises(ValueError, match="fall into 2 groups"):
        DiffusionMap(**params).fit(X)


def test_all_the_same():
    with pytest.raises(ValueError, match="All images are the same"):
        DiffusionMap().fit(np.zeros((10, 4, 4)))


def test_images_and_rows_are_the_same_map():
    X = np.random.default_rng(0).integers(0, 255, (30, 5, 4)).astype(np.uint8)
    one = DiffusionMap().fit_transform(X)
    np.testing.assert_array_equal(DiffusionMap().fit_transform(X.reshape(30, -1)), one)


@pytest.mark.parametrize("n_neighbors", [None, 60])
def test_images_that_nearly_fall_into_groups(n_neighbors, monkeypatch):
    # Eigenvalues of 1 to many digits, which iteration alone does not tell apart.
    monkeypatch.setattr("emclassify.baselines._diffusion_map._FEW_SAMPLES", 10)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2)) * 0.1
    X[:, 0] += np.repeat([0.0, 4.0, 8.5], 40)
    walk = DiffusionMap(3, epsilon=1.0, n_neighbors=n_neighbors, random_state=0).fit(X)
    assert (1 - walk.eigenvalues_[:2] < 1e-3).all()
    kernel = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1))
    if n_neighbors is None:
        kernel /= np.outer(kernel.sum(axis=1), kernel.sum(axis=1))
        step = kernel / kernel.sum(axis=1, keepdims=True)
        psi = walk.embedding_ / walk.eigenvalues_
        np.testing.assert_allclose(step @ psi, psi * walk.eigenvalues_, atol=1e-9)
    places = walk.embedding_[:, :2].reshape(3, 40, 2)
    assert places.std(axis=1).max() < 0.01 * places.mean(axis=1).std(axis=0).min()


def test_blocks_and_parts_change_little(monkeypatch):
    X = np.random.default_rng(0).normal(size=(300, 3))
    whole = DiffusionMap(3).fit(X)
    module = "emclassify.baselines._diffusion_map."
    monkeypatch.setattr(module + "_BATCH", 7)
    blocks = DiffusionMap(3).fit(X)
    np.testing.assert_array_equal(blocks.embedding_, whole.embedding_)
    np.testing.assert_allclose(blocks.transform(X), whole.embedding_, atol=1e-9)
    monkeypatch.setattr(module + "_ENOUGH_DISTANCES", 9000)
    part = DiffusionMap(3).fit(X)
    assert part.epsilon_ == pytest.approx(whole.epsilon_, rel=0.5)


def test_counts_groups_whatever_their_order():
    X = np.repeat([0.0, 50.0, 100.0], 10)[:, np.newaxis] + np.arange(30)[:, None] % 10
    X = np.random.default_rng(0).permutation(X)
    with pytest.raises(ValueError, match="fall into 3 groups"):
        DiffusionMap(epsilon=1.0).fit(X)
    with pytest.raises(ValueError, match="fall into 3 groups"):
        DiffusionMap(epsilon=1.0, n_neighbors=5).fit(X)
    # A bandwidth of its own choice joins them.
    assert DiffusionMap().fit(X).epsilon_ > 1


def test_patterns_without_a_photon_are_one_place():
    X = np.random.default_rng(0).poisson(3, (40, 8, 8)).astype(np.uint16)
    X[::4] = 0
    where = DiffusionMap(2).fit_transform(X)
    assert np.ptp(where[::4], axis=0).max() < 1e-9
    assert np.isfinite(where).all()
