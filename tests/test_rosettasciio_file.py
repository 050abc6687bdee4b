"""Formats that come through RosettaSciIO, an extra under the GPL."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from emclassify import load_image_folder, open_image_stack

rsciio = pytest.importorskip("rsciio")

IMAGES = np.random.default_rng(0).integers(0, 60000, (7, 6, 5), np.uint16)


def signal(images, scale=0.25, unit="nm"):
    names = ["frame", "y", "x"][-images.ndim :]
    axes = [
        {
            "name": name,
            "size": size,
            "offset": 0.0,
            "scale": scale if name in "yx" else 1.0,
            "units": unit if name in "yx" else "",
            "navigate": name == "frame",
            "index_in_array": i,
            "_type": "UniformDataAxis",
            "is_binned": False,
        }
        for i, (name, size) in enumerate(zip(names, images.shape, strict=True))
    ]
    return {
        "data": images,
        "axes": axes,
        "metadata": {"General": {"title": "made"}, "Signal": {"signal_type": ""}},
        "original_metadata": {},
        "attributes": {"_lazy": False, "ragged": False},
        "learning_results": {},
        "package": "",
        "package_version": "",
        "models": {},
        "tmp_parameters": {},
        "package_info": {},
    }


@pytest.mark.parametrize("images", [IMAGES, IMAGES[0]])
def test_hspy(tmp_path, images):
    from rsciio.hspy import file_writer

    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "x.hspy"
    file_writer(str(path), signal(images))
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], images.reshape(-1, 6, 5))
        assert stack.pixel_size == pytest.approx(0.25)
        assert stack.pixel_size_source == "HSPY metadata"
    bunch = load_image_folder(tmp_path, page="all")
    np.testing.assert_array_equal(bunch.images, images.reshape(-1, 6, 5))
    np.testing.assert_allclose(bunch.pixel_size, 0.25)


def test_blo(tmp_path):
    from rsciio.blockfile import file_writer

    images = (IMAGES[:6, :5, :5] // 256).astype(np.uint8).reshape(2, 3, 5, 5)
    made = signal(images[0])
    made["data"] = images
    made["axes"] = [
        {**made["axes"][0], "name": n, "size": s, "units": "nm", "index_in_array": i}
        for i, (n, s) in enumerate([("y", 2), ("x", 3)])
    ] + [
        {**made["axes"][1], "name": n, "size": 5, "units": "cm", "index_in_array": i}
        for i, n in enumerate(["dy", "dx"], 2)
    ]
    for axis in made["axes"][:2]:
        axis["navigate"] = True
    file_writer(str(tmp_path / "x.blo"), made)
    with open_image_stack(tmp_path / "x.blo") as stack:
        assert stack.shape == (6, 5, 5)
        np.testing.assert_array_equal(stack[:], images.reshape(6, 5, 5))


def test_ncem_emd(tmp_path):
    path = tmp_path / "x.emd"
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/stack")
        group.attrs["emd_group_type"] = 1
        group["data"] = IMAGES
        for i, (name, unit, size) in enumerate(
            [("n", "", 7), ("y", "[n_m]", 6), ("x", "[n_m]", 5)], 1
        ):
            group[f"dim{i}"] = np.arange(size) * 0.5
            group[f"dim{i}"].attrs["name"] = name
            group[f"dim{i}"].attrs["units"] = unit
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)


def test_without_rosettasciio(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.blo").write_bytes(b"IMGBLO" + bytes(600))
    monkeypatch.setitem(sys.modules, "rsciio.blockfile", None)
    with pytest.raises(
        ImportError, match=r"x\.blo.+GPL-3.+pip install .emclassify\[em\]"
    ):
        load_image_folder(tmp_path)


def test_it_is_not_imported_otherwise(tmp_path):
    code = (
        "import sys, numpy, tifffile, emclassify.readers as r\n"
        "tifffile.imwrite(sys.argv[1], numpy.zeros((4, 4), numpy.uint8))\n"
        "r.read_image(sys.argv[1])\n"
        "print([m for m in sys.modules if m.partition('.')[0] == 'rsciio'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.tif")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.strip() == "[]"


class Reader:
    """Stands for a module of RosettaSciIO that reads some files only at once."""

    def __init__(self, signals):
        self.signals = signals

    def file_reader(self, path, lazy, **options):
        if lazy or self.signals is None:
            raise ValueError("Lazy loading of RGBA images is not supported.")
        return self.signals


def test_colours_that_are_not_read_lazily(tmp_path, monkeypatch):
    from emclassify.readers import _rosettasciio_file

    colours = np.zeros((6, 5), [(name, "u1") for name in "RGBA"])
    rgb = np.random.default_rng(1).integers(0, 255, (6, 5, 3), np.uint8)
    for i, name in enumerate("RGB"):
        colours[name] = rgb[..., i]
    reader = Reader([signal(colours)])
    monkeypatch.setattr(
        _rosettasciio_file.importlib, "import_module", lambda name: reader
    )
    (tmp_path / "x.dm3").write_bytes(bytes([0, 0, 0, 3, *bytes(7), 1, *bytes(500)]))
    with open_image_stack(tmp_path / "x.dm3") as stack:
        np.testing.assert_array_equal(stack[:], rgb[np.newaxis])
    reader.signals = None
    with pytest.raises(ValueError, match=r"x\.dm3 can't be opened: Lazy loading"):
        open_image_stack(tmp_path / "x.dm3")


def test_old_files_that_name_no_axis(tmp_path):
    from emclassify.readers._rosettasciio_file import _series

    old = signal(IMAGES)
    for axis in old["axes"]:
        axis |= {"name": "", "navigate": None, "units": ""}
    assert _series(old, "hspy") is None
    old["metadata"]["Signal"]["record_by"] = "image"
    assert _series(old, "hspy").images.shape == (7, 6, 5)


def test_sizes_of_patterns_in_the_wrong_unit_are_unknown(tmp_path):
    from rsciio.hspy import file_writer

    (tmp_path / "a").mkdir()
    file_writer(str(tmp_path / "a" / "x.hspy"), signal(IMAGES[0], scale=1e17))
    with pytest.warns(UserWarning, match=r"1e\+17 nm, which no image has, taken as un"):
        assert load_image_folder(tmp_path).pixel_size is None


def test_later_parts_of_a_recording_are_read_with_the_first(tmp_path):
    from emclassify.readers._image_listing import list_files

    for name in ("r_000.tvips", "r_001.tvips", "r_002.tvips", "s_001.tvips"):
        (tmp_path / name).touch()
    assert list_files(tmp_path) == ["r_000.tvips", "s_001.tvips"]
