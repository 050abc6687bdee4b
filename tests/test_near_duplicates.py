"""Copies among images, however they are disguised."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_array_equal
from scipy import ndimage

from emclassify import make_liposomes
from emclassify._square import TRANSFORMS, turn
from emclassify.model_selection import find_duplicates


@pytest.fixture(scope="module")
def liposomes():
    return make_liposomes(240, image_size=48, random_state=0).images


def test_images_of_different_things_are_no_pairs(liposomes):
    assert len(find_duplicates(liposomes)) == 0


@pytest.mark.parametrize("element", range(8))
def test_each_turn_is_found_and_named(liposomes, element):
    X = liposomes.copy()
    # What the transform makes of the second is the first.
    X[3] = turn(X[[200]], element)[0]
    (pair,) = find_duplicates(X).to_dict("records")
    assert (pair["first"], pair["second"]) == (3, 200)
    assert pair["transform"] == TRANSFORMS[element]
    assert pair["exact"]
    assert pair["similarity"] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    "disguise",
    [
        lambda image, rng: 1.7 * image - 20,
        lambda image, rng: image + 0.15 * image.std() * rng.normal(size=image.shape),
        lambda image, rng: np.sqrt(image),
    ],
    ids=["contrast", "noise", "gamma"],
)
def test_disguises_don_t_hide_a_copy(liposomes, disguise):
    rng = np.random.default_rng(0)
    X = liposomes.astype(float)
    for i in range(20):
        X[i] = disguise(np.rot90(X[i + 100]), rng)
    pairs = find_duplicates(X)
    assert len(pairs) >= 19
    assert (pairs["second"] - pairs["first"] == 100).all()
    assert not pairs["exact"].any()


def test_images_of_different_sizes_channels_and_kinds(tmp_path, liposomes):
    images = [image[: 40 + i, : 30 + 2 * i] for i, image in enumerate(liposomes[:8])]
    images.append(images[2].T.copy())
    pairs = find_duplicates(images)
    assert pairs[["first", "second", "exact"]].to_numpy().tolist() == [[2, 8, True]]

    colour = np.stack([liposomes[:20], liposomes[20:40]], axis=-1)
    colour[7] = colour[4]
    mapped = np.memmap(tmp_path / "x", colour.dtype, "w+", shape=colour.shape)
    mapped[:] = colour
    for X in (colour, mapped):
        assert find_duplicates(X)[["first", "second"]].to_numpy().tolist() == [[4, 7]]


def test_blank_images_are_copies_of_each_other(liposomes):
    X = liposomes[:10].copy()
    X[2], X[5], X[6] = 0, 0, 255
    pairs = find_duplicates(X).set_index(["first", "second"])
    assert pairs["exact"].to_dict() == {(2, 5): True, (2, 6): False, (5, 6): False}


@pytest.mark.parametrize("n_different", [1, 2, 3])
def test_a_set_of_nothing_but_copies(n_different):
    # All of them is what the set has in common.
    images = np.random.default_rng(0).normal(size=(n_different, 16, 16))
    X = np.concatenate([images] * (90 // n_different))
    X[-1] = np.rot90(X[-1])
    pairs = find_duplicates(X)
    pairs = pairs[pairs["exact"]]
    assert (pairs["second"] - pairs["first"] >= n_different).all()
    assert ((pairs["second"] - pairs["first"]) % n_different == 0).all()
    last = pairs[pairs["second"] == 89]
    assert set(last["transform"]) == {"rotated by 270°"}
    assert len(last) == min(20, 90 // n_different - 1)
    most = pairs["first"].value_counts()
    assert most.max() == 20
    assert len(most) == 90 - n_different


def test_the_same_pixels_elsewhere_are_no_equal_image():
    rng = np.random.default_rng(0)
    X = ndimage.gaussian_filter(rng.normal(size=(10, 40, 40)), (0, 4, 4), mode="wrap")
    X[3] = np.roll(X[2], 1, axis=1)
    pairs = find_duplicates(X, threshold=0.5)
    assert pairs[["first", "second", "exact"]].to_numpy().tolist() == [[2, 3, False]]


@settings(max_examples=25)
@given(
    n=st.integers(1, 12),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64", "bool"]),
    seed=st.integers(0, 2**16),
)
def test_any_stack_has_an_answer_and_equal_images_are_found(
    n, height, width, dtype, seed
):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2 if dtype == "bool" else 200, (n, height, width)).astype(dtype)
    X = np.concatenate([X, X[:1]])
    before = X.copy()
    pairs = find_duplicates(X)
    assert_array_equal(X, before)
    assert (pairs["first"] < pairs["second"]).all()
    same = pairs[(pairs["first"] == 0) & (pairs["second"] == n)]
    assert same["exact"].all()
    assert len(same) == 1


@pytest.mark.parametrize("threshold", [0.4, 1.1])
def test_bad_threshold(threshold):
    with pytest.raises(ValueError, match="threshold must be from"):
        find_duplicates(np.zeros((2, 4, 4)), threshold=threshold)


def test_flat_rows_are_refused():
    with pytest.raises(ValueError, match="X has 2 axes; expected images"):
        find_duplicates(np.zeros((2, 16)))


@pytest.mark.real_data
def test_planted_copies_among_real_images(shared_data):
    with np.load(shared_data / "pneumoniamnist" / "pneumoniamnist.npz") as data:
        X = data["train_images"][:3000].astype(float)
    rng = np.random.default_rng(0)
    for i in range(100):
        X[i] = turn(X[[i + 1000]], i % 8)[0] * 0.8
        X[i] += 0.1 * X[i].std() * rng.normal(size=X[i].shape)
    pairs = find_duplicates(X)
    found = {(p.first, p.second) for p in pairs.itertuples()}
    planted = {(i, i + 1000) for i in range(100)}
    assert len(planted & found) >= 95
    # The set has copies of its own, and a few that look alike.
    assert len(found - planted) < 30
