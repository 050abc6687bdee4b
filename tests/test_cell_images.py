"""Simulated cells against what they are said to be."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from emclassify import make_cell_images
from emclassify.datasets.cells._cell_labels import draw_locations, spoil
from emclassify.datasets.cells._noise_texture import band_noise
from emclassify.datasets.cells._protein_patterns import LOCATIONS

BRIGHT = {"expression": 0.8, "silent_cells": 0.0, "random_state": 0, "n_groups": 1}


def one_location(name, n=6, **params):
    return make_cell_images(
        n, multilabel=False, weights={name: 1}, image_size=96, **(BRIGHT | params)
    )


@pytest.fixture(scope="module")
def mixed():
    return make_cell_images(
        120, image_size=48, label_noise=0.1, dirt=0.05, silent_cells=0.3, random_state=0
    )


def test_bunch(mixed):
    assert mixed.images.shape == (120, 48, 48, 4)
    assert mixed.images.dtype == mixed.cell_masks.dtype == np.uint8
    assert mixed.target.shape == mixed.true_target.shape == (120, 10)
    assert mixed.target_names == list(LOCATIONS)
    assert len(set(mixed.groups)) == 10
    assert "SIMULATED" in mixed.DESCR


def test_shares_of_dirt_are_exact(mixed):
    wrong = (mixed.target != mixed.true_target).any(axis=1)
    np.testing.assert_array_equal(wrong, mixed.frame["wrong_label"])
    assert wrong.sum() == 12
    assert mixed.frame["dirt"].value_counts().to_dict() == {
        "none": 114,
        "saturated": 3,
        "empty": 3,
    }


def test_dirt_shows(mixed):
    kind = mixed.frame["dirt"].to_numpy()
    at_limit = (mixed.images[..., [0, 2, 3]] == 255).mean(axis=(1, 2, 3))
    assert at_limit[kind == "saturated"].min() > 0.1
    assert at_limit[kind != "saturated"].max() < 0.02
    brightest = mixed.images.astype(float).mean(axis=(1, 2)).max(axis=1)
    assert brightest[kind == "empty"].max() < 0.6 * brightest[kind == "none"].min()
    assert not mixed.cell_masks[kind == "empty"].any()


def test_cells_are_listed_in_the_order_of_the_masks(mixed):
    rows = mixed.cell_frame
    for i in range(120):
        own = rows[rows["image"] == i]
        labels, areas = np.unique(mixed.cell_masks[i], return_counts=True)
        seen = labels > 0
        assert own["label"].tolist() == labels[seen].tolist()
        assert own["area"].tolist() == areas[seen].tolist()
        assert len(own) == mixed.frame["n_cells"][i]
        inside = mixed.nucleus_masks[i] > 0
        np.testing.assert_array_equal(
            mixed.nucleus_masks[i][inside], mixed.cell_masks[i][inside]
        )


def test_cells_show_what_their_image_has_or_nothing(mixed):
    negative = mixed.target_names.index("negative")
    truth = mixed.true_target[mixed.cell_frame["image"]].copy()
    silent = ~mixed.cell_frame["expressing"].to_numpy()
    truth[silent] = 0
    truth[silent, negative] = 1
    np.testing.assert_array_equal(mixed.cell_target, truth)
    of_expressing = mixed.true_target[mixed.cell_frame["image"], negative] == 0
    assert 0.15 < silent[of_expressing].mean() < 0.35


def test_negative_is_alone_and_each_row_has_a_location(mixed):
    for target in (mixed.target, mixed.true_target):
        count = target.sum(axis=1)
        assert set(count.tolist()) == {1, 2, 3}
        assert count[target[:, -1] == 1].max() == 1


def test_silent_cells_are_dark():
    data = one_location("cytosol", n=10, silent_cells=0.5)
    protein = data.images[..., 1]
    means = [
        ndimage.mean(protein[i], data.cell_masks[i], label)
        for i, label in data.cell_frame[["image", "label"]].to_numpy()
    ]
    expressing = data.cell_frame["expressing"].to_numpy()
    assert 5 < expressing.sum() < len(expressing) - 5
    assert np.median(np.array(means)[expressing]) > 4 * np.max(
        np.array(means)[~expressing]
    )
    assert set(data.cell_target[expressing]) == {"cytosol"}


@pytest.mark.parametrize(
    ("location", "low", "high"),
    [
        ("nucleoplasm", 0.9, 1.0),
        ("nucleoli", 0.9, 1.02),
        ("nuclear membrane", 0.3, 0.7),
        ("Golgi apparatus", 0.0, 0.15),
        ("mitochondria", 0.0, 0.15),
        ("microtubules", 0.0, 0.15),
        ("cytosol", 0.0, 0.2),
        ("vesicles", 0.0, 0.15),
    ],
)
def test_light_comes_from_the_location(location, low, high):
    data = one_location(location)
    nothing = one_location("negative")
    np.testing.assert_array_equal(data.nucleus_masks, nothing.nucleus_masks)
    # Without the background of each, and without what binds everywhere.
    outside = ndimage.binary_erosion(data.cell_masks == 0, np.ones((1, 5, 5)))
    protein, rest = (
        cells.images[..., 1] - cells.images[outside, 1].mean()
        for cells in (data, nothing)
    )
    light = protein - rest
    share = light[data.nucleus_masks > 0].sum() / light[data.cell_masks > 0].sum()
    assert low <= share <= high


def test_nuclear_membrane_is_a_ring():
    data = one_location("nuclear membrane")
    nucleus = data.nucleus_masks > 0
    ball = np.ones((1, 5, 5), bool)
    core = ndimage.binary_erosion(nucleus, ball)
    ring = nucleus & ~core
    protein = data.images[..., 1]
    assert protein[ring].mean() > 2 * protein[core].mean()


def test_microtubules_are_those_of_their_channel():
    protein, stain = one_location("microtubules").images[..., :2].T
    assert np.corrcoef(protein.ravel(), stain.ravel())[0, 1] > 0.7
    protein, stain = one_location("nucleoplasm").images[..., :2].T
    assert np.corrcoef(protein.ravel(), stain.ravel())[0, 1] < 0.2


def test_nucleus_stain_marks_nuclei():
    data = one_location("negative")
    stain = data.images[..., 2]
    inside = data.nucleus_masks > 0
    assert stain[inside].mean() > 5 * stain[~inside].mean()


def test_size_of_nuclei_follows_its_parameter():
    areas = []
    for radius in (6.0, 12.0):
        data = one_location("negative", nucleus_radius=radius, n_cells=1)
        areas.append(data.cell_frame["nucleus_area"].median())
    assert areas[0] == pytest.approx(np.pi * 36, rel=0.25)
    assert areas[1] == pytest.approx(np.pi * 144, rel=0.25)


def test_n_cells_is_an_upper_bound_and_kept_where_there_is_room():
    data = make_cell_images(
        30, image_size=128, nucleus_radius=5.0, n_cells=(3, 5), random_state=0
    )
    assert set(data.frame["n_cells"]) <= {2, 3, 4, 5}
    assert data.frame["n_cells"].mean() > 3
    crowded = make_cell_images(3, image_size=32, n_cells=100, random_state=0)
    assert crowded.frame["n_cells"].between(5, 60).all()


def test_photons_set_the_noise():
    # Nothing but background in an empty image: variance is gain * 255 * mean / photons.
    few, many = (
        make_cell_images(4, dirt=1.0, photons=n, random_state=0, n_groups=1)
        for n in (50.0, 5000.0)
    )
    empty = few.frame["dirt"] == "empty"
    assert few.images[empty].std() > 2 * many.images[empty].std()


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_same_seed_same_images(n_jobs):
    one, other = (
        make_cell_images(40, image_size=24, random_state=3, dirt=0.1, n_jobs=n)
        for n in (1, n_jobs)
    )
    np.testing.assert_array_equal(one.images, other.images)
    np.testing.assert_array_equal(one.cell_masks, other.cell_masks)
    assert one.cell_frame.equals(other.cell_frame)
    different = make_cell_images(40, image_size=24, random_state=4)
    assert (different.images != one.images).any()


def test_single_labels_are_names():
    data = make_cell_images(
        50, image_size=32, multilabel=False, label_noise=0.2, random_state=0
    )
    assert data.target.shape == (50,)
    assert set(data.target) <= set(data.target_names)
    assert (data.target != data.true_target).sum() == 10
    # Of the weights, exactly.
    assert (data.true_target == "nucleoplasm").sum() == 12


def test_locations_without_weight_are_left_out():
    data = make_cell_images(
        20, image_size=32, weights={"nucleoli": 3, "cytosol": 1}, random_state=0
    )
    assert data.target_names == ["nucleoli", "cytosol"]
    assert data.target.shape == (20, 2)
    silent = ~data.cell_frame["expressing"].to_numpy()
    assert silent.any()
    assert not data.cell_target[silent].any()


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 40),
    weights=st.lists(st.floats(0.1, 10), min_size=2, max_size=10),
    negative=st.booleans(),
    most=st.integers(1, 3),
    share=st.floats(0, 1),
    seed=st.integers(0, 10**6),
)
def test_labels_are_valid_and_wrong_as_often_as_asked(
    n, weights, negative, most, share, seed
):
    rng = np.random.default_rng(seed)
    names = [f"place {i}" for i in range(len(weights) - negative)]
    names += ["negative"] * negative
    shares = np.array(weights) / sum(weights)
    truth = draw_locations(rng, n, names, shares, most)
    target, wrong = spoil(rng, truth, names, share)
    for matrix in (truth, target):
        assert matrix.sum(axis=1).min() >= 1
        assert matrix.sum(axis=1).max() <= most
        if negative:
            assert matrix[matrix[:, -1] == 1].sum(axis=1).max(initial=1) == 1
    np.testing.assert_array_equal((truth != target).any(axis=1), wrong)
    assert wrong.sum() == round(share * n)


def test_noise_has_the_variance_and_wavelength_it_says():
    rng = np.random.default_rng(0)
    fields = np.stack([band_noise(rng, (64, 50), 8.0) for _ in range(50)])
    assert fields.std() == pytest.approx(1, rel=0.03)
    assert abs(fields.mean()) < 1e-5
    power = (np.abs(np.fft.fft(fields, axis=2)) ** 2).mean(axis=(0, 1))[1:25]
    assert 50 / 8 * 0.6 < np.argmax(power) + 1 < 50 / 8 * 1.4


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"weights": {"nose": 1}}, "nose"),
        ({"n_cells": 0}, "n_cells"),
        ({"n_cells": (2, 101)}, "n_cells"),
        ({"n_cells": 2.5}, "n_cells"),
        ({"n_groups": 7}, "n_groups=7 plates"),
        ({"label_noise": 1.5}, "label_noise"),
        ({"label_noise": 0.5, "weights": {"cytosol": 1}}, "cytosol"),
        ({"silent_cells": 1.0}, "silent_cells"),
        ({"expression": 0}, "expression"),
        ({"max_locations": 4}, "max_locations"),
        ({"image_size": 8}, "image_size"),
    ],
)
def test_bad_parameters_are_named(params, match):
    with pytest.raises(ValueError, match=match):
        make_cell_images(5, **params)
