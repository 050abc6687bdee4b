"""Tests of load_image_folder: what is read, and what each fault says."""

import os
import re

import numpy as np
import pandas as pd
import pytest
import tifffile
from image_files import close
from PIL import Image
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from emclassify.readers import load_image_folder


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, array, **options)
    else:
        Image.fromarray(array).save(path, **options)


def pattern(shape=(6, 5), dtype=np.uint8, start=0):
    return (np.arange(np.prod(shape)) * 7 + start).reshape(shape).astype(dtype)


@pytest.fixture
def folder(tmp_path):
    """Two classes; names that sort differently by number and by letter."""
    for i, name in enumerate(["b/img10.png", "b/img2.png", "a/deep/img1.png"]):
        save(tmp_path / name, pattern(start=i))
    return tmp_path


@pytest.fixture
def table(folder):
    frame = pd.DataFrame(
        {
            "file": ["b/img10.png", "a/deep/img1.png", "b/img2.png"],
            "label": ["x", "y", "x"],
            "grid": [3, 1, 3],
        }
    )
    frame.to_csv(folder / "labels.csv", index=False)
    return frame


def test_class_folders(folder):
    bunch = load_image_folder(folder)
    assert isinstance(bunch, Bunch)
    assert bunch.filenames.tolist() == ["a/deep/img1.png", "b/img2.png", "b/img10.png"]
    assert bunch.target.tolist() == ["a", "b", "b"]
    assert bunch.target_names == ["a", "b"]
    assert bunch.groups is None
    assert bunch.errors.empty
    assert bunch.images.dtype == np.uint8
    expected = [pattern(start=i) for i in (2, 1, 0)]
    np.testing.assert_array_equal(bunch.images, expected)
    assert "a 1, b 2" in bunch.DESCR
    assert "6×5" in bunch.DESCR


def test_str_and_path_and_x_y(folder):
    images, target = load_image_folder(str(folder), return_X_y=True)
    bunch = load_image_folder(folder)
    np.testing.assert_array_equal(images, bunch.images)
    np.testing.assert_array_equal(target, bunch.target)


def test_threads_change_nothing(folder, capsys):
    one, two = load_image_folder(folder), load_image_folder(folder, n_jobs=2, verbose=1)
    np.testing.assert_array_equal(one.images, two.images)
    assert "3/3" in capsys.readouterr().err


def test_hidden_and_unknown_files_are_ignored(folder):
    (folder / "a" / "notes.txt").write_text("no image")
    (folder / "a" / ".DS_Store").write_bytes(b"x")
    (folder / "Thumbs.db").write_bytes(b"x")
    save(folder / "a" / "._img1.png", pattern())
    save(folder / ".cache" / "img.png", pattern())
    with pytest.warns(UserWarning, match=r"1 files? .* passed over: 1 \.txt"):
        bunch = load_image_folder(folder)
    assert len(bunch.images) == 3


def test_upper_case_suffix(folder):
    save(folder / "a" / "IMG.PNG", pattern())
    assert len(load_image_folder(folder).images) == 4


def test_links_to_folders_are_followed_once(folder):
    (folder / "a" / "loop").symlink_to(folder)
    (folder / "c").symlink_to(folder / "a" / "deep")
    assert len(load_image_folder(folder).images) == 3


@pytest.mark.parametrize(
    "where", ["labels.csv", "absolute", "DataFrame", "beside another folder"]
)
def test_table(folder, table, tmp_path_factory, where):
    path, labels = folder, "labels.csv"
    if where == "absolute":
        labels = folder / "labels.csv"
    elif where == "DataFrame":
        labels = table
    elif where == "beside another folder":
        path, labels = tmp_path_factory.mktemp("other"), folder / "labels.csv"
    bunch = load_image_folder(path, labels=labels, group_column="grid")
    assert bunch.filenames.tolist() == table["file"].tolist()
    assert bunch.target.tolist() == ["x", "y", "x"]
    # What a CSV file holds is text.
    groups = [3, 1, 3] if where == "DataFrame" else ["3", "1", "3"]
    assert bunch.groups.tolist() == groups
    expected = [pattern(start=i) for i in (0, 2, 1)]
    np.testing.assert_array_equal(bunch.images, expected)


