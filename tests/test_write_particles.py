"""write_particles and the command ``emclassify particles``."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from emclassify import load_image_folder, load_particles, save, svm_baseline
from emclassify.cli import main
from emclassify.readers import write_particles

RNG = np.random.default_rng(0)
N = 24


@pytest.fixture
def micrographs(tmp_path):
    """Two simulated micrographs with bright and dim discs, and a table of them."""
    folder = tmp_path / "micrographs"
    folder.mkdir()
    rows = []
    disc = np.hypot(*np.indices((11, 11)) - 5) <= 5
    for name in ("mic1", "mic2"):
        image = RNG.normal(100, 5, (120, 120))
        for i in range(N // 2):
            y, x = 15 + 30 * (i // 4), 15 + 30 * (i % 4)
            bright = i % 2
            image[y - 5 : y + 6, x - 5 : x + 6] += disc * (60 if bright else 20)
            rows.append([f"{name}.tif", x, y, "bright" if bright else "dim"])
        metadata = {"axes": "YX"}
        for axis in "XY":
            metadata[f"PhysicalSize{axis}"] = 0.5
            metadata[f"PhysicalSize{axis}Unit"] = "nm"
        tifffile.imwrite(
            folder / f"{name}.tif",
            image.astype(np.float32),
            ome=True,
            metadata=metadata,
        )
    table = pd.DataFrame(rows, columns=["micrograph", "x", "y", "label"])
    table.to_csv(tmp_path / "table.csv", index=False)
    return folder


def test_what_is_written_is_read_bit_for_bit(micrographs, tmp_path):
    data = load_particles(micrographs, tmp_path / "table.csv", box_size=16)
    table = write_particles(tmp_path / "out", data)
    again = load_image_folder(tmp_path / "out", labels=table, group_column="micrograph")
    np.testing.assert_array_equal(again.images, data.images)
    assert again.images.dtype == np.float32
    assert again.target.tolist() == data.target.tolist()
    assert again.groups.tolist() == data.groups.tolist()
    np.testing.assert_allclose(again.pixel_size, 0.5)
    assert pd.read_csv(table)["row"].tolist() == list(range(1, N + 1))


@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_channels_and_types_are_kept(micrographs, tmp_path, channels, dtype):
    table = tmp_path / "table.csv"
    data = load_particles(micrographs, table, box_size=16, label_column=None)
    images = RNG.integers(0, 100, (N, 16, 16, channels)).astype(dtype)
    data.images = images
    written = pd.read_csv(write_particles(tmp_path / "out", data))
    assert list(written) == ["file", "micrograph", "row"]
    written["label"] = "any"
    again = load_image_folder(tmp_path / "out", labels=written)
    np.testing.assert_array_equal(again.images, images)
    assert again.images.dtype == dtype


def test_no_file_is_ever_replaced(micrographs, tmp_path):
    data = load_particles(micrographs, tmp_path / "table.csv", box_size=16)
    with pytest.raises(FileExistsError, match="micrographs' is not empty"):
        write_particles(micrographs, data)


def test_nothing_is_left_of_what_was_interrupted(micrographs, tmp_path, monkeypatch):
    data = load_particles(micrographs, tmp_path / "table.csv", box_size=16)
    before = sorted(tmp_path.rglob("*"))

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_csv", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_particles(tmp_path / "out", data)
    assert sorted(tmp_path.rglob("*")) == before
    write_particles(tmp_path / "out", data)


def run(tmp_path, *options):
    argv = ["particles", tmp_path / "micrographs", "--star", tmp_path / "table.csv"]
    return main([str(part) for part in [*argv, "--quiet", *options]])


def test_from_micrographs_to_a_table_with_labels(micrographs, tmp_path, capsys):
    assert run(tmp_path, "--box", "16", "--out", tmp_path / "out") == 0
    assert f"{N} particles of 2 micrographs" in capsys.readouterr().out
    assert len(list((tmp_path / "out").glob("*.tif"))) == N
    data = load_particles(micrographs, tmp_path / "table.csv", box_size=16)
    save(svm_baseline().fit(data.images, data.target), tmp_path / "m.emc")
    out = tmp_path / "sorted.csv"
    assert (
        run(tmp_path, "--box", "16", "--model", tmp_path / "m.emc", "--out", out) == 0
    )
    table = pd.read_csv(out)
    assert (table["emclassifyLabel"] == table["label"]).all()
    assert f"bright: {N // 2}" in capsys.readouterr().out


def test_advice_is_in_options(micrographs, tmp_path, capsys):
    assert run(tmp_path, "--box", "60", "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "Pass --edge drop to leave them out, or --edge pad" in said
    assert run(tmp_path, "--out", tmp_path / "out") == 2
    assert "as in --box-size 200" in capsys.readouterr().err
