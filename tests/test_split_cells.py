"""Cells cut out of images: known ones by hand, simulated ones by their masks."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from skimage.draw import disk

from emclassify import make_cell_images, split_cells


def draw(places, shape=(80, 80), radius=8, cell_radius=16, noise=0.0):
    """Nuclei in channel 0, cell bodies in channel 1."""
    image = np.zeros((*shape, 2), np.float32)
    for place in places:
        image[(*disk(place, cell_radius, shape=shape), 1)] = 100
        image[(*disk(place, radius, shape=shape), 0)] = 100
    if noise:
        image += np.random.default_rng(0).normal(0, noise, image.shape)
    return image


def split(images, target=None, **params):
    options = {"nucleus_channel": 0, "cell_channel": 1, "nucleus_diameter": 16}
    return split_cells(images, target, **(options | params))


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


def best_overlaps(true, found):
    """For each true part, the intersection over union with its best match."""
    out = []
    for number in np.unique(true[true > 0]):
        part = true == number
        candidates = np.unique(found[part])
        out.append(
            max(overlap(part, found == k) if k else 0.0 for k in candidates.tolist())
        )
    return out


def test_two_cells_apart():
    image = draw([(25, 20), (50, 58)], noise=3.0)
    cells = split(image[np.newaxis], ["A"])
    assert cells.n_cells.tolist() == [2]
    assert cells.target.tolist() == ["A", "A"]
    assert cells.groups.tolist() == [0, 0]
    assert cells.labels.tolist() == [1, 2]
    for number, place in enumerate([(25, 20), (50, 58)], start=1):
        body = np.zeros((80, 80), bool)
        body[disk(place, 16)] = True
        assert overlap(cells.cell_masks[0] == number, body) > 0.9
        core = np.zeros((80, 80), bool)
        core[disk(place, 8)] = True
        assert overlap(cells.nucleus_masks[0] == number, core) > 0.9
    # The box of a disc of radius 16 is 31 px wide; smoothing adds a little.
    np.testing.assert_allclose(cells.boxes[0], [10, 5, 41, 36], atol=2)


def test_touching_cells_are_parted_half_way():
    cells = split(draw([(40, 28), (40, 52)])[np.newaxis])
    assert cells.n_cells.tolist() == [2]
    row = cells.cell_masks[0, 40]
    left, right = np.flatnonzero(row == row[28]), np.flatnonzero(row == row[52])
    assert row[28] != row[52]
    assert left.max() + 1 == right.min()
    assert abs(right.min() - 40) <= 1


def test_touching_nuclei_are_parted():
    cells = split(draw([(40, 32), (40, 47)])[np.newaxis])
    assert cells.n_cells.tolist() == [2]


@pytest.mark.parametrize(
    ("border", "expected"), [("nucleus", 2), ("cell", 1), (None, 3)]
)
def test_border_cells(border, expected):
    # One whole, one whose body is cut, one whose nucleus is cut.
    image = draw([(40, 45), (40, 10), (76, 60)])
    cells = split(image[np.newaxis], border=border)
    assert cells.n_cells.tolist() == [expected]
    assert cells.cell_masks.max() == cells.nucleus_masks.max() == expected


def test_without_a_cell_channel_cells_reach_so_far():
    image = draw([(40, 40)])
    cells = split(image[np.newaxis], cell_channel=None, reach=5.0)
    rows, columns = np.nonzero(cells.cell_masks[0])
    away = np.hypot(rows - 40, columns - 40).max()
    assert away == pytest.approx(8 + 5, abs=1)


def test_reach_bounds_cells():
    image = draw([(40, 40)], cell_radius=35)
    cells = split(image[np.newaxis], reach=12.0)
    assert cells.boxes[0].tolist() == pytest.approx([20, 20, 61, 61], abs=2)


def test_crops_hold_what_the_box_is_around():
    image = np.random.default_rng(0).integers(100, 120, (60, 60, 2)).astype(np.uint8)
    image[..., 0] = 0
    image[(*disk((30, 8), 6), 0)] = 200
    cells = split(
        image[np.newaxis], cell_channel=None, nucleus_diameter=12, size=24, reach=4
    )
    top, left, bottom, right = cells.boxes[0]
    first_row, first_column = (top + bottom - 24) // 2, (left + right - 24) // 2
    assert first_column < 0
    crop = cells.images[0]
    assert crop.shape == (24, 24, 3)
    assert crop.dtype == np.uint8
    inside = slice(-first_column, None)
    expected = image[first_row : first_row + 24, : 24 + first_column]
    np.testing.assert_array_equal(crop[:, inside, :2], expected)
    assert not crop[:, :-first_column].any()
    mask = cells.cell_masks[0, first_row : first_row + 24, : 24 + first_column] == 1
    np.testing.assert_array_equal(crop[:, inside, 2], mask)


def test_mask_applied_or_left_out():
    image = draw([(40, 40)]) + 10
    params = {"size": 48, "border": None}
    whole = split(image[np.newaxis], **params)
    masked = split(image[np.newaxis], apply_mask=True, keep_mask=False, **params)
    assert masked.images.shape[-1] == 2
    inside = whole.images[0, ..., 2] == 1
    assert not masked.images[0][~inside].any()
    np.testing.assert_array_equal(
        masked.images[0][inside], whole.images[0][inside][:, :2]
    )
    assert whole.images[0][~inside][:, :2].any()


def test_larger_cells_are_cut_off():
    cells = split(draw([(40, 40)])[np.newaxis], size=10)
    assert cells.images.shape == (1, 10, 10, 3)
    assert cells.images[..., 2].all()


@pytest.mark.parametrize("kind", ["even", "noise", "ramp"])
def test_images_without_cells(kind):
    rng = np.random.default_rng(0)
    empty = {
        "even": np.full((80, 80), 7.0),
        "noise": rng.poisson(20, (80, 80)).astype(float),
        "ramp": np.linspace(0, 100, 80) + np.zeros((80, 1)),
    }[kind]
    empty = np.stack([empty, empty], axis=-1).astype(np.float32)
    images = np.stack([draw([(40, 40)]), empty, draw([(40, 40), (12, 12)])])
    with pytest.raises(ValueError, match="Image 1 of 3 has no cell"):
        split(images)
    cells = split(images, [5, 6, 7], on_empty="skip")
    assert cells.n_cells.tolist() == [1, 0, 2]
    assert cells.groups.tolist() == [0, 2, 2]
    assert cells.target.tolist() == [5, 7, 7]
    with pytest.raises(ValueError, match="No image has any cell"):
        split(images[1:2], on_empty="skip")


def test_specks_are_no_nuclei():
    image = draw([(40, 40)])
    image[(*disk((15, 15), 2), 0)] = 100
    assert split(image[np.newaxis]).n_cells.tolist() == [1]


def test_images_of_different_sizes():
    images = [draw([(40, 40)]), draw([(30, 60), (60, 20)], shape=(90, 100))]
    cells = split(images, np.eye(2, dtype=int))
    assert cells.n_cells.tolist() == [1, 2]
    assert cells.target.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert [mask.shape for mask in cells.cell_masks] == [(80, 80), (90, 100)]


def test_grey_images():
    images = draw([(40, 40)])[np.newaxis, ..., 0]
    cells = split(images, cell_channel=None)
    assert cells.images.shape == (1, 64, 64, 2)


@pytest.fixture(scope="module")
def simulated():
    return make_cell_images(30, silent_cells=0.0, n_groups=5, random_state=7)


def test_against_the_masks_of_the_simulator(simulated):
    cells = split_cells(
        simulated.images,
        simulated.target,
        nucleus_channel=2,
        cell_channel=3,
        border=None,
    )
    # What the border cuts down to a sliver isn't found.
    whole = simulated.cell_frame["nucleus_area"] > 60
    assert cells.n_cells.sum() == pytest.approx(whole.sum(), rel=0.05)
    pairs = zip(simulated.nucleus_masks, cells.nucleus_masks, strict=True)
    assert np.mean([x for pair in pairs for x in best_overlaps(*pair)]) > 0.9
    pairs = zip(simulated.cell_masks, cells.cell_masks, strict=True)
    bodies = np.array([x for pair in pairs for x in best_overlaps(*pair)])
    assert bodies.mean() > 0.8
    assert (bodies > 0.7).mean() > 0.85
    np.testing.assert_array_equal(cells.target, simulated.target[cells.groups])


def test_n_jobs_changes_nothing(simulated):
    one, two = (
        split_cells(simulated.images[:6], nucleus_channel=2, cell_channel=3, n_jobs=n)
        for n in (1, 2)
    )
    assert one.target is None
    np.testing.assert_array_equal(one.images, two.images)


def test_input_is_left_alone(simulated):
    images = simulated.images[:4].copy()
    images.flags.writeable = False
    split_cells(images, nucleus_channel=2, cell_channel=3, apply_mask=True)
    np.testing.assert_array_equal(images, simulated.images[:4])


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    diameter=st.floats(1, 60),
    size=st.integers(1, 50),
    cell_channel=st.sampled_from([None, 1]),
    seed=st.integers(0, 1000),
)
def test_any_size_gives_consistent_results(
    height, width, diameter, size, cell_channel, seed
):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (height, width, 2)).astype(np.uint8)
    noise[height // 3 : height // 2, width // 3 : width // 2] = 255
    # One that has a cell for sure.
    known = draw([(40, 40)], radius=20, cell_radius=30).astype(np.uint8)
    cells = split(
        [noise, known],
        cell_channel=cell_channel,
        nucleus_diameter=diameter,
        size=size,
        min_contrast=0.0,
        border=None,
        on_empty="skip",
    )
    assert cells.n_cells[1] > 0
    n = cells.n_cells.sum()
    assert cells.images.shape == (n, size, size, 3)
    for box, group, number in zip(cells.boxes, cells.groups, cells.labels, strict=True):
        rows, columns = np.nonzero(cells.cell_masks[group] == number)
        assert box.tolist() == [
            rows.min(),
            columns.min(),
            rows.max() + 1,
            columns.max() + 1,
        ]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"nucleus_channel": 2}, "nucleus_channel=2 is not there"),
        ({"cell_channel": -3}, "cell_channel=-3 is not there"),
        ({"target": [1, 2]}, "inconsistent numbers of samples"),
        ({"border": "outer"}, "border"),
        ({"size": 0}, "size"),
        ({"nucleus_diameter": 0.0}, "nucleus_diameter"),
    ],
)
def test_bad_parameters_are_named(params, match):
    with pytest.raises(ValueError, match=match):
        split(draw([(40, 40)])[np.newaxis], **params)
