"""Simulated cells against what they are said to be."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emclassify import make_cell_images
from emclassify.datasets.cells._cell_images import DEFAULT_SHARES
from emclassify.datasets.cells._cell_labels import draw_locations, spoil
from emclassify.datasets.cells._locations import LOCATIONS
from emclassify.datasets.cells._noise_texture import band_noise

BRIGHT = {"expression": 0.8, "silent_cells": 0.0, "random_state": 0, "n_groups": 1}


def one_location(name, n=6, **params):
    params = {"image_size": 96, "weights": {name: 1}} | BRIGHT | params
    return make_cell_images(n, multilabel=False, **params)


@pytest.fixture(scope="module")
def mixed():
    return make_cell_images(
        120, image_size=48, label_noise=0.1, dirt=0.05, silent_cells=0.3, random_state=0
    )


def test_bunch(mixed):
    assert mixed.images.shape == (120, 48, 48, 4)
    assert mixed.images.dtype == mixed.cell_masks.dtype == np.uint8
    assert mixed.target.shape == mixed.true_target.shape == (120, 10)
    assert mixed.target_names == list(DEFAULT_SHARES)
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
        ("nucleoli fibrillar center", 0.85, 1.05),
        ("nuclear speckles", 0.9, 1.02),
        ("nuclear bodies", 0.85, 1.05),
        ("endoplasmic reticulum", 0.0, 0.2),
        ("intermediate filaments", 0.0, 0.15),
        ("centrosome", 0.0, 0.3),
        ("plasma membrane", 0.0, 0.2),
        ("aggresome", 0.0, 0.25),
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


def test_endoplasmic_reticulum_is_that_of_its_channel():
    _, protein, _, stain = one_location("endoplasmic reticulum").images.T
    assert np.corrcoef(protein.ravel(), stain.ravel())[0, 1] > 0.85


def stain_at_brightest(name):
    """How dark the nucleus's stain is where the protein is brightest."""
    data = one_location(name, image_size=192)
    ratios = []
    for i, label in data.cell_frame[["image", "label"]].to_numpy():
        inside = data.nucleus_masks[i] == label
        if inside.sum() > 300:
            protein, stain = (data.images[i, ..., c][inside] for c in (1, 2))
            brightest = protein >= np.percentile(protein, 97)
            ratios.append(stain[brightest].mean() / np.median(stain))
    return np.median(ratios)


def test_fibrillar_centers_are_inside_nucleoli_and_bodies_are_not():
    # Nucleoli are holes in the stain.
    assert stain_at_brightest("nucleoli") < 0.7
    assert stain_at_brightest("nucleoli fibrillar center") < 0.7
    assert stain_at_brightest("nuclear bodies") > 0.85
    assert stain_at_brightest("nuclear speckles") > 0.85


def bright_share(name, of="nucleus_masks"):
    """Share of the nucleus, or cell, that is half as bright as its brightest pixel."""
    data = one_location(name, image_size=192)
    shares = []
    for i, label in data.cell_frame[["image", "label"]].to_numpy():
        inside = data[of][i] == label
        if inside.sum() > 300:
            protein = data.images[i, ..., 1][inside]
            shares.append((protein > protein.max() / 2).mean())
    return np.median(shares)


def test_spots_of_the_nucleus_have_their_sizes():
    spots = bright_share("nucleoli fibrillar center")
    assert 0 < spots < 0.5 * bright_share("nucleoli")
    assert bright_share("nuclear bodies") < 0.5 * bright_share("nuclear speckles")


def test_aggresome_is_a_lump_and_centrosome_a_spot():
    centrosome = bright_share("centrosome", "cell_masks")
    assert 0 < centrosome < 0.01
    assert 3 * centrosome < bright_share("aggresome", "cell_masks") < 0.2


def test_plasma_membrane_is_at_the_outline_where_cells_meet_too():
    data = one_location("plasma membrane")
    numbers = data.cell_masks.astype(int)
    ball = np.ones((1, 5, 5), bool)
    highest = ndimage.grey_dilation(numbers, footprint=ball)
    lowest = ndimage.grey_erosion(numbers, footprint=ball)
    protein = data.images[..., 1].astype(float)
    core = (highest == lowest) & (numbers > 0)
    free = (lowest == 0) & (numbers > 0)
    meeting = (lowest > 0) & (highest > lowest)
    assert meeting.sum() > 50
    for rim in (free, meeting):
        assert protein[rim].mean() > 3 * protein[core].mean()


