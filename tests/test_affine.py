"""RandomAffine, against scipy and by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from emclassify.training import RandomAffine
from emclassify.training._affine import affine


def pixel_map(angle, scale, shear):
    """The map of positions (x right, y down) that the docstring describes."""
    # Shear moves (0, -1), up, to the right by tan(shear); turning is
    # counter-clockwise as seen, with y down.
    sheared = np.array([[1, math.tan(shear)], [0, 1]])
    turned = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )
    return scale * turned @ sheared


@pytest.mark.parametrize("shape", [(21, 21), (20, 31)])
@pytest.mark.parametrize(
    ("angle", "scale", "shear", "shift"),
    [
        (0.0, 1.0, 0.0, (3.0, -2.0)),
        (0.7, 1.0, 0.0, (0.0, 0.0)),
        (0.0, 1.25, 0.0, (0.0, 0.0)),
        (0.0, 1.0, 0.2, (0.0, 0.0)),
        (-2.1, 1.1, 0.15, (1.5, 0.5)),
    ],
)
def test_agrees_with_scipy(shape, angle, scale, shear, shift):
    rng = np.random.default_rng(0)
    image = rng.normal(size=shape).astype(np.float32)
    got = affine(
        torch.from_numpy(image)[None, None],
        torch.tensor([angle]),
        torch.tensor([shift]),
        torch.tensor([scale]),
        torch.tensor([shear]),
        interpolation="bilinear",
    )[0, 0].numpy()
    inverse = np.linalg.inv(pixel_map(angle, scale, shear))[::-1, ::-1]  # (row, column)
    centre = (np.array(shape) - 1) / 2
    offset = centre - inverse @ (centre + np.array(shift)[::-1])
    expected = ndimage.affine_transform(image, inverse, offset, order=1, mode="reflect")
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_identity_and_evaluation_change_nothing():
    x = torch.rand(4, 2, 9, 7)
    still = RandomAffine(0, (0, 0), (1, 1), 0)
    torch.testing.assert_close(still(x), x, rtol=0, atol=1e-5)
    assert torch.equal(RandomAffine().eval()(x), x)


def test_no_dark_corners():
    x = torch.full((64, 1, 20, 20), 7.0)
    torch.testing.assert_close(RandomAffine()(x), x, rtol=1e-5, atol=1e-5)
    assert RandomAffine(padding_mode="zeros")(x).min() < 1


def test_images_are_drawn_apart_and_masks_go_along():
    x = torch.rand(1, 1, 16, 16).repeat(8, 2, 1, 1)
    out = RandomAffine()(x)
    assert torch.equal(out[:, 0], out[:, 1])
    assert len({one.numpy().tobytes() for one in out}) == 8


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"degrees": "much"}, "degrees"),
        ({"degrees": (3, 1)}, "degrees"),
        ({"translate": (0.1, 2)}, "translate"),
        ({"translate": (0.1, 0.1, 0.1)}, "translate"),
        ({"scale": (0, 1)}, "scale"),
        ({"scale": 1.0}, "scale"),
        ({"shear": 120}, "shear"),
        ({"interpolation": "spline"}, "interpolation"),
        ({"padding_mode": "wrap"}, "padding_mode"),
    ],
)
def test_bad_parameters_are_named(params, word):
    with pytest.raises(ValueError, match=word):
        RandomAffine(**params)
