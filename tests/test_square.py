"""The eight symmetries of the square, for arrays and for tensors."""

import numpy as np
import torch
from numpy.testing import assert_array_equal

from emclassify._square import TRANSFORMS, turn
from emclassify.training._dihedral import dihedral


def test_names_of_turns_are_those_of_numpy():
    image = np.arange(6).reshape(1, 2, 3)
    known = {
        "none": image[0],
        "transposed": image[0].T,
        "mirrored left-right": np.fliplr(image[0]),
        "mirrored top-bottom": np.flipud(image[0]),
        "rotated by 90°": np.rot90(image[0]),
        "rotated by 180°": np.rot90(image[0], 2),
        "rotated by 270°": np.rot90(image[0], 3),
        "anti-transposed": np.rot90(image[0], 2).T,
    }
    for element, name in enumerate(TRANSFORMS):
        assert_array_equal(turn(image, element)[0], known[name], err_msg=name)


def test_tensors_turn_by_the_same_numbers():
    images = np.random.default_rng(0).normal(size=(8, 3, 5, 5))
    turned = dihedral(torch.from_numpy(images), torch.arange(8)).numpy()
    for element in range(8):
        channels_last = images[element].transpose(1, 2, 0)[np.newaxis]
        expected = turn(channels_last, element)[0].transpose(2, 0, 1)
        assert_array_equal(turned[element], expected, err_msg=TRANSFORMS[element])
