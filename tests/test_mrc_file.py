"""MRC, MRCS and MAP files."""

import sys
import tracemalloc

import numpy as np
import pytest

from emclassify import ResizeImages, load_image_folder, open_image_stack
from emclassify.readers import read_image

mrcfile = pytest.importorskip("mrcfile")

RNG = np.random.default_rng(0)


def stack_of(dtype, shape=(4, 6, 5)):
    if np.dtype(dtype).kind == "f":
        return RNG.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max, shape, dtype)


def write(path, images, size=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, **options) as file:
        file.set_data(images)
        if images.ndim == 3:
            file.set_image_stack()
        if size is not None:
            file.voxel_size = size


@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f4", "f2"])
@pytest.mark.parametrize("suffix", ["mrc", "mrcs", "map"])
def test_stacks_come_back_bit_for_bit(tmp_path, dtype, suffix):
    images = stack_of(dtype)
    path = tmp_path / "a" / f"x.{suffix}"
    write(path, images, 1.25)
    bunch = load_image_folder(tmp_path, page="all")
    assert bunch.images.dtype == images.dtype
    np.testing.assert_array_equal(bunch.images, images)
    np.testing.assert_allclose(bunch.pixel_size, 0.125, rtol=1e-6)
    assert set(bunch.pixel_size_source) == {"MRC header"}
    with open_image_stack(path) as stack:
        assert (stack.shape, stack.dtype) == (images.shape, images.dtype)
        np.testing.assert_array_equal(stack[[3, 1]], images[[3, 1]])
        assert stack.pixel_size == pytest.approx(0.125)
        assert stack.pixel_size_source == "MRC header"


def test_one_micrograph(tmp_path):
    image = stack_of("f4", (6, 5))
    write(tmp_path / "x.mrc", image)
    np.testing.assert_array_equal(read_image(tmp_path / "x.mrc"), image)


def test_big_endian(tmp_path):
    images = stack_of("i2")
    write(tmp_path / "x.mrc", images.astype(">i2"))
    assert (tmp_path / "x.mrc").read_bytes()[212:214] == b"\x11\x11"
    with open_image_stack(tmp_path / "x.mrc") as stack:
        assert stack.dtype == np.int16
        assert stack.dtype.isnative
        np.testing.assert_array_equal(stack[:], images)


def test_imods_unsigned_bytes(tmp_path):
    images = RNG.integers(0, 255, (2, 6, 5), np.uint8)
    write(tmp_path / "x.mrc", images.view(np.int8))
    with mrcfile.open(tmp_path / "x.mrc", "r+") as file:
        assert file.header.mode == 0
    data = bytearray((tmp_path / "x.mrc").read_bytes())
    data[152:156] = (1146047817).to_bytes(4, "little")
    (tmp_path / "x.mrc").write_bytes(data)
    with open_image_stack(tmp_path / "x.mrc") as stack:
        np.testing.assert_array_equal(stack[:], images)


def test_a_file_without_its_name_is_read_by_its_suffix(tmp_path):
    images = stack_of("f4")
    path = tmp_path / "x.mrcs"
    write(path, images)
    data = bytearray(path.read_bytes())
    data[208:216] = bytes(8)
    path.write_bytes(data)
    with (
        pytest.warns(RuntimeWarning, match="Map ID string not found|machine stamp"),
        open_image_stack(path) as stack,
    ):
        np.testing.assert_array_equal(stack[:], images)


def test_a_stack_is_refused_where_one_image_is_asked_for(tmp_path):
    write(tmp_path / "a" / "x.mrcs", stack_of("f4"))
    with pytest.raises(ValueError, match=r"x\.mrcs.+4 images of 6×5 float32.+page=0"):
        load_image_folder(tmp_path)


def test_cut_short(tmp_path):
    path = tmp_path / "x.mrcs"
    write(path, stack_of("f4"))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match=r"x\.mrcs"):
        open_image_stack(path)


def test_transforms_are_no_images(tmp_path):
    with mrcfile.new(tmp_path / "x.mrc") as file:
        file.set_data(stack_of("f4", (6, 5)).astype("c8"))
    with pytest.raises(ValueError, match="complex numbers: a transform"):
        read_image(tmp_path / "x.mrc")


@pytest.mark.parametrize(
    ("size", "words", "known"),
    [
        (1.0, "exactly 1 Å", [0.1]),
        (
            (1.0, 2.0, 1.0),
            r"differs between rows and columns \(2 and 1 Å\)",
            [(0.2, 0.1)],
        ),
        ((-1.5, -1.5, 1.0), "taken as unknown", None),
        ((0.0, 0.0, 0.0), "taken as unknown", None),
    ],
)
def test_odd_pixel_sizes_are_warned_about(tmp_path, size, words, known):
    write(tmp_path / "a" / "x.mrc", stack_of("f4", (6, 5)))
    with mrcfile.open(tmp_path / "a" / "x.mrc", "r+") as file:
        x, y, z = np.broadcast_to(size, 3)
        file.header.cella.x, file.header.cella.y, file.header.cella.z = x * 5, y * 6, z
    with pytest.warns(UserWarning, match=rf"a/x\.mrc.+{words}"):
        found = load_image_folder(tmp_path).pixel_size
    if known is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, known, rtol=1e-6)


def test_without_mrcfile(tmp_path, monkeypatch):
    write(tmp_path / "a" / "x.mrc", stack_of("f4", (6, 5)))
    monkeypatch.setitem(sys.modules, "mrcfile", None)
    with pytest.raises(ImportError, match=r"x\.mrc.+pip install .emclassify\[mrc\]"):
        load_image_folder(tmp_path)


def test_a_stack_is_never_all_in_memory(tmp_path):
    path = tmp_path / "x.mrcs"
    images = RNG.normal(size=(512, 256, 256)).astype(np.float32)
    write(path, images)
    with open_image_stack(path) as stack:
        tracemalloc.start()
        top = ResizeImages((4, 4)).fit(stack).transform(stack)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        np.testing.assert_array_equal(stack[[200, 3, 4, 9]], images[[200, 3, 4, 9]])
        np.testing.assert_array_equal(stack[5:7, 2:9, ::2], images[5:7, 2:9, ::2])
    assert top.shape == (512, 4, 4)
    # The stack takes 128 MiB; parts of 32 MiB are read.
    assert peak < 80 * 2**20
