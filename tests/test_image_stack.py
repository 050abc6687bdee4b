"""open_image_stack: patterns in HDF5 and CXI files, read when they are asked for."""

import pickle
import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest
import tifffile
from sklearn.model_selection import KFold, cross_val_predict

from emclassify import CenterCrop, LipNetClassifier, PixelStandardizer, open_image_stack
from emclassify.readers import read_image

N = 30
PATTERNS = np.random.default_rng(0).integers(0, 999, (N, 9, 8)).astype(np.uint16)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file as the CXI data bank has it: data_1/data is a link."""
    path = tmp_path_factory.mktemp("run") / "run7.cxi"
    with h5py.File(path, "w") as file:
        file["entry_1/image_1/data"] = PATTERNS
        file["entry_1/data_1/data"] = h5py.SoftLink("/entry_1/image_1/data")
        file["entry_1/data_1/gone"] = h5py.SoftLink("/nowhere")
        file["entry_1/mask"] = PATTERNS[0]
        file["entry_1/phases"] = PATTERNS.astype(complex)
        file.create_dataset("packed", data=PATTERNS, chunks=(7, 9, 8), compression=4)
    return path


@pytest.mark.parametrize(
    "key",
    [
        (..., 0),
        (..., slice(2), 3),
        (4, ..., 0),
        (slice(2, 9), ..., 1),
        ([5, 2], ..., slice(3)),
        (slice(None), 2, ...),
        ...,
        (...,),
        (),
    ],
)
@pytest.mark.parametrize("axes", ["nyx", "ynx"])
def test_an_ellipsis_stands_for_the_axes_between(path, key, axes):
    with open_image_stack(path, "packed", axes=axes) as stack:
        images = np.moveaxis(PATTERNS, axes.index("n"), 0)
        np.testing.assert_array_equal(stack[key], images[key])
        with pytest.raises(IndexError, match="one ellipsis"):
            stack[..., 0, ...]
        with pytest.raises((IndexError, TypeError, ValueError)):
            stack[..., 0, 0, 0, 0]


@pytest.mark.parametrize("kind", ["x.h5", "x.zarr", "x.tif"])
def test_black_and_white_are_0_and_255_by_every_door(tmp_path, kind):
    images = PATTERNS[:3] > 500
    file = tmp_path / kind
    if kind == "x.h5":
        with h5py.File(file, "w") as root:
            root["data"] = images
    elif kind == "x.zarr":
        pytest.importorskip("zarr").save_array(file, images)
    else:
        tifffile.imwrite(file, images, photometric="minisblack")
    axes = {"axes": "nyx"} if kind != "x.tif" else {}
    expected = images * np.uint8(255)
    with open_image_stack(file, **axes) as stack:
        assert stack.dtype == stack[1:].dtype == np.uint8
        np.testing.assert_array_equal(stack[:], expected)
        np.testing.assert_array_equal(stack[[2, 0]], expected[[2, 0]])
    for page in range(3):
        read = read_image(file, page=page, **axes)
        np.testing.assert_array_equal(read, expected[page])


@pytest.mark.parametrize(
    "rows",
    [
        4,
        np.int64(-1),
        slice(3, 9),
        slice(None, None, -7),
        [5, 3, 3, 29, 0],
        np.array([-1, 2]),
        np.arange(N) % 3 == 1,
        np.arange(0),
        ...,
        (slice(2), 4),
        ([7, 1], slice(None), 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("dataset", ["/entry_1/data_1/data", "packed"])
def test_indexed_as_an_array(path, rows, dataset):
    axes = "nyx" if dataset == "packed" else None
    with open_image_stack(path, dataset, axes=axes) as stack:
        np.testing.assert_array_equal(stack[rows], PATTERNS[rows])


def test_form(path):
    with open_image_stack(str(path)) as stack:
        assert (stack.shape, stack.ndim, len(stack)) == (PATTERNS.shape, 3, N)
        assert stack.dtype == np.uint16
        np.testing.assert_array_equal(list(stack), PATTERNS)
        assert "(30, 9, 8), uint16" in repr(stack)


def test_estimators_take_it(path):
    y = np.arange(N) % 2
    with open_image_stack(path) as stack:
        for transformer in (CenterCrop((3, 4)), PixelStandardizer()):
            np.testing.assert_array_equal(
                transformer.fit_transform(stack), transformer.fit_transform(PATTERNS)
            )
        network = LipNetClassifier(max_epochs=1, random_state=0)
        expected = network.fit(PATTERNS, y).predict_proba(PATTERNS)
        got = network.fit(stack, y).predict_proba(stack)
    np.testing.assert_array_equal(got, expected)


def test_cropped_without_all_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("emclassify.readers._stored_images._BYTES_PER_READ", 2**18)
    path = tmp_path / "large.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (200, 128, 128), np.uint16, chunks=(1, 128, 128))
    with open_image_stack(path, axes="nyx") as stack:
        cropper = CenterCrop((2, 128)).fit(stack)
        tracemalloc.start()
        cropper.transform(stack)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 2**21  # of 6.25 MiB


def test_cross_validation_takes_rows_in_any_order(path):
    y = np.arange(N) % 2
    network = LipNetClassifier(max_epochs=1, random_state=0)
    folds = KFold(2, shuffle=True, random_state=0)
    with open_image_stack(path) as stack:
        got = cross_val_predict(network, stack, y, cv=folds)
    expected = cross_val_predict(network, PATTERNS, y, cv=folds)
    np.testing.assert_array_equal(got, expected)


def test_pickle_opens_the_file_again(path):
    with open_image_stack(path) as stack:
        sent = pickle.dumps(stack)
    assert len(sent) < 1000
    with pickle.loads(sent) as arrived:
        np.testing.assert_array_equal(arrived[:], PATTERNS)


def test_closed(path, tmp_path):
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    stack = open_image_stack(copy)
    stack.close()
    with pytest.raises(ValueError, match=r"copy.h5 has been closed"):
        stack[0]
    with h5py.File(copy, "a"):  # nobody holds it
        pass


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("/entry_1/data", r"'/entry_1/data' is not in it"),
        ("/entry_1/data_1/gone", "is a link to nothing"),
        ("/entry_1/data_1", "is a group, not a data set"),
        ("/entry_1/phases", "holds complex128, not real numbers"),
    ],
)
def test_no_such_stack(path, dataset, message):
    with pytest.raises(ValueError, match=message) as caught:
        open_image_stack(path, dataset)
    text = str(caught.value)
    assert "run7.cxi" in text
    assert "it holds /entry_1/data_1/data (30, 9, 8), /entry_1/" in text
    assert "/entry_1/image_1/data (30, 9, 8)" in text


@pytest.mark.parametrize(
    ("dataset", "shape", "axes", "read"),
    [
        ("/entry_1/mask", r"\(9, 8\)", "yx", (1, 9, 8)),
        ("packed", r"\(30, 9, 8\)", "yxn", (8, 30, 9)),
    ],
)
def test_axes_that_nothing_tells_are_asked_for(path, dataset, shape, axes, read):
    with pytest.raises(ValueError, match=rf"{shape}.+ nothing .+ says which axes"):
        open_image_stack(path, dataset)
    with open_image_stack(path, dataset, axes=axes) as stack:
        assert stack.shape == read
    with pytest.raises(ValueError, match=r"run7.cxi.+axes='yc' does not fit"):
        open_image_stack(path, dataset, axes="yc")


def test_no_stack_at_all(tmp_path):
    path = tmp_path / "empty.h5"
    with h5py.File(path, "w"):
        pass
    with pytest.raises(ValueError, match=r"empty.h5 .+ it holds no data set of images"):
        open_image_stack(path)


def test_a_list_of_paths_is_told_of_it(path):
    with pytest.raises(ValueError, match=r"run7.cxi\) can't .*open_image_stack"):
        PixelStandardizer().fit([path])


def test_no_hdf5(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*gone.cxi"):
        open_image_stack(tmp_path / "gone.cxi")
    with pytest.raises(ValueError, match=r"a folder is of no format that is"):
        open_image_stack(tmp_path)
    text = tmp_path / "text.h5"
    text.write_text("no")
    with pytest.raises(
        ValueError, match=r"text.h5 .+ it is not an HDF5 file \(2 bytes\)"
    ):
        open_image_stack(text)


def test_cut_short(path, tmp_path):
    cut = tmp_path / "cut.h5"
    cut.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"cut.h5 can't be opened: .*cut short"):
        open_image_stack(cut)


def test_damaged_inside(path, tmp_path):
    with h5py.File(path) as file:
        place = file["packed"].id.get_chunk_info(1).byte_offset
    damaged = tmp_path / "damaged.h5"
    data = bytearray(path.read_bytes())
    data[place : place + 50] = bytes(50)
    damaged.write_bytes(data)
    with open_image_stack(damaged, "packed", axes="nyx") as stack:
        np.testing.assert_array_equal(stack[:7], PATTERNS[:7])
        with pytest.raises(ValueError, match=r"damaged.h5: images of /packed can't be"):
            stack[7]


def test_without_h5py(path):
    code = (
        "import sys; sys.modules['h5py'] = None\n"
        "from emclassify import open_image_stack\n"
        f"try: open_image_stack({str(path)!r})\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'pip install "emclassify[hdf5]"' in run.stdout


def test_pages_of_a_file_that_begins_with_a_thumbnail(tmp_path):
    images = np.random.default_rng(0).integers(0, 999, (4, 20, 30), dtype=np.uint16)
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(np.zeros((5, 6), np.uint8))
        for image in images:
            file.write(image, contiguous=False)
    with pytest.raises(ValueError, match=r"which are no stack; say .+ page=0 to 4"):
        open_image_stack(tmp_path / "x.tif")
    with open_image_stack(tmp_path / "x.tif", page=range(1, 5)) as stack:
        assert stack.shape == (4, 20, 30)
        np.testing.assert_array_equal(stack[:], images)
        again = pickle.loads(pickle.dumps(stack))
    with again:
        np.testing.assert_array_equal(again[[3, 0]], images[[3, 0]])
    with open_image_stack(tmp_path / "x.tif", page=3) as stack:
        np.testing.assert_array_equal(stack[:], images[2:3])
    with open_image_stack(tmp_path / "x.tif", page=[4, 2, 4]) as stack:
        np.testing.assert_array_equal(stack[:], images[[3, 1, 3]])
    with pytest.raises(ValueError, match="which are no stack"):
        open_image_stack(tmp_path / "x.tif", page=[0, 1])


@pytest.mark.parametrize(
    ("page", "words"),
    [(9, "page=9 is not in it"), ([], "page must be"), (["a"], "page must be")],
)
def test_pages_that_are_no_good(tmp_path, page, words):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((5, 8, 8), np.uint8))
    with pytest.raises(ValueError, match=words):
        open_image_stack(tmp_path / "x.tif", page=page)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_a_file_that_is_damaged_while_it_is_open_is_named(tmp_path, options):
    path = tmp_path / "x.tif"
    images = np.random.default_rng(0).integers(0, 99, (9, 32, 32), np.uint8)
    tifffile.imwrite(path, images, photometric="minisblack", **options)
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[8], images[8])
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size // 2)
        with pytest.raises(ValueError, match=r"x\.tif (can't be read:|was cut) "):
            stack[8]
        with pytest.raises(IndexError):
            stack[9]
