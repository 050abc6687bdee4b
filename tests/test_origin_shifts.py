"""Particles are cut out round the centres that RELION has found."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from emclassify import load_particles, write_star
from emclassify.cli import main

starfile = pytest.importorskip("starfile")

PIXELS = np.arange(100 * 120, dtype=np.uint16).reshape(100, 120)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "micrographs"
    folder.mkdir()
    tifffile.imwrite(folder / "m.tif", PIXELS)
    return folder


def write(path, micrograph_size=1.5, image_size=None, **columns):
    particles = {
        "rlnMicrographName": ["m.tif", "m.tif"],
        "rlnCoordinateX": [40.0, 60.0],
        "rlnCoordinateY": [30.0, 50.0],
        "rlnOpticsGroup": 1,
    }
    optics = {"rlnOpticsGroup": [1], "rlnVoltage": [300.0]}
    if micrograph_size:
        optics["rlnMicrographPixelSize"] = [micrograph_size]
    if image_size:
        optics["rlnImagePixelSize"] = [image_size]
    blocks = {"optics": optics, "particles": particles | columns}
    starfile.write({k: pd.DataFrame(v) for k, v in blocks.items()}, path)
    return path


ANGSTROM = {"rlnOriginXAngst": [9.0, -4.5], "rlnOriginYAngst": [-3.0, 0.0]}
# In px of 1.5 Å the shifts are (6, -2) and (-3, 0), so that centres (x, y) are
# (34, 32) and (63, 50); boxes of 10 px begin 5 px before.
CORNERS = [[27, 29], [45, 58]]


def test_angstrom(folder, tmp_path):
    table = write(tmp_path / "p.star", **ANGSTROM)
    data = load_particles(folder, table, box_size=10, recentre=True)
    assert data.boxes[:, :2].tolist() == CORNERS
    np.testing.assert_array_equal(data.images[0], PIXELS[27:37, 29:39])
    left = load_particles(folder, table, box_size=10, recentre=False)
    assert left.boxes[:, :2].tolist() == [[25, 35], [45, 55]]
    # Micrographs of pixels twice as large: half the shifts, (3, -1) and (-1.5, 0).
    given = load_particles(folder, table, box_size=10, recentre=True, pixel_size=0.3)
    assert given.boxes[:, :2].tolist() == [[26, 32], [45, 57]]
    # y counts from the last row: centres are at rows 100 - 32 and 100 - 50.
    turned = load_particles(folder, table, box_size=10, recentre=True, invert_y=True)
    assert turned.boxes[:, :2].tolist() == [[63, 29], [45, 58]]


def test_the_header_goes_before_the_table(folder, tmp_path):
    # 0.5 nm a pixel: the shifts are (1.8, -0.6) and (-0.9, 0).
    size = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "axes": "YX"}
    size |= {"PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(folder / "m.tif", PIXELS, ome=True, metadata=size)
    table = write(tmp_path / "p.star", **ANGSTROM)
    data = load_particles(folder, table, box_size=10, recentre=True)
    assert data.boxes[:, :2].tolist() == [[26, 33], [45, 56]]


def test_pixels_of_old_tables(folder, tmp_path):
    columns = {"rlnOriginX": [6.0, -3.0], "rlnOriginY": [-2.0, 0.0]}
    table = write(tmp_path / "p.star", **columns)
    data = load_particles(folder, table, box_size=10, recentre=True)
    assert data.boxes[:, :2].tolist() == CORNERS
    # Images of half as many pixels as were cut out: twice the shifts.
    table = write(tmp_path / "b.star", image_size=3.0, **columns)
    data = load_particles(folder, table, box_size=10, recentre=True)
    assert data.boxes[:, :2].tolist() == [[29, 23], [45, 61]]
    # Where both are there, those in Å count, as in RELION.
    both = {"rlnOriginX": [0.0, 0.0], "rlnOriginY": [0.0, 0.0]} | ANGSTROM
    table = write(tmp_path / "c.star", **both)
    data = load_particles(folder, table, box_size=10, recentre=True)
    assert data.boxes[:, :2].tolist() == CORNERS


def test_the_table_comes_back_as_it_was(folder, tmp_path):
    table = write(tmp_path / "p.star", **ANGSTROM)
    data = load_particles(folder, table, box_size=10, recentre=True)
    write_star(tmp_path / "out.star", data, ["a", "b"])
    old, new = (
        starfile.read(tmp_path / name, always_dict=True)["particles"]
        for name in ("p.star", "out.star")
    )
    pd.testing.assert_frame_equal(new[old.columns.tolist()], old)
    again = load_particles(folder, tmp_path / "out.star", box_size=10, recentre=True)
    np.testing.assert_array_equal(again.images, data.images)


def test_shifts_that_nobody_spoke_of(folder, tmp_path):
    table = write(tmp_path / "p.star", **ANGSTROM)
    with pytest.warns(UserWarning, match="2 of 2 particles .+ recentre=True") as found:
        load_particles(folder, table, box_size=10)
    assert found[0].filename == __file__
    # What is left after RELION has recentred, less than a pixel, is no news.
    rest = {"rlnOriginXAngst": [0.7, -0.7], "rlnOriginYAngst": [0.0, 1.4]}
    load_particles(folder, write(tmp_path / "r.star", **rest), box_size=10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "recentre=True needs the origin shifts .+ has rlnMicrographName"),
        ({"micrograph_size": None, **ANGSTROM}, "particle 1 .+ give pixel_size, in nm"),
        (
            ANGSTROM | {"rlnOriginYAngst": ["0", "none"]},
            "particle 2 .+ no number there in rlnOriginYAngst and rlnOriginXAngst",
        ),
    ],
)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_shifts_that_are_no_good(folder, tmp_path, options, words, on_error):
    table = write(tmp_path / "p.star", **options)
    with pytest.raises(ValueError, match=words):
        load_particles(folder, table, box_size=10, recentre=True, on_error=on_error)


def test_several_tables(folder, tmp_path):
    tables = [write(tmp_path / f"{i}.star", **ANGSTROM) for i in range(2)]
    data = load_particles(folder, tables, box_size=10, recentre=True)
    assert data.boxes[:, :2].tolist() == 2 * CORNERS
    tables[1] = write(tmp_path / "bare.star")
    with pytest.raises(ValueError, match="needs the origin shifts"):
        load_particles(folder, tables, box_size=10, recentre=True)


@pytest.mark.filterwarnings("default")
def test_command_line(folder, tmp_path, capsys):
    table = write(tmp_path / "p.star", **ANGSTROM)
    command = ["particles", str(folder), "--star", str(table), "--box", "10"]
    command += ["--quiet", "--out"]
    assert main([*command, str(tmp_path / "a")]) == 0
    told = capsys.readouterr().err
    assert "Pass --recentre to" in told
    assert "--no-recentre to leave it so" in told
    assert main([*command, str(tmp_path / "b"), "--recentre"]) == 0
    written = sorted((tmp_path / "b").glob("*.tif"))[0]
    np.testing.assert_array_equal(tifffile.imread(written), PIXELS[27:37, 29:39])