def test_other_columns_and_numeric_labels(folder, table):
    renamed = table.rename(columns={"file": "name", "grid": "grade"})
    bunch = load_image_folder(
        folder, labels=renamed, file_column="name", label_column="grade"
    )
    assert bunch.target.dtype.kind == "i"
    assert bunch.target_names == ["1", "3"]


def test_class_called_na(folder, table):
    table.assign(label=["NA", "null", "NA"]).to_csv(folder / "l.csv", index=False)
    assert load_image_folder(folder, labels="l.csv").target_names == ["NA", "null"]


def test_sizes_that_differ_make_an_object_array(folder):
    save(folder / "b" / "wide.png", pattern((3, 9)))
    bunch = load_image_folder(folder)
    assert bunch.images.dtype == object
    assert bunch.images.shape == (4,)
    assert bunch.images[-1].shape == (3, 9)
    assert "different sizes" in bunch.DESCR
    with pytest.raises(
        ValueError, match=r"wide\.png .* size is \(3, 9\), not image_sh"
    ):
        load_image_folder(folder, image_shape=(6, 5))
    with pytest.warns(UserWarning, match="1 of 4 files"):
        bunch = load_image_folder(folder, image_shape=(6, 5), on_error="skip")
    assert bunch.images.shape == (3, 6, 5)


def damage_text(path):
    path.write_text("this is no image")


def damage_empty(path):
    path.write_bytes(b"")


def damage_truncated(path):
    Image.fromarray(pattern((64, 64))).save(path)
    path.write_bytes(path.read_bytes()[:-200])


def damage_checksum(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def damage_missing(path):
    path.unlink()


DAMAGES = [damage_text, damage_empty, damage_truncated, damage_checksum]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("damage", [*DAMAGES, damage_missing])
def test_damaged_files(folder, table, damage, n_jobs):
    damage(folder / "a/deep/img1.png")
    kind = FileNotFoundError if damage is damage_missing else ValueError
    with pytest.raises(kind, match=r"img1\.png cannot be read as an image: .*skip"):
        load_image_folder(folder, labels="labels.csv", n_jobs=n_jobs)
    with pytest.warns(UserWarning, match=r"1 of 3 files were left out: a/deep/img1"):
        bunch = load_image_folder(
            folder,
            labels="labels.csv",
            group_column="grid",
            on_error="skip",
            n_jobs=n_jobs,
        )
    assert bunch.filenames.tolist() == ["b/img10.png", "b/img2.png"]
    assert bunch.groups.tolist() == ["3", "3"]
    assert bunch.target_names == ["x"]
    assert bunch.errors["file"].tolist() == ["a/deep/img1.png"]
    assert bunch.errors["reason"].str.len().min() > 5


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
@pytest.mark.parametrize("damage", [damage_text, damage_empty, "half"])
def test_damaged_jpeg_and_tiff(tmp_path, suffix, damage):
    path = tmp_path / "a" / f"x{suffix}"
    save(path, np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8))
    if damage == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        damage(path)
    with pytest.raises(ValueError, match=rf"x\{suffix} cannot be read"):
        load_image_folder(tmp_path)


def test_no_image_can_be_read(folder):
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="None of the 3 images"):
        load_image_folder(folder, on_error="skip")


