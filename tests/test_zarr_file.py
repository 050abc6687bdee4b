"""Zarr arrays and OME-Zarr as files of images."""

import numpy as np
import pytest

from emclassify import load_image_folder, open_image_stack

zarr = pytest.importorskip("zarr")

IMAGES = np.random.default_rng(0).integers(0, 60000, (7, 6, 5), np.uint16)


def write(path, images, **options):
    array = zarr.create_array(
        store=str(path), shape=images.shape, dtype=images.dtype, **options
    )
    array[:] = images


def test_an_array_with_named_dimensions(tmp_path):
    path = tmp_path / "a" / "x.zarr"
    write(path, np.moveaxis(IMAGES, 0, -1), dimension_names=["y", "x", "t"])
    with open_image_stack(path) as stack:
        assert (stack.shape, stack.dtype) == (IMAGES.shape, IMAGES.dtype)
        np.testing.assert_array_equal(stack[[6, 0]], IMAGES[[6, 0]])
    bunch = load_image_folder(tmp_path, page="all")
    np.testing.assert_array_equal(bunch.images, IMAGES)


def test_axes_are_asked_for(tmp_path):
    write(tmp_path / "x.zarr", IMAGES)
    with pytest.raises(ValueError, match=r"x\.zarr.+\(7, 6, 5\).+axes"):
        open_image_stack(tmp_path / "x.zarr")
    with open_image_stack(tmp_path / "x.zarr", axes="nyx") as stack:
        np.testing.assert_array_equal(stack[2:4], IMAGES[2:4])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path, version):
    path = tmp_path / "x.zarr"
    images = np.stack([IMAGES, IMAGES[::-1]], axis=1)
    root = zarr.open_group(
        str(path), mode="w", zarr_format=2 if version == "0.4" else 3
    )
    root.create_array("0", shape=images.shape, dtype=images.dtype)[:] = images
    root.create_array("1", shape=(7, 2, 3, 2), dtype=images.dtype)
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
    scales = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1, 1, 0.005 * 2**level, 0.005 * 2**level]}
            ],
        }
        for level in range(2)
    ]
    stated = {"multiscales": [{"axes": axes, "datasets": scales}]}
    root.attrs.update(stated if version == "0.4" else {"ome": stated})
    with open_image_stack(path) as stack:
        assert stack.shape == (7, 6, 5, 2)
        np.testing.assert_array_equal(stack[:], np.moveaxis(images, 1, -1))
        assert stack.pixel_size == pytest.approx(5)
        assert stack.pixel_size_source == "OME-Zarr metadata"


def test_a_group_that_is_no_ome_zarr_lists_its_arrays(tmp_path):
    root = zarr.open_group(str(tmp_path / "x.zarr"), mode="w")
    root.create_array("raw", shape=IMAGES.shape, dtype=IMAGES.dtype)[:] = IMAGES
    with pytest.raises(
        ValueError, match=r"say which one with dataset=..., one of raw \(7, 6, 5\)"
    ):
        open_image_stack(tmp_path / "x.zarr")
    with open_image_stack(tmp_path / "x.zarr", "raw", axes="nyx") as stack:
        np.testing.assert_array_equal(stack[:], IMAGES)


def test_a_single_array_has_no_data_sets(tmp_path):
    write(tmp_path / "x.zarr", IMAGES)
    words = r"dataset='nonsense' is not in it; it is one array"
    with pytest.raises(ValueError, match=words):
        open_image_stack(tmp_path / "x.zarr", "nonsense", axes="nyx")


def test_arrays_in_groups_are_found_and_listed(tmp_path):
    root = zarr.open_group(str(tmp_path / "x.zarr"), mode="w")
    below = root.create_group("sub/deeper")
    below.create_array("images", shape=IMAGES.shape, dtype=IMAGES.dtype)[:] = IMAGES
    root.create_array("line", shape=(7,), dtype=IMAGES.dtype)
    root.create_array("phases", shape=(6, 5), dtype=complex)
    there = r"sub/deeper/images \(7, 6, 5\)"
    for name, words in [
        (None, f"group of arrays, .+ one of {there}"),
        ("gone", f"dataset='gone' is not in it; it holds {there}"),
        ("sub", f"dataset='sub' is a group, not a data set; it holds {there}"),
        ("line", r"dataset='line' has shape \(7,\), which is no image"),
        ("phases", "dataset='phases' holds complex128, not real numbers"),
    ]:
        with pytest.raises(ValueError, match=words):
            open_image_stack(tmp_path / "x.zarr", name, axes="nyx")
    for name in ("sub/deeper/images", "/sub/deeper/images"):
        with open_image_stack(tmp_path / "x.zarr", name, axes="nyx") as stack:
            np.testing.assert_array_equal(stack[:], IMAGES)
