"""fetch_nerve_cord: the cut against patches by hand, and against those in shared/."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from nerve_cord_stand_in import write_stack
from numpy.testing import assert_array_equal
from PIL import Image

from emclassify.datasets import fetch_nerve_cord
from emclassify.datasets.neurons import _nerve_cord
from emclassify.datasets.neurons._nerve_cord import cut_patches


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A simulated stack of two sections as what can be downloaded."""
    folder = tmp_path / "served"
    monkeypatch.setattr(_nerve_cord, "FILES", write_stack(folder, n_sections=2))
    monkeypatch.setattr(_nerve_cord, "URL", folder.as_uri())
    return folder


def test_patches_are_cut_where_they_belong(served, tmp_path):
    cord = fetch_nerve_cord(data_home=tmp_path / "home", patch_size=64, verbose=0)
    assert cord.images.shape == (2 * 64, 64, 64)
    assert cord.images.dtype == np.uint8
    assert (
        set(cord.target)
        <= set(cord.target_names)
        == {*("cytoplasm", "glia_extracellular", "membrane", "mitochondria", "synapse")}
    )
    raw = np.asarray(Image.open(served / "stack1" / "raw" / "01.tif"))
    labels = np.asarray(Image.open(served / "stack1" / "labels" / "labels00000001.png"))
    # Section 1, third row of patches, sixth column: the second of two blocks across.
    i = 64 + 2 * 8 + 5
    assert_array_equal(cord.images[i], raw[128:192, 320:384])
    assert cord.frame.loc[i].to_list()[1:] == ["block01", 1, 160, 352]
    assert cord.target[i] == _nerve_cord._CLASS_OF[int(labels[160, 352])]
    assert cord.groups[i] == "block01"
    assert sorted(set(cord.groups)) == ["block00", "block01", "block02", "block03"]
    assert cord.pixel_size == 4.6
    assert "CC BY-NC-SA" in cord.DESCR
    X, y = fetch_nerve_cord(data_home=tmp_path / "home", return_X_y=True)
    assert_array_equal(X, cord.images)
    assert_array_equal(y, cord.target)


@pytest.mark.parametrize(
    ("size", "step", "n"), [(256, 1, 1), (200, 50, 4), (1, 255, 4)]
)
def test_patches_lie_in_one_block(served, tmp_path, size, step, n):
    cord = fetch_nerve_cord(
        patch_size=size, step=step, data_home=tmp_path / "home", verbose=0
    )
    assert len(cord.images) == 2 * 4 * n
    first = cord.frame[["row", "column"]] - size // 2
    assert_array_equal(first // 256, (first + size - 1) // 256)


def test_classes_by_hand():
    classes = np.full((256, 256), 255, np.uint8)
    values = [0, 32, 64, 96, 128, 159, 191, 223]
    classes[10, 10:18] = values
    corners = np.full(9, 8), np.arange(8, 17)
    image = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    patches, frame = cut_patches(image, classes, 4, *corners)
    assert frame["target"].to_list() == [
        *["membrane"] * 5,
        *("glia_extracellular", "mitochondria", "synapse", "cytoplasm"),
    ]
    assert_array_equal(patches[3], image[8:12, 11:15])
    classes[10, 12] = 7
    with pytest.raises(ValueError, match="hold 7, which means no class"):
        cut_patches(image, classes, 4, *corners)


def test_what_is_missing_or_damaged_is_named(served, tmp_path):
    home = tmp_path / "home"
    with pytest.raises(OSError, match=r"4 of 4 files .*nerve_cord.*if_missing"):
        fetch_nerve_cord(data_home=home, download_if_missing=False)
    (served / "stack1" / "raw" / "01.tif").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"01\.tif is another .*SHA-256 is .*Delete"):
        fetch_nerve_cord(data_home=home, verbose=0)
    (served / "stack1" / "raw" / "01.tif").unlink()
    (home / "nerve_cord" / "stack1" / "raw" / "01.tif").unlink()
    with pytest.raises(OSError, match=r"01\.tif can't be reached"):
        fetch_nerve_cord(data_home=home, verbose=0)


@pytest.mark.parametrize("bad", [{"patch_size": 257}, {"step": 0}, {"verbose": "x"}])
def test_bad_parameters_are_refused(served, bad):
    with pytest.raises(ValueError, match=f"'{next(iter(bad))}'"):
        fetch_nerve_cord(**bad)


def test_known_files_are_those_of_twenty_sections():
    assert len(_nerve_cord.FILES) == len(set(_nerve_cord.FILES.values())) == 40
    assert {len(sha256) for sha256 in _nerve_cord.FILES.values()} == {
        hashlib.sha256().digest_size * 2
    }


@pytest.mark.real_data
def test_it_gives_the_patches_that_others_have_cut(shared_data):
    # Those in shared/ were cut elsewhere, at random places. Each is found in the stack,
    # and cut there it has the same pixels, class and block.
    try:
        fetch_nerve_cord(patch_size=256, step=256, download_if_missing=False)
    except OSError as error:
        pytest.skip(f"the stack is not here: {error}")
    folder = _nerve_cord.Path(_nerve_cord.get_data_home()) / "nerve_cord" / "stack1"
    table = pd.read_csv(shared_data / "vnc_sstem" / "labels.csv")
    for section in [19]:  # all 20 did when this was written
        image = np.asarray(Image.open(folder / "raw" / f"{section:02d}.tif"))
        classes = np.asarray(Image.open(folder / "labels" / f"labels{section:08d}.png"))
        starts = np.lib.stride_tricks.sliding_window_view(image, 12, axis=1)
        places = {}
        for place, start in zip(
            np.ndindex(starts.shape[:2]), starts.reshape(-1, 12), strict=True
        ):
            places.setdefault(start.tobytes(), []).append(place)
        for row in table[table["section"] == section].itertuples():
            patch = np.asarray(Image.open(shared_data / "vnc_sstem" / row.file))
            (found,) = (
                (top, left)
                for top, left in places[patch[0, :12].tobytes()]
                if np.array_equal(image[top : top + 64, left : left + 64], patch)
            )
            cut, frame = cut_patches(image, classes, 64, *np.reshape(found, (2, 1)))
            assert_array_equal(cut[0], patch)
            assert frame.loc[0, ["target", "group"]].to_list() == [row.label, row.group]
