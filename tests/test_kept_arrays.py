"""Simulated images are kept under a name that tells what they depend on."""

import runpy

import numpy as np
import pytest

from emclassify import make_ion_images, make_liposomes
from studies._kept_arrays import code_of, kept_arrays, name_of


def test_a_name_tells_parameters_and_simulators():
    params = {"n_samples": 90, "weights": (0.6, 0.3, 0.1), "n_groups": 12}
    name = name_of("lamellarity", make_liposomes, params)
    assert name == name_of("lamellarity", make_liposomes, dict(params))
    assert name.startswith("lamellarity-")
    others = [
        name_of("lamellarity", make_liposomes, params | changed)
        for changed in ({"n_samples": 91}, {"weights": None}, {"n_groups": 32})
    ]
    others.append(name_of("lamellarity", make_ion_images, params))
    assert len({name, *others}) == 5


@pytest.mark.parametrize("changed", ["_draws.py", "discs/_shade.py"])
def test_code_is_told_by_all_files_of_a_simulator(changed, tmp_path):
    wing = tmp_path / "discs"
    wing.mkdir(parents=True)
    for file in (wing / "_make.py", wing / "_shade.py", wing.parent / "_draws.py"):
        file.write_text("def make():\n    return 1\n", "utf-8")
    make = runpy.run_path(str(wing / "_make.py"))["make"]
    before = code_of(make)
    (wing.parent / changed).write_text("def make():\n    return 2\n", "utf-8")
    assert code_of(make) != before


def test_arrays_are_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        images = np.empty(2, dtype=object)
        images[:] = [np.eye(3), np.ones((2, 4))]
        return {"X": images, "y": np.array(["a", "b"])}

    for _ in range(2):
        kept = kept_arrays(tmp_path / "data" / "some.npz", make)
        np.testing.assert_array_equal(kept["X"][0], np.eye(3))
        np.testing.assert_array_equal(kept["X"][1], np.ones((2, 4)))
        assert kept["y"].tolist() == ["a", "b"]
    assert len(made) == 1
