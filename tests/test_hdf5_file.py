"""HDF5: which data set, which axes, links, filters."""

import h5py
import numpy as np
import pytest

from emclassify import open_image_stack, predict_folder, svm_baseline
from emclassify.readers import read_image

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 60000, (7, 6, 5), np.uint16)


def test_nexus_says_which_data_set_and_which_axes(tmp_path):
    path = tmp_path / "x.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["default"] = "scan"
        scan = entry.create_group("scan")
        scan.attrs["signal"] = "frames"
        scan["frames"] = np.moveaxis(IMAGES, 0, -1)
        scan.attrs["axes"] = ["y", "x", "time"]
        scan["other"] = np.zeros((7, 6, 5))
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)


def test_nexus_detector(tmp_path):
    path = tmp_path / "x.nxs"
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        detector["data"] = IMAGES
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)


@pytest.mark.parametrize(
    ("attributes", "stored", "read"),
    [
        ({"CLASS": b"IMAGE"}, IMAGES[0], IMAGES[0]),
        (
            {"CLASS": b"IMAGE", "INTERLACE_MODE": b"INTERLACE_PIXEL"},
            IMAGES[..., :3],
            IMAGES[..., :3],
        ),
        (
            {"CLASS": b"IMAGE", "INTERLACE_MODE": b"INTERLACE_PLANE"},
            IMAGES[:3],
            np.moveaxis(IMAGES[:3], 0, -1),
        ),
    ],
)
def test_the_image_convention_of_hdf5(tmp_path, attributes, stored, read):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["picture"] = stored
        file["picture"].attrs.update(attributes)
    np.testing.assert_array_equal(read_image(tmp_path / "x.h5"), read)


def test_labels_of_dimensions(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = np.moveaxis(IMAGES, 0, 1)
        for dimension, label in zip(file["a"].dims, "yzx", strict=True):
            dimension.label = label
    with open_image_stack(tmp_path / "x.h5") as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)


def test_axes_that_nothing_tells_are_never_guessed(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["frames"] = IMAGES
    words = r"x\.h5.+ /frames has shape \(7, 6, 5\).+axes='nyx'"
    with pytest.raises(ValueError, match=words):
        open_image_stack(tmp_path / "x.h5")
    svm = svm_baseline().fit(IMAGES, [0, 0, 0, 1, 1, 1, 1])
    with pytest.raises(ValueError, match=words):
        predict_folder(svm, tmp_path, tmp_path / "t.csv")
    assert predict_folder(svm, tmp_path, tmp_path / "t.csv", axes="nyx") == 7


def test_external_links_are_followed(tmp_path):
    with h5py.File(tmp_path / "data_000001.h5", "w") as file:
        file["entry/data/data"] = IMAGES
    with h5py.File(tmp_path / "master.h5", "w") as file:
        detector = file.create_group("entry/data")
        detector.attrs["NX_class"] = "NXdata"
        detector["data_000001"] = h5py.ExternalLink(
            "data_000001.h5", "/entry/data/data"
        )
        detector["gone"] = h5py.ExternalLink("data_000002.h5", "/entry/data/data")
    with open_image_stack(
        tmp_path / "master.h5", "entry/data/data_000001", axes="nyx"
    ) as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)
    with pytest.raises(ValueError, match=r"is a link to nothing in data_000002\.h5"):
        open_image_stack(tmp_path / "master.h5", "entry/data/gone", axes="nyx")


def test_a_filter_that_is_missing_names_its_package(tmp_path):
    # Number 65000 is no registered filter; the data set can't be read with any.
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((1, 6, 5))
        properties.set_filter(65000, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple(IMAGES.shape)
        dataset = h5py.h5d.create(
            file.id, b"frames", h5py.h5t.NATIVE_UINT16, space, properties
        )
        for i, image in enumerate(IMAGES):
            dataset.write_direct_chunk((i, 0, 0), image.tobytes())
    with (
        open_image_stack(path, axes="nyx") as stack,
        pytest.raises(ValueError, match="pip install hdf5plugin"),
    ):
        stack[0]


def test_bitshuffle(tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    path = tmp_path / "x.cxi"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "/entry_1/data_1/data", data=IMAGES, **hdf5plugin.Bitshuffle()
        )
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)


def test_pixel_size_of_fiji_and_ilastik(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["frames"] = IMAGES
        file["frames"].attrs["element_size_um"] = [1.0, 0.004, 0.004]
    with open_image_stack(tmp_path / "x.h5", axes="nyx") as stack:
        assert stack.pixel_size == pytest.approx(4)
        assert stack.pixel_size_source == "element_size_um"