def test_spindle_is_in_cells_in_mitosis_only():
    data = one_location("mitotic spindle", n=12)
    cells = data.cell_frame
    dividing = cells["dividing"].to_numpy()
    assert cells.groupby("image")["dividing"].any().all()
    assert 0.25 < dividing.mean() < 0.75
    # A plate in a round cell.
    assert (
        cells["nucleus_area"][dividing].median()
        < 0.5 * cells["nucleus_area"][~dividing].median()
    )
    brightest = np.array(
        [
            data.images[i, ..., 1][data.cell_masks[i] == label].max()
            for i, label in cells[["image", "label"]].to_numpy()
        ]
    )
    whole = (cells["area"] > 150).to_numpy()
    assert (
        np.median(brightest[dividing & whole]) > 4 * brightest[~dividing & whole].max()
    )
    # "negative" has no weight here.
    assert data.target_names == ["mitotic spindle"]
    assert not one_location("actin filaments").cell_frame["dividing"].any()


def test_cells_that_do_not_divide_show_no_spindle():
    data = make_cell_images(
        20,
        image_size=64,
        weights={"mitotic spindle": 1, "cytosol": 1, "negative": 0.1},
        silent_cells=0.0,
        random_state=0,
    )
    spindle, cytosol, negative = data.cell_target.T.astype(bool)
    assert data.target_names == ["mitotic spindle", "cytosol", "negative"]
    assert not spindle[~data.cell_frame["dividing"]].any()
    assert (spindle == data.cell_frame["dividing"]).all()
    assert (negative == ~(spindle | cytosol)).all()


def plain_numbers(data):
    """What an eye would go by: where the light is, how grainy, what it goes with."""
    rows = []
    for i, image in enumerate(data.images.astype(float)):
        cell, nucleus = data.cell_masks[i] > 0, data.nucleus_masks[i] > 0
        microtubules, protein, stain, reticulum = np.moveaxis(image, -1, 0)
        protein = protein - protein[~cell].mean()
        inside = protein[cell]
        rim = cell & ~ndimage.binary_erosion(cell, iterations=2, border_value=1)
        near = ndimage.distance_transform_edt(~nucleus)
        light = np.clip(protein, 0, None) * cell
        smooth = ndimage.gaussian_filter(protein, 2)
        in_nucleus = (nucleus & cell, cell & ~nucleus)
        row = [protein[where].mean() for where in in_nucleus]
        row += [protein[rim].mean(), inside.mean(), inside.std()]
        row += list(np.percentile(inside, [50, 90, 98, 99.8]))
        row += [smooth[cell].std(), (protein - smooth)[cell].std()]
        row += [(light * near).sum() / (light.sum() + 1)]
        row += [
            np.corrcoef(protein[cell], other[cell])[0, 1]
            for other in (microtubules, stain, reticulum)
        ]
        row += [np.corrcoef(protein[nucleus], stain[nucleus])[0, 1]]
        row += [data.cell_frame["dividing"][data.cell_frame["image"] == i].any()]
        rows.append(row)
    return np.array(rows)


def test_plain_numbers_tell_the_19_locations_apart():
    data = make_cell_images(
        228, image_size=96, weights=[1] * 19, multilabel=False, **BRIGHT
    )
    assert data.target_names == list(LOCATIONS)
    model = make_pipeline(StandardScaler(), SVC(C=10))
    found = cross_val_predict(model, plain_numbers(data), data.target, cv=4)
    right = found == data.target
    assert right.mean() > 0.9
    for name in LOCATIONS:
        assert right[data.target == name].mean() >= 0.65, name


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


def test_all_19_locations():
    data = make_cell_images(60, image_size=32, weights="all", random_state=0)
    assert data.target_names == list(LOCATIONS)
    assert data.target.shape == (60, 19)
    # One at least of each.
    assert data.target.any(axis=0).all()


def test_ten_numbers_are_for_the_ten_of_the_default():
    few, many = (
        make_cell_images(20, image_size=32, weights=weights, random_state=0)
        for weights in ([1] * 10, dict.fromkeys(DEFAULT_SHARES, 3))
    )
    assert few.target_names == many.target_names == list(DEFAULT_SHARES)
    np.testing.assert_array_equal(few.images, many.images)


@pytest.mark.parametrize("size", [16, 33])
def test_small_images_of_all_locations(size):
    data = make_cell_images(38, image_size=size, weights=[1] * 19, random_state=0)
    assert data.images.shape == (38, size, size, 4)
    assert (data.frame["n_cells"] > 0).all()


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
        ({"weights": "every"}, "'every'"),
        ({"weights": [1] * 11}, "19 numbers"),
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
