"""Simulated ion images: what is asked for is there, and the truth fits the images."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from emclassify import make_ion_images
from emclassify.datasets.ions._ion_detector import displayed, draw_acquisition, record
from emclassify.datasets.ions._ion_images import STRANGE
from emclassify.datasets.ions._sample_region import IRREGULAR, REGULAR, sample_region


@pytest.fixture(scope="module")
def data():
    return make_ion_images(300, n_groups=12, random_state=0)


def contrast(data, i):
    """Mean off the sample less mean on it, of a displayed image."""
    off = data.masks[data.groups[i]]
    image = data.images[i]
    return image[off].mean() - image[~off].mean()


def test_sizes_differ_between_datasets_only(data):
    assert data.images.shape == (300,)
    assert data.images.dtype == object
    for group in range(12):
        members = np.flatnonzero(data.groups == group)
        shapes = {data.images[i].shape for i in members}
        assert shapes == {data.masks[group].shape}
        assert data.cubes[group].shape == (data.masks[group].size, len(members))
    assert len({mask.shape for mask in data.masks}) > 6
    assert all(40 <= side <= 90 for mask in data.masks for side in mask.shape)


def test_one_size():
    data = make_ion_images(20, image_size=24, n_groups=2, random_state=0)
    assert data.images.shape == (20, 24, 24)
    assert data.images.dtype == np.uint8


def test_classes(data):
    assert data.target_names == ["off", "on"]
    assert (data.target == "off").sum() == round(0.426 * 300)
    assert (data.frame["target"] == data.target).all()
    few = make_ion_images(
        50, image_size=8, weights={"off": 0.1, "on": 0.9}, random_state=0
    )
    assert (few.target == "off").sum() == 5


@pytest.mark.parametrize("weights", [[0, 1], [1, 0]])
def test_a_single_class(weights):
    data = make_ion_images(10, image_size=8, weights=weights, random_state=0)
    assert set(data.target) == {"off" if weights[0] else "on"}


@pytest.mark.parametrize(("imbalance", "least", "most"), [(0, 0, 0.1), (0.6, 0.25, 1)])
def test_imbalance_within_datasets(imbalance, least, most):
    data = make_ion_images(
        1000, image_size=4, imbalance=imbalance, n_groups=20, random_state=0
    )
    shares = [np.mean(data.target[data.groups == g] == "off") for g in range(20)]
    assert least <= np.std(shares) <= most


def test_images_are_the_cubes_as_displayed(data):
    for group, cube in enumerate(data.cubes):
        assert cube.min() >= 0
        for column, i in enumerate(np.flatnonzero(data.groups == group)):
            intensity = cube[:, column].reshape(data.masks[group].shape)
            np.testing.assert_array_equal(data.images[i], displayed(intensity))


def test_off_sample_ions_are_off_the_sample(data):
    normal = (data.frame["strange"] == "").to_numpy()
    for target, sign in (("off", 1), ("on", -1)):
        of_class = np.flatnonzero((data.target == target) & normal)
        signs = np.sign([contrast(data, i) for i in of_class])
        assert np.mean(signs == sign) > 0.95


def test_strange_datasets(data):
    strange = data.frame.groupby("group")["strange"].first()
    assert (strange != "").sum() == round(0.2 * 12)
    frames = data.frame["strange"] == "frame"
    assert (data.frame["region"][frames] == "frame").all()
    # There the background is in the middle, else mostly at the border.
    for group in range(12):
        off = data.masks[group]
        at_border = np.r_[off[0], off[-1], off[:, 0], off[:, -1]].mean()
        assert (at_border < off.mean()) == (strange[group] == "frame"), group
    assert set(strange) - {""} <= set(STRANGE)


def test_intensities_have_heavy_tails(data):
    # Of a normal distribution: 2.4.
    ratios = [
        np.percentile(cube[:, i], 99.5) / max(cube[:, i].mean(), 1e-9)
        for cube in data.cubes
        for i in range(cube.shape[1])
    ]
    assert np.median(ratios) > 4


def test_hot_spots():
    rng = np.random.default_rng(0)
    expected = np.ones((60, 60))
    acquisition = draw_acquisition(rng, expected.shape, missing=0, noise=0)
    hot = record(rng, expected, acquisition, hot_spots=0.01)
    assert 0.003 < np.mean(hot > 4 * np.median(hot)) < 0.02
    cold = record(rng, expected, acquisition, hot_spots=0)
    assert cold.max() < 4 * np.median(cold)


def test_missing_pixels_are_those_of_the_dataset():
    data = make_ion_images(60, n_groups=2, missing=0.2, noise=0.0, random_state=1)
    for cube in data.cubes:
        never = (cube == 0).all(axis=1)
        assert 0.01 < never.mean() < 0.9
    none = make_ion_images(60, n_groups=2, missing=0, noise=0.0, random_state=1)
    assert all((cube > 0).any(axis=1).all() for cube in none.cubes)


def test_seed_decides_and_nothing_else():
    settings = {"image_size": (8, 16), "n_groups": 6}
    one = make_ion_images(40, random_state=3, **settings)
    two = make_ion_images(40, random_state=3, n_jobs=2, **settings)
    assert all(map(np.array_equal, one.images, two.images))
    assert all(map(np.array_equal, one.masks, two.masks))
    assert one.frame.equals(two.frame)
    other = make_ion_images(40, random_state=4, **settings)
    assert not all(map(np.array_equal, one.images, other.images))


def test_says_that_it_is_simulated(data):
    assert "SIMULATED" in data.DESCR
    assert "300 ion images of 12 simulated datasets" in data.DESCR


@given(
    seed=st.integers(0, 10_000),
    height=st.integers(2, 30),
    width=st.integers(2, 30),
    kind=st.sampled_from([*REGULAR, *IRREGULAR, "frame"]),
)
def test_a_region_is_neither_empty_nor_full(seed, height, width, kind):
    inside = sample_region(np.random.default_rng(seed), (height, width), kind)
    assert inside.shape == (height, width)
    assert inside.any()
    assert not inside.all()


def test_a_thin_ring_goes_all_around():
    inside = sample_region(np.random.default_rng(0), (40, 60), "ring")
    for border in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert not border.any()
    assert inside.mean() > 0.7


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image_size": 2}, "image_size must be"),
        ({"image_size": (50, 40)}, "image_size must be"),
        ({"image_size": (40.5, 50)}, "image_size must be whole numbers"),
        ({"weights": {"of": 1}}, "weights names the class 'of'"),
        ({"n_groups": 21}, "n_groups=21 datasets cannot share n_samples=20"),
        ({"imbalance": 1.0}, "'imbalance' parameter"),
        ({"strange": 1.5}, "'strange' parameter"),
        ({"missing": -0.1}, "'missing' parameter"),
    ],
)
def test_refused_parameters(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_ion_images(20, **wrong)
