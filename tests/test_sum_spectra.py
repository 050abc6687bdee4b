"""Spectra of summed ions: sums known by hand, both sides, errors."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from emclassify import make_ion_images
from emclassify.display import SumSpectraDisplay

IMAGES = np.array([[[1.0, 2.0]], [[0.0, 1.0]], [[4.0, np.nan]]])


def lines_of(display):
    """Return {x: height} of what is drawn."""
    return {
        x: end
        for collection in display.ax_.collections
        for (x, _), (_, end) in (path.vertices for path in collection.get_paths())
    }


def test_ions_are_summed_and_go_to_the_side_of_their_class():
    display = SumSpectraDisplay.from_ions(
        IMAGES, ["on", "off", "on"], mz=[301.5, 402.0, 500.25]
    )
    # 3 and 4 on the sample, 1 off it; the strongest is 4.
    assert lines_of(display) == {301.5: 0.75, 500.25: 1.0, 402.0: -0.25}
    assert display.shares_ == {"on": 0.875, "off": 0.125}
    assert display.ax_.get_xlabel() == "m/z"


def test_ions_are_numbered_without_mz_and_others_are_left_out():
    display = SumSpectraDisplay.from_ions(
        list(IMAGES), ["yes", "no", "unknown"], labels=("no", "yes")
    )
    assert lines_of(display) == pytest.approx({1: 1 / 3, 0: -1.0})
    assert display.ax_.get_xlabel() == "number of the ion"


def test_pixels_are_averaged_by_side():
    spectra = [[2.0, 0.0], [4.0, 2.0], [0.0, 1.0]]
    _, ax = plt.subplots()
    display = SumSpectraDisplay.from_pixels(
        spectra, [[True, True, False]], mz=[100, 200], ax=ax
    )
    assert display.ax_ is ax
    names = ["pixels on the sample", "pixels off it"]
    assert display.spectra[names[0]].tolist() == [3, 1]
    assert display.spectra[names[1]].tolist() == [0, 1]


def test_simulated_dataset():
    data = make_ion_images(60, n_groups=2, random_state=0)
    own = data.groups == 0
    measured = data.cubes[0].T.reshape(-1, *data.masks[0].shape)
    display = SumSpectraDisplay.from_ions(measured, data.target[own])
    expected = data.cubes[0].sum(axis=0, dtype=float)
    on = (data.target[own] == "on").astype(float)
    np.testing.assert_allclose(display.spectra["on"], expected * on)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda d: d.from_ions(IMAGES, ["on"] * 3), "no ion of the class 'off'"),
        (lambda d: d.from_ions(IMAGES, ["on", "off"]), "inconsistent numbers"),
        (
            lambda d: d.from_ions(IMAGES, ["on", "off", "on"], mz=[1.0]),
            r"mz of shape \(1,\)",
        ),
        (lambda d: d.from_pixels([[1.0]], [True, False]), "the 2 pixels of on_sample"),
        (lambda d: d.from_pixels([[1.0]] * 2, [True, True]), "all 2 pixels on it"),
        (lambda d: d([1.0], {"on": [1.0]}).plot(), "must be two; got 1"),
        (
            lambda d: d([1.0], {"on": [1.0], "off": [-1.0]}).plot(),
            "finite intensities of at least 0",
        ),
    ],
)
def test_errors(call, match):
    with pytest.raises(ValueError, match=match):
        call(SumSpectraDisplay)


def test_names_that_begin_with_an_underscore():
    display = SumSpectraDisplay([1, 2], {"_on": [1, 0], "off": [0, 3]}).plot()
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [" _on (25 % of the intensity)", "off (75 % of the intensity)"]
