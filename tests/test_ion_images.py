"""Simulated ion images: what is asked for is there, and the truth fits the images."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import ndimage

from emclassify import make_ion_images
from emclassify.datasets.ions._ion_detector import displayed, draw_acquisition, record
from emclassify.datasets.ions._ion_images import STRANGE
from emclassify.datasets.ions._ion_variety import TRAITS, draw_variety
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
        ({"variety": 1.5}, "'variety' parameter"),
        ({"clip": "most"}, "'clip' parameter"),
    ],
)
def test_refused_parameters(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_ion_images(20, **wrong)


@pytest.fixture(scope="module")
def wide():
    return make_ion_images(
        300, n_groups=12, variety=0.3, faint=0.25, clip="visible", random_state=0
    )


def test_variety_leaves_the_rest_as_it_was(data, wide):
    np.testing.assert_array_equal(data.target, wide.target)
    np.testing.assert_array_equal(data.groups, wide.groups)
    assert (data.frame["kind"] == wide.frame["kind"]).all()
    traits = wide.frame.groupby("group")["traits"].first()
    assert 10 < traits.str.split().str.len().sum() < 45  # of 84 at a chance of 0.3
    assert (data.frame["traits"] == "").all()
    assert not data.frame["faint"].any()
    for group in np.flatnonzero(traits == ""):
        np.testing.assert_array_equal(data.masks[group], wide.masks[group])


def test_faint_ions_are_in_few_pixels_of_either_class(wide):
    share = np.array([np.mean(image > 0) for image in wide.images])
    faint = wide.frame["faint"].to_numpy()
    assert 0.15 < faint.mean() < 0.35
    assert np.median(share[faint]) < 0.6 * np.median(share[~faint])
    assert share.min() > 0
    assert set(wide.target[faint]) == {"off", "on"}


def drawn(trait, seed, shape=(40, 60)):
    rng = np.random.default_rng(seed)
    inside = sample_region(rng, shape, "ellipse")
    return inside, draw_variety(rng, inside, [trait])


def borders(mask):
    return [mask[0], mask[-1], mask[:, 0], mask[:, -1]]


@pytest.mark.parametrize("seed", range(5))
def test_each_trait_is_there(seed):
    before, cut = drawn("cut", seed)
    assert cut.inside.sum() < before.sum()
    assert any(border.any() for border in borders(cut.inside))
    _, sections = drawn("sections", seed)
    assert ndimage.label(sections.inside)[1] >= 2
    inside, partial = drawn("partial", seed)
    assert not partial.recorded.all()
    assert (partial.recorded & inside).any()
    assert (partial.recorded & ~inside).any()
    _, chemical = drawn("chemical", seed)
    assert 0.05 <= chemical.baseline <= 0.4
    _, droplets = drawn("droplets", seed)
    assert droplets.brightness.std() > 0.2
    _, zigzag = drawn("zigzag", seed)
    lines = zigzag.brightness
    lines = lines if np.ptp(lines, axis=1).max() < 1e-9 else lines.T
    np.testing.assert_allclose(lines[0], lines[2])
    assert lines[1, 0] > 1.2 * lines[0, 0]
    _, fading = drawn("fading", seed)
    lines = fading.brightness
    lines = lines if np.ptp(lines, axis=1).max() < 1e-9 else lines.T
    falls = np.diff(lines[:, 0]) < 0
    # All steps go one way, but for one leap.
    assert min(falls.sum(), (~falls).sum()) <= 1


@given(
    seed=st.integers(0, 10_000),
    height=st.integers(4, 20),
    width=st.integers(4, 20),
    trait=st.sampled_from(TRAITS),
)
def test_traits_fit_any_field(seed, height, width, trait):
    _, variety = drawn(trait, seed, (height, width))
    assert variety.inside.shape == variety.recorded.shape == (height, width)
    assert variety.inside.any()
    assert not variety.inside.all()
    assert np.isfinite(variety.brightness).all()
    assert variety.brightness.mean() == pytest.approx(1)


def test_what_was_not_recorded_is_dark_and_no_background():
    data = make_ion_images(60, n_groups=3, variety=1.0, missing=0, random_state=0)
    assert (data.frame["traits"] == " ".join(TRAITS)).all()
    for cube, mask in zip(data.cubes, data.masks, strict=True):
        dark = (cube == 0).all(axis=1).reshape(mask.shape)
        assert dark.any()
        assert not dark[mask].all()


def test_missing_pixels_are_no_recorded_background():
    data = make_ion_images(
        60, n_groups=3, missing=0.3, strange=0, noise=0.1, random_state=0
    )
    full = make_ion_images(
        60, n_groups=3, missing=1e-9, strange=0, noise=0.1, random_state=0
    )
    for cube, mask, whole in zip(data.cubes, data.masks, full.masks, strict=True):
        dark = (cube == 0).all(axis=1).reshape(mask.shape)
        # Next to all pixels that are dark in twenty images were not recorded.
        assert dark[whole].mean() > 0.05
        assert not dark[mask].any()
        assert mask[whole & ~dark].all()


def test_clip_by_hand():
    intensity = np.zeros((20, 20))
    intensity[0, :10] = 10
    intensity[0, 9] = 1000
    # All pixels: the 99th percentile is 10. Of the ten visible ones: 910.9.
    assert displayed(intensity)[0, 0] == 255
    assert displayed(intensity, "visible")[0, [0, 9]].tolist() == [3, 255]
    assert displayed(intensity, None)[0, [0, 9]].tolist() == [3, 255]
    intensity[0, :9] = 3  # below 1000 / 256
    assert displayed(intensity, "visible")[0, 9] == 255
    assert (displayed(np.zeros((3, 3)), "visible") == 0).all()
