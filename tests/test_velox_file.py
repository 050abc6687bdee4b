"""EMD files of Velox, made by the test as Velox lays them out."""

import json

import h5py
import numpy as np
import pytest

from emclassify import load_image_folder, open_image_stack
from emclassify.readers import read_image

IMAGES = np.random.default_rng(0).integers(0, 60000, (7, 6, 5), np.uint16)


def write(path, *stacks, size="2.5e-10"):
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {
        "BinaryResult": {
            "PixelSize": {"width": size, "height": size},
            "PixelUnitX": "m",
        }
    }
    text = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    with h5py.File(path, "w") as file:
        for i, images in enumerate(stacks):
            group = file.create_group(f"Data/Image/{i:032x}")
            data = np.moveaxis(images, 0, -1)
            group.create_dataset("Data", data=data, chunks=(6, 5, 1))
            if size is not None:
                column = np.zeros((60000, len(images)), np.uint8)
                column[: len(text)] = text[:, None]
                group.create_dataset("Metadata", data=column, chunks=(60000, 1))


@pytest.mark.parametrize("frames", [1, 7])
@pytest.mark.parametrize("size", ["2.5e-10", None])
def test_frames_last_are_frames(tmp_path, frames, size):
    write(tmp_path / "a" / "x.emd", IMAGES[:frames], size=size)
    with open_image_stack(tmp_path / "a" / "x.emd") as stack:
        assert stack.shape == (frames, 6, 5)
        np.testing.assert_array_equal(stack[:], IMAGES[:frames])
        np.testing.assert_array_equal(stack[[0]], IMAGES[[0]])
    bunch = load_image_folder(tmp_path, page="all")
    np.testing.assert_array_equal(bunch.images, IMAGES[:frames])
    if size is None:
        assert bunch.pixel_size is None
    else:
        np.testing.assert_allclose(bunch.pixel_size, 0.25)
        assert set(bunch.pixel_size_source) == {"EMD metadata (Velox)"}


def test_several_detectors_are_several_images(tmp_path):
    write(tmp_path / "x.emd", IMAGES[:1], IMAGES[1:2])
    with pytest.raises(ValueError, match=r"2 images of 6×5 uint16.+page=0 to 1"):
        read_image(tmp_path / "x.emd")
    np.testing.assert_array_equal(read_image(tmp_path / "x.emd", page=1), IMAGES[1])


def test_no_image(tmp_path):
    write(tmp_path / "x.emd", IMAGES.astype(np.complex64))
    with pytest.raises(
        ValueError, match=r"x\.emd.+spectra or transforms, and no image"
    ):
        open_image_stack(tmp_path / "x.emd")