def test_many_skipped_are_counted_not_all_named(tmp_path):
    save(tmp_path / "a" / "good.png", pattern())
    for i in range(5):
        (tmp_path / "a" / f"bad{i}.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"5 of 6 .*bad2\.png.* and 2 more\. All are"):
        bunch = load_image_folder(tmp_path, on_error="skip")
    assert len(bunch.errors) == 5


def test_types_that_differ_are_refused(folder):
    save(folder / "b" / "z.png", pattern(dtype=np.uint16))
    with pytest.raises(ValueError, match=r"img1\.png is uint8, b/z\.png is uint16"):
        load_image_folder(folder)


def test_missing_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_image_folder(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_image_folder(tmp_path / "file")
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        load_image_folder(tmp_path, labels="nothing.csv")


def test_no_images(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("x")
    with pytest.raises(ValueError, match=r"holds no images.*\.png"):
        load_image_folder(tmp_path)


def test_images_without_a_class(folder):
    save(folder / "loose.png", pattern())
    with pytest.raises(ValueError, match=r"1 images outside class.*loose\.png"):
        load_image_folder(folder)


def test_faulty_tables(folder, table):
    with pytest.raises(ValueError, match=r"no column 'kind' \(label_column\).*'grid'"):
        load_image_folder(folder, labels=table, label_column="kind")
    with pytest.raises(ValueError, match=r"no column 'donor' \(group_column\)"):
        load_image_folder(folder, labels="labels.csv", group_column="donor")
    for column in ("file", "label", "grid"):
        holes = table.astype(object)
        holes.loc[1, column] = None
        holes.to_csv(folder / "holes.csv", index=False)
        for labels in (holes, "holes.csv"):
            with pytest.raises(ValueError, match=f"no '{column}' in row 2"):
                load_image_folder(folder, labels=labels, group_column="grid")
    with pytest.raises(ValueError, match="no rows"):
        load_image_folder(folder, labels=table.iloc[:0])
    twice = pd.concat([table, table.iloc[[1]]])
    twice.iloc[3, 0] = "a/../a/deep/img1.png"
    with pytest.raises(ValueError, match=r"more than once.*rows 2 and 4"):
        load_image_folder(folder, labels=twice)
    (folder / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"empty\.csv cannot be read as a CSV"):
        load_image_folder(folder, labels="empty.csv")
    (folder / "binary.csv").write_bytes(bytes(range(128, 256)))
    with pytest.raises(ValueError, match=r"binary\.csv cannot be read as a CSV"):
        load_image_folder(folder, labels="binary.csv")
    with pytest.raises(ValueError, match="labels is None"):
        load_image_folder(folder, group_column="grid")


@pytest.mark.parametrize(
    "parameters",
    [
        {"on_error": "ignore"},
        {"labels": 3},
        {"n_jobs": 1.5},
        {"image_shape": (3,)},
        {"image_shape": (0, 3)},
        {"image_shape": (2.5, 3)},
        {"as_gray": "yes"},
    ],
)
def test_parameters(folder, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        load_image_folder(folder, **parameters)


@pytest.mark.real_data
def test_serial_section_tem(shared_data):
    bunch = load_image_folder(
        shared_data / "vnc_sstem", labels="labels.csv", group_column="group"
    )
    assert bunch.images.shape == (6426, 64, 64)
    assert bunch.images.dtype == np.uint8
    names, counts = np.unique(bunch.target, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "cytoplasm": 2400,
        "glia_extracellular": 599,
        "membrane": 2000,
        "mitochondria": 1184,
        "synapse": 243,
    }
    assert len(set(bunch.groups)) == 16
    with Image.open(shared_data / "vnc_sstem" / bunch.filenames[4321]) as image:
        np.testing.assert_array_equal(bunch.images[4321], np.asarray(image))


@pytest.mark.real_data
def test_solar_cells(shared_data):
    images, target = load_image_folder(
        shared_data / "elpv", labels="labels.csv", return_X_y=True, n_jobs=2
    )
    assert images.shape == (2624, 150, 150)
    assert set(target) == {"defective", "functional"}


def test_litter_of_archives_is_no_class(folder):
    for litter in ("__MACOSX", "@eaDir", ".cache"):
        save(folder / litter / "img.png", pattern())
    (folder / "a" / "Thumbs.db").write_bytes(b"x")
    save(folder / "a" / "@eaDir" / "img.png", pattern())
    bunch = load_image_folder(folder)
    assert bunch.target_names == ["a", "b"]
    assert len(bunch.images) == 3


def test_files_passed_over_are_counted_by_suffix(folder):
    for name in ("1.czi", "2.czi", "notes.txt", "README"):
        (folder / "a" / name).write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"4 files .+: 2 \.czi, 1 \.txt, 1 no suffix"):
        load_image_folder(folder)


def test_a_class_that_has_no_image_is_named(folder):
    (folder / "c").mkdir()
    with pytest.warns(UserWarning, match=r"No image in c of .+ no such class"):
        assert load_image_folder(folder).target_names == ["a", "b"]


def test_labels_and_groups_of_a_csv_table_are_text(folder):
    files = ["a/deep/img1.png", "b/img2.png", "b/img10.png"]
    labels, wells = ["01", "1", "1e0"], ["1E2", "10E1", "100"]
    table = pd.DataFrame({"file": files, "label": labels, "well": wells})
    table.to_csv(folder / "labels.csv", index=False)
    bunch = load_image_folder(folder, labels="labels.csv", group_column="well")
    assert bunch.target.tolist() == labels
    assert bunch.groups.tolist() == wells


def test_no_memory_is_an_error_of_the_file(folder, monkeypatch):
    from emclassify.readers import _image_folder

    read = _image_folder.read_images

    def small(path, **options):
        if path.name == "img2.png":
            raise MemoryError
        return read(path, **options)

    monkeypatch.setattr(_image_folder, "read_images", small)
    with pytest.raises(ValueError, match=r"img2\.png.+more memory than there is"):
        load_image_folder(folder)
    with pytest.warns(UserWarning, match=r"img2\.png .+more memory than there is"):
        bunch = load_image_folder(folder, on_error="skip")
    assert len(bunch.images) == 2


def stacks_of_pages(folder, n_files, n_pages=4):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for i in range(n_files):
            pages = rng.integers(0, 99, (n_pages, 12, 12), dtype=np.uint8)
            pages[:, :6] += np.uint8(100 * (name == "b"))
            tifffile.imwrite(
                folder / name / f"s{i}.tif", pages, photometric="minisblack"
            )


def test_images_of_one_file_are_one_group(tmp_path):
    stacks_of_pages(tmp_path, 2)
    data = load_image_folder(tmp_path, page="all")
    assert (
        data.groups.tolist()
        == np.repeat(["a/s0.tif", "a/s1.tif", "b/s0.tif", "b/s1.tif"], 4).tolist()
    )
    for train, test in GroupKFold(2).split(data.images, data.target, data.groups):
        assert not set(data.filenames[train]) & set(data.filenames[test])
    assert load_image_folder(tmp_path, page="all", group_pages=False).groups is None
    assert load_image_folder(tmp_path, page=1).groups is None
    table = pd.DataFrame(
        {"file": ["a/s0.tif", "b/s1.tif"], "label": ["a", "b"], "grid": ["g", "g"]}
    )
    given = load_image_folder(tmp_path, labels=table, group_column="grid", page="all")
    assert given.groups.tolist() == ["g"] * 8
    listed = load_image_folder(tmp_path, labels=table, page="all")
    assert listed.groups.tolist() == ["a/s0.tif"] * 4 + ["b/s1.tif"] * 4


def test_files_of_one_image_are_no_groups(tmp_path):
    stacks_of_pages(tmp_path, 3, n_pages=1)
    assert load_image_folder(tmp_path, page="all").groups is None


def test_the_command_line_keeps_files_whole(tmp_path, capsys):
    from emclassify.cli import main

    stacks_of_pages(tmp_path / "one", 1)
    out = str(tmp_path / "report.html")
    command = ["--page", "all", "--models", "svm", "--quiet", "--out", out]
    assert main(["benchmark", str(tmp_path / "one"), "--cv", "2", *command]) == 2
    said = capsys.readouterr().err
    assert "class a has 1 of 2 files: too few for 2 folds" in said
    assert "pass --no-group-pages" in said
    command += ["--cv", "2"]
    assert main(["benchmark", str(tmp_path / "one"), "--no-group-pages", *command]) == 0
    stacks_of_pages(tmp_path / "two", 2)
    assert main(["benchmark", str(tmp_path / "two"), *command]) == 0
    assert "in 4 groups" in (tmp_path / "report.html").read_text("utf-8")


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    from emclassify import predict_folder, svm_baseline
    from emclassify.review._folder_images import read_folder

    for name in ("dim/grid1", "dim/grid2", "bright/grid1"):
        (tmp_path / name).mkdir(parents=True)
        Image.fromarray(np.full((8, 8), len(name), np.uint8)).save(
            tmp_path / name / "x.png"
        )
    images = np.zeros((4, 8, 8), np.uint8)
    images[2:] = 9
    svm = svm_baseline(features=["histogram"]).fit(images, [0, 0, 1, 1])
    with monkeypatch.context() as patch:
        close(patch, tmp_path)
        with pytest.raises(
            PermissionError, match=rf"{tmp_path.name} can't be read: Per"
        ):
            load_image_folder(tmp_path, on_error="skip")
    with monkeypatch.context() as patch:
        close(patch, tmp_path / "dim", tmp_path / "bright")
        # Nothing is left to go on with.
        with pytest.raises(
            PermissionError, match=r"bright: the folder can.t be read: Perm"
        ):
            load_image_folder(tmp_path, on_error="skip")
    close(monkeypatch, tmp_path / "dim" / "grid2")
    with pytest.raises(PermissionError, match=r"grid2 can't be read: Permission den"):
        load_image_folder(tmp_path)
    with pytest.warns(UserWarning, match=r"1 of 3 files were left out: dim/grid2/"):
        bunch = load_image_folder(tmp_path, on_error="skip")
    assert bunch.filenames.tolist() == ["bright/grid1/x.png", "dim/grid1/x.png"]
    assert bunch.errors.to_numpy().tolist() == [
        ["dim/grid2/", "the folder can't be read: Permission denied"]
    ]
    with pytest.raises(ValueError, match=r"grid2 can't be predicted: the folder can't"):
        predict_folder(svm, tmp_path, tmp_path / "t.csv")
    with pytest.warns(UserWarning, match=r"dim/grid2 was left out: the folder can't"):
        n = predict_folder(svm, tmp_path, tmp_path / "t.csv", on_error="skip")
    assert n == 2
    with pytest.warns(UserWarning, match=r"dim/grid2.* was left out: the folder can't"):
        folder = read_folder(tmp_path)
    assert folder.files == bunch.filenames.tolist()


def test_files_of_a_table_that_nobody_may_look_at(tmp_path, monkeypatch):
    images = np.arange(2 * 64, dtype=np.uint8).reshape(2, 8, 8)
    for name, image in zip(("open", "closed"), images, strict=True):
        (tmp_path / name).mkdir()
        Image.fromarray(image).save(tmp_path / name / "x.png")
    (tmp_path / "open" / "loop.png").symlink_to("loop.png")
    (tmp_path / "open" / "nowhere.png").symlink_to("moved.png")
    files = ["open/x.png", "closed/x.png", "open/loop.png", "open/nowhere.png"]
    reasons = {
        "closed/x.png": "Permission denied",
        "open/loop.png": "Too many levels of symbolic links",
        "open/nowhere.png": "no such file",
        "y" * 300: "File name too long",
    }
    table = pd.DataFrame({"file": [*files, "y" * 300], "label": "a"})
    close(monkeypatch, tmp_path / "closed")
    with pytest.raises(
        ValueError, match=r"closed/x\.png cannot be .+ Permission denied"
    ):
        load_image_folder(tmp_path, labels=table)
    with pytest.warns(UserWarning, match="4 of 5 files were left out"):
        bunch = load_image_folder(tmp_path, labels=table, on_error="skip")
    np.testing.assert_array_equal(bunch.images, images[:1])
    assert dict(bunch.errors.to_numpy().tolist()) == reasons


def test_a_class_that_is_a_link_to_nothing(tmp_path):
    (tmp_path / "full").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "full" / "x.png")
    (tmp_path / "empty").symlink_to(tmp_path / "not mounted")
    with pytest.warns(UserWarning, match=r"No image in empty of .+no such class"):
        load_image_folder(tmp_path)


def test_a_name_that_is_not_utf_8(tmp_path):
    from emclassify import predict_folder, svm_baseline

    images = np.zeros((4, 8, 8), np.uint8)
    images[2:] = 9
    (tmp_path / "a").mkdir()
    for name in (b"x.png", b"caf\xe9.png"):
        Image.fromarray(images[0]).save(tmp_path / "a" / "y.png")
        try:
            os.rename(tmp_path / "a" / "y.png", os.fsencode(tmp_path) + b"/a/" + name)
        except OSError:
            pytest.skip("this file system takes no such name")
    shown, reason = r"a/caf\xe9.png", "its name is not UTF-8: rename it"
    with pytest.raises(
        ValueError, match=rf"{re.escape(shown)} can't be read: {reason}"
    ):
        load_image_folder(tmp_path)
    with pytest.warns(UserWarning, match="1 of 2 files were left out"):
        bunch = load_image_folder(tmp_path, on_error="skip")
    assert bunch.filenames.tolist() == ["a/x.png"]
    assert bunch.errors.to_numpy().tolist() == [[shown, reason]]
    svm = svm_baseline(features=["histogram"]).fit(images, [0, 0, 1, 1])
    table = tmp_path / "t.csv"
    with pytest.warns(UserWarning, match=rf"{re.escape(shown)} was left out: {reason}"):
        assert predict_folder(svm, tmp_path, table, on_error="skip") == 1
