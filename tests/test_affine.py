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


@pytest.mark.parametrize("shape", [(21, 21), (20, 31), (3, 2), (1, 9)])
@pytest.mark.parametrize("padding_mode", ["reflection", "border", "zeros"])
def test_spline_agrees_with_scipy(shape, padding_mode):
    image = np.random.default_rng(0).normal(size=shape)
    angle, scale, shear, shift = 0.73, 1.1, 0.15, (1.6, -0.7)
    numbers = (torch.tensor([n], dtype=torch.float64) for n in (angle, scale, shear))
    angles, scales, shears = numbers
    got = affine(
        torch.from_numpy(image)[None, None],
        angles,
        torch.tensor([shift], dtype=torch.float64),
        scales,
        shears,
        interpolation="spline",
        padding_mode=padding_mode,
    )[0, 0].numpy()
    inverse = np.linalg.inv(pixel_map(angle, scale, shear))[::-1, ::-1]
    last = np.array(shape)[:, None, None] - 1
    centre = (np.array(shape) - 1) / 2
    offset = centre - inverse @ (centre + np.array(shift)[::-1])
    at = np.tensordot(inverse, np.indices(shape), 1) + offset[:, None, None]
    inside = ((at >= 0) & (at <= last)).all(0)
    if padding_mode == "border":
        at = np.clip(at, 0, last)
    expected = ndimage.map_coordinates(image, at, order=3, mode="reflect")
    if padding_mode == "zeros":
        expected = expected * inside
    # SciPy's filter is approximate for a few pixels.
    atol = 1e-3 if shape == (3, 2) else 1e-9
    np.testing.assert_allclose(got, expected, atol=atol)


def test_spline_of_scipy_in_single_precision_in_a_batch():
    images = np.random.default_rng(1).normal(size=(3, 2, 24, 28)).astype(np.float32)
    angles = torch.tensor([0.2, -1.0, 2.5])
    got = affine(
        torch.from_numpy(images),
        angles,
        torch.zeros(3, 2),
        torch.ones(3),
        torch.zeros(3),
        interpolation="spline",
    ).numpy()
    centre = np.array([11.5, 13.5])
    for i, angle in enumerate(angles.tolist()):
        inverse = np.linalg.inv(pixel_map(angle, 1, 0))[::-1, ::-1]
        for channel in range(2):
            expected = ndimage.affine_transform(
                images[i, channel],
                inverse,
                centre - inverse @ centre,
                order=3,
                mode="reflect",
            )
            np.testing.assert_allclose(got[i, channel], expected, atol=1e-3)


def test_spline_keeps_the_image():
    x = torch.rand(4, 2, 9, 7)
    still = RandomAffine(0, (0, 0), (1, 1), 0, interpolation="spline")
    torch.testing.assert_close(still(x), x, rtol=0, atol=1e-5)


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
        ({"interpolation": "lanczos"}, "interpolation"),
        ({"padding_mode": "wrap"}, "padding_mode"),
    ],
)
def test_bad_parameters_are_named(params, word):
    with pytest.raises(ValueError, match=word):
        RandomAffine(**params)
