"""What one number says of a class, where it is known."""

import numpy as np
import pytest

from studies.shortcuts import main, numbers, shortcuts


def test_numbers_by_hand():
    image = np.zeros((8, 8))
    image[2:6, 2:6] = 4  # a quarter of the pixels
    (row,) = numbers([image]).to_dict("records")
    assert row["mean"] == 1
    assert row["maximum"] == 4
    assert row["median"] == 0
    assert row["share above the mean"] == 0.25
    assert row["middle less mean"] == 3
    assert row["rim less mean"] == -1
    # In each column, two steps of 4 in four of eight columns, over seven differences.
    assert row["difference of neighbours"] == pytest.approx(2 * 4 * 4 / 56)


def test_a_class_that_its_mean_gives_away():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(60, 12, 12, 2))
    images[:30] += 1
    table = shortcuts(images, np.repeat(["bright", "dark"], 30))
    best = table.groupby("class").first()
    assert set(best["number"]) <= {"mean", "median"}
    assert (best["AUC"] == 1).all()
    assert best["images"].tolist() == [30, 30]


def test_nothing_gives_away_what_is_not_there():
    images = np.random.default_rng(0).normal(size=(600, 12, 12))
    table = shortcuts(images, np.arange(600) % 2)
    assert table["AUC"].max() < 0.6


@pytest.mark.parametrize("wrong", [["--samples", "10"], ["--seed", "-1"]])
def test_refused_arguments(wrong, capsys):
    with pytest.raises(SystemExit):
        main(wrong)
    assert f"{wrong[0]} must be at least" in capsys.readouterr().err


def test_it_prints_a_table_for_each_simulator(capsys):
    main(["--samples", "80"])
    out = capsys.readouterr().out
    for name in ("lamellarity", "encapsulation", "ion images", "cells", "diffraction"):
        assert name in out
