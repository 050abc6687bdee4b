"""load_particles and write_star: tables of every kind, edges, masks, and back."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import tifffile
from image_files import close

from emclassify import load_particles, write_star
from emclassify.preprocessing import ParticleCropper

RNG = np.random.default_rng(0)
# Micrographs in which each pixel is another.
MICROGRAPHS = {
    f"mic{i}.tif": RNG.permutation(60 * 80).reshape(60, 80).astype(np.uint16)
    for i in (1, 2)
}
# Centres (x, y), and what a box of 8 px round them is.
ROWS = [("mic1.tif", 20, 10), ("mic2.tif", 40, 30), ("mic1.tif", 70, 50)]
LABELS = ["full", "empty", "full"]
CUT = np.stack([MICROGRAPHS[m][y - 4 : y + 4, x - 4 : x + 4] for m, x, y in ROWS])


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "micrographs"
    folder.mkdir()
    for name, image in MICROGRAPHS.items():
        tifffile.imwrite(folder / name, image)
    return folder


def frame(rows=ROWS, **more):
    names, x, y = zip(*rows, strict=True)
    return pd.DataFrame({"micrograph": names, "x": x, "y": y, **more})


def check(data, labels=LABELS):
    np.testing.assert_array_equal(data.images, CUT)
    assert data.images.dtype == np.uint16
    assert data.groups.tolist() == [name for name, _, _ in ROWS]
    tops = [[y - 4, x - 4, 8, 8] for _, x, y in ROWS]
    assert data.boxes.tolist() == tops
    if labels is None:
        assert data.target is None
    else:
        assert data.target.tolist() == labels
        assert data.target_names == sorted(set(labels))


# Tables.


@pytest.mark.parametrize("kind", ["DataFrame", "csv"])
def test_centres(folder, tmp_path, kind):
    table = frame(label=LABELS)
    if kind == "csv":
        table.to_csv(tmp_path / "t.csv", index=False)
        table = tmp_path / "t.csv"
    check(load_particles(folder, table, box_size=8))
    check(load_particles(folder, table, box_size=8, label_column=None), None)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (frame()[:0], "particles can't be read as a table: it has no row"),
        (frame().drop(columns="y"), "particles can't be read as a table: it needs the"),
        (frame().assign(x=np.nan), "as a table: its row 1 has 'nan' as x"),
        (
            frame().rename(columns={"y": "x"}),
            "particles has more than one column 'x'",
        ),
    ],
)
def test_a_frame_that_is_no_table_of_particles(folder, table, message):
    with pytest.raises(ValueError, match=message):
        load_particles(folder, table, box_size=8)


def test_a_row_longer_than_the_header_shifts_nothing(folder, tmp_path):
    path = tmp_path / "mic1.csv"
    path.write_text("x,y\n20,10,\n70,50,\n")
    boxes = load_particles(folder, path, box_size=8).boxes
    assert boxes[:, :2].tolist() == [[6, 16], [46, 66]]
    path.write_text("x,y\n20,30,40\n")
    with pytest.raises(ValueError, match=r"mic1\.csv .+line 2 has 3 cells and the hea"):
        load_particles(folder, path, box_size=8)


@pytest.mark.parametrize("missing", ["", None, np.nan])
@pytest.mark.parametrize("labels", [["full", "empty"], [1, 2]])
@pytest.mark.parametrize("kind", ["DataFrame", "csv"])
def test_an_empty_label_is_no_class(folder, tmp_path, missing, labels, kind):
    table = frame(label=[labels[0], missing, labels[1]])
    if kind == "csv":
        table.to_csv(tmp_path / "t.csv", index=False)
        table = tmp_path / "t.csv"
    for column in ("auto", "label"):
        with pytest.raises(ValueError, match="has no 'label' in row 2 "):
            load_particles(folder, table, box_size=8, label_column=column)
    check(load_particles(folder, table, box_size=8, label_column=None), None)


@pytest.mark.parametrize("order", [1, -1])
def test_tables_that_differ_in_labels(folder, tmp_path, order):
    tables = [frame(ROWS[::2], label="full"), frame(ROWS[1:2])]
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for table, path in zip(tables, paths, strict=True):
        table.to_csv(path, index=False)
    for column in ("auto", "label"):
        with pytest.raises(ValueError, match="Tables differ in their labels"):
            load_particles(folder, paths[::order], box_size=8, label_column=column)
    data = load_particles(folder, paths, box_size=8, label_column=None)
    assert data.target is None


@pytest.mark.parametrize("kind", ["size", "corners"])
def test_boxes(folder, kind):
    table = frame()
    left, top = table["x"] - 4, table["y"] - 4
    if kind == "size":
        table = table.assign(left=left, top=top, width=8, height=8)
    else:
        table = table.assign(x_min=left, y_min=top, x_max=left + 8, y_max=top + 8)
    check(load_particles(folder, table), None)
    wide = load_particles(folder, table, margin=2)
    np.testing.assert_array_equal(wide.images[:, 2:-2, 2:-2], CUT)


def write_relion(path, names, **columns):
    starfile = pytest.importorskip("starfile")
    particles = pd.DataFrame(
        {
            "rlnMicrographName": names,
            "rlnCoordinateX": [float(x) for _, x, _ in ROWS],
            "rlnCoordinateY": [float(y) for _, _, y in ROWS],
            "rlnClassNumber": [2, 1, 2],
            "rlnOpticsGroup": 1,
            **columns,
        }
    )
    optics = pd.DataFrame(
        {
            "rlnOpticsGroupName": ["opticsGroup1"],
            "rlnOpticsGroup": [1],
            "rlnMicrographPixelSize": [1.5],
            "rlnVoltage": [300.0],
        }
    )
    starfile.write({"optics": optics, "particles": particles}, path)


def test_relion(folder, tmp_path):
    names = [f"MotionCorr/job002/Micrographs/{name}" for name, _, _ in ROWS]
    write_relion(tmp_path / "p.star", names)
    data = load_particles(folder, tmp_path / "p.star", box_size=8)
    check(data, ["2", "1", "2"])
    np.testing.assert_allclose(data.pixel_size, 0.15)
    assert set(data.pixel_size_source) == {"STAR table"}
    assert set(data.blocks) == {"optics", "particles"}
    assert "rlnOpticsGroup" in data.frame
    given = load_particles(folder, tmp_path / "p.star", box_size=8, pixel_size=0.7)
    assert given.pixel_size.tolist() == [0.7] * 3


def test_relion_before_optics_groups(folder, tmp_path):
    names = [name for name, _, _ in ROWS]
    columns = {"rlnDetectorPixelSize": 7.5, "rlnMagnification": 50000.0}
    write_relion(tmp_path / "p.star", names, **columns)
    starfile = pytest.importorskip("starfile")
    particles = starfile.read(tmp_path / "p.star")["particles"]
    starfile.write({"": particles.drop(columns="rlnOpticsGroup")}, tmp_path / "p.star")
    data = load_particles(folder, tmp_path / "p.star", box_size=8)
    # 7.5 µm at 50,000 times.
    np.testing.assert_allclose(data.pixel_size, 0.15)


def test_labels_of_a_star_file_are_text(folder, tmp_path):
    names = [name for name, _, _ in ROWS]
    write_relion(tmp_path / "p.star", names, rlnGroupName=["a", "b", "a"])
    data = load_particles(
        folder, tmp_path / "p.star", box_size=8, label_column="rlnGroupName"
    )
    check(data, ["a", "b", "a"])
    with pytest.raises(ValueError, match=r"no column 'rlnGone' .+ It has rlnMicro"):
        load_particles(folder, tmp_path / "p.star", box_size=8, label_column="rlnGone")


def write_cryosparc(path):
    dtype = [
        ("uid", "u8"),
        ("location/micrograph_path", "S64"),
        ("location/micrograph_shape", "u4", 2),
        ("location/center_x_frac", "f8"),
        ("location/center_y_frac", "f8"),
        ("location/micrograph_psize_A", "f4"),
        ("alignments2D/class", "u4"),
    ]
    rows = np.zeros(3, dtype)
    rows["uid"] = [11, 12, 13]
    for i, (name, x, y) in enumerate(ROWS):
        rows[i]["location/micrograph_path"] = f"J3/imported/001234567_{name}".encode()
        rows[i]["location/center_x_frac"] = x / 80
        rows[i]["location/center_y_frac"] = y / 60
    rows["location/micrograph_shape"] = (60, 80)
    rows["location/micrograph_psize_A"] = 1.25
    rows["alignments2D/class"] = [7, 3, 7]
    with open(path, "wb") as file:
        np.save(file, rows)


def test_cryosparc(folder, tmp_path):
    write_cryosparc(tmp_path / "p.cs")
    data = load_particles(folder, tmp_path / "p.cs", box_size=8)
    check(data, ["7", "3", "7"])
    np.testing.assert_allclose(data.pixel_size, 0.125)
    assert data.frame["uid"].tolist() == [11, 12, 13]


def test_eman_boxes(folder, tmp_path):
    boxes = tmp_path / "boxes"
    boxes.mkdir()
    for name in MICROGRAPHS:
        lines = [f"{x - 4}\t{y - 4}\t8\t8" for m, x, y in ROWS if m == name]
        (boxes / name.replace(".tif", ".box")).write_text("\n".join(lines) + "\n")
    data = load_particles(folder, boxes)
    order = [0, 2, 1]
    np.testing.assert_array_equal(data.images, CUT[order])
    assert data.groups.tolist() == [ROWS[i][0] for i in order]
    alone = load_particles(folder, boxes / "mic2.box")
    np.testing.assert_array_equal(alone.images, CUT[[1]])


def test_y_from_the_last_row(folder):
    table = frame()
    table["y"] = 60 - table["y"]
    check(load_particles(folder, table, box_size=8, invert_y=True), None)


def test_centres_between_pixels_and_odd_boxes():
    from emclassify.readers._particle_cuts import Cut, _box

    cut = Cut((7, 8), 0, "raise", False, True, None, None)
    place = pd.Series({"y": 10.0, "x": 20.4})
    assert _box(place, (60, 80), cut, False) == (7, 16, 7, 8)


# Masks.


def test_label_masks(folder, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    labels = np.zeros((60, 80), np.int32)
    labels[10:20, 30:36] = 4
    labels[15:18, 36:50] = 9
    labels[40, 41] = 12
    tifffile.imwrite(masks / "mic2_labels.tif", labels)
    data = load_particles(folder, masks)
    assert data.groups.tolist() == ["mic2.tif"] * 3
    assert data.frame["object"].tolist() == [4, 9, 12]
    assert data.boxes.tolist() == [[10, 30, 10, 6], [15, 36, 3, 14], [40, 41, 1, 1]]
    image = MICROGRAPHS["mic2.tif"]
    np.testing.assert_array_equal(data.images[0], image[10:20, 30:36])
    assert data.masks[0].all()
    # Of the neighbour in the box, nothing belongs to the particle.
    wide = load_particles(folder, masks, margin=3)
    np.testing.assert_array_equal(wide.masks[0], labels[7:23, 27:39] == 4)
    fixed = load_particles(folder, masks, box_size=12)
    assert fixed.images.shape == fixed.masks.shape == (3, 12, 12)


def test_the_three_inputs_of_the_thesis(folder, tmp_path):
    labels = np.zeros((60, 80), np.uint8)
    labels[20:30, 30:36] = 1
    tifffile.imwrite(tmp_path / "mic1.tif", labels)
    mask = tmp_path / "mic1.tif"
    data = load_particles(folder, mask, margin=10, mask_channel=True)
    image = MICROGRAPHS["mic1.tif"]
    around = ParticleCropper(margin=10).fit_transform(data.images)[0]
    np.testing.assert_array_equal(around[..., 0], image[10:40, 20:46])
    cropped = ParticleCropper(margin=0).fit_transform(data.images)[0]
    np.testing.assert_array_equal(cropped[..., 0], image[20:30, 30:36])
    alone = ParticleCropper(margin=2, apply_mask=True, fill_value=0).fit_transform(
        data.images
    )[0]
    np.testing.assert_array_equal(alone[2:-2, 2:-2, 0], image[20:30, 30:36])
    assert (alone[:2, :, 0] == 0).all()


def test_a_mask_of_another_size_is_refused(folder, tmp_path):
    tifffile.imwrite(tmp_path / "mic1.tif", np.ones((30, 40), np.uint8))
    with pytest.raises(
        ValueError, match=r"label mask .+mic1\.tif has shape \(30, 40\)"
    ):
        load_particles(folder, tmp_path / "mic1.tif")


# Over the edge.


def test_over_the_edge(folder):
    table = frame([*ROWS, ("mic2.tif", 2, 30)], label=["a", "b", "a", "b"])
    words = r"1 of 4 particles .+ first row 4 at x=2, y=30 of mic2\.tif"
    with pytest.raises(ValueError, match=rf"{words}.+edge='drop'"):
        load_particles(folder, table, box_size=8)
    with pytest.warns(UserWarning, match=words):
        dropped = load_particles(folder, table, box_size=8, edge="drop")
    check(dropped, ["a", "b", "a"])
    assert len(dropped.frame) == 3
    padded = load_particles(folder, table, box_size=8, edge="pad")
    inside = MICROGRAPHS["mic2.tif"][26:34, :6]
    np.testing.assert_array_equal(padded.images[3][:, 2:], inside)
    np.testing.assert_array_equal(padded.images[3][:, :2], inside[:, 1::-1])
    assert padded.boxes[3].tolist() == [26, -2, 8, 8]


def test_a_centre_outside_is_never_padded(folder):
    table = frame([*ROWS, ("mic2.tif", 500, 30)])
    with pytest.warns(UserWarning, match="x=500"):
        data = load_particles(folder, table, box_size=8, edge="pad")
    assert len(data.images) == 3


# What is no good.


def test_missing_micrographs(folder):
    table = frame([*ROWS, ("gone.mrc", 20, 20)])
    with pytest.raises(FileNotFoundError, match=r"gone\.mrc .+ not among the 2 of"):
        load_particles(folder, table, box_size=8)
    with pytest.warns(UserWarning, match=r"1 micrograph were left out: gone\.mrc"):
        data = load_particles(folder, table, box_size=8, on_error="skip")
    check(data, None)
    assert data.errors["file"].tolist() == ["gone.mrc"]


def test_a_damaged_micrograph(folder):
    (folder / "mic2.tif").write_bytes(b"II*\0" + bytes(20))
    with pytest.raises(ValueError, match=r"mic2\.tif can't be read as a micrograph"):
        load_particles(folder, frame(), box_size=8)
    with pytest.warns(UserWarning, match=r"mic2\.tif \("):
        data = load_particles(folder, frame(), box_size=8, on_error="skip")
    np.testing.assert_array_equal(data.images, CUT[[0, 2]])


def test_micrographs_and_folders_that_nobody_may_look_at(folder, tmp_path, monkeypatch):
    closed = folder / "closed"
    closed.mkdir()
    for place in (closed / "mic3.tif", folder / "mic4.tif"):
        tifffile.imwrite(place, MICROGRAPHS["mic1.tif"])
    (folder / "mic5.tif").symlink_to("moved.tif")
    names = ["closed/mic3.tif", "mic4.tif", "mic5.tif"]
    table = frame([*ROWS, *((name, 20, 20) for name in names)])
    with monkeypatch.context() as patch:
        close(patch, folder / "mic4.tif")
        with pytest.raises(
            ValueError, match=r"mic4\.tif can't be read .+Permission den"
        ):
            load_particles(folder, table, box_size=8)
    close(monkeypatch, closed, folder / "mic4.tif")
    with pytest.raises(PermissionError, match=r"closed can't be read: Permission den"):
        load_particles(folder, table, box_size=8)
    with pytest.warns(UserWarning, match=r"of 4 files were left out: closed/ \("):
        data = load_particles(folder, table, box_size=8, on_error="skip")
    check(data, None)
    assert data.errors.to_numpy().tolist() == [
        ["closed/", "the folder can't be read: Permission denied"],
        ["closed/mic3.tif", "Permission denied"],
        ["mic4.tif", "Permission denied"],
        ["mic5.tif", "No such file or directory"],
    ]


@pytest.mark.parametrize("kind", ["csv", "masks"])
def test_bad_tables_and_masks_among_others(folder, tmp_path, monkeypatch, kind):
    tables, suffix = tmp_path / "tables", {"csv": "csv", "masks": "tif"}[kind]
    (tables / "closed").mkdir(parents=True)
    mask = np.zeros((60, 80), np.uint8)
    mask[6:14, 16:24] = 1
    for stem in ("mic1", "mic2", "other"):
        if kind == "csv":
            (tables / f"{stem}.csv").write_text("x,y\n20,10\n")
        else:
            tifffile.imwrite(tables / f"{stem}.tif", mask)
    (tables / f"mic1_empty.{suffix}").touch()
    (tables / f"mic1_link.{suffix}").symlink_to("moved")
    close(monkeypatch, tables / f"mic2.{suffix}", tables / "closed")
    with pytest.raises(PermissionError, match="closed can't be read"):
        load_particles(folder, tables, box_size=8)
    with pytest.warns(UserWarning, match=r"of 5 files were left out: closed/ \("):
        data = load_particles(folder, tables, box_size=8, on_error="skip")
    np.testing.assert_array_equal(data.images, CUT[:1])
    bad = ["mic1_empty", "mic1_link", "mic2", "other"]
    bad = [str(tables / f"{name}.{suffix}") for name in bad]
    assert data.errors["file"].tolist() == ["closed/", *bad]
    words = [
        "folder can't be",
        "",
        "no such file",
        "Permission denied",
        "no micrograph",
    ]
    for reason, word in zip(data.errors["reason"], words, strict=True):
        assert word in reason
    # Nothing is left to go on with.
    with pytest.raises(
        ValueError, match=r"mic2\.\w+ can't be read .+Permission denied"
    ):
        load_particles(folder, tables / f"mic2.{suffix}", box_size=8, on_error="skip")


def test_edges_of_a_micrograph_that_is_left_out(folder):
    nan = np.full((60, 80), np.nan, np.float32)
    tifffile.imwrite(folder / "mic3.tif", nan)
    table = frame([*ROWS, ("mic3.tif", 2, 10), ("mic3.tif", 20, 20)])
    with pytest.warns(UserWarning, match=r"mic3\.tif \(particle 5 contains NaN"):
        data = load_particles(folder, table, box_size=8, on_error="skip")
    check(data, None)


def test_a_movie_is_refused_but_for_a_page(folder):
    movie = np.stack([MICROGRAPHS["mic2.tif"], MICROGRAPHS["mic2.tif"][::-1]])
    tifffile.imwrite(folder / "mic2.tif", movie, photometric="minisblack")
    with pytest.raises(ValueError, match=r"mic2\.tif.+2 images of 60×80.+page=0"):
        load_particles(folder, frame(), box_size=8)


def test_a_name_that_fits_several(folder):
    (folder / "more").mkdir()
    tifffile.imwrite(folder / "more" / "mic9.tif", MICROGRAPHS["mic1.tif"])
    tifffile.imwrite(folder / "mic9.tif", MICROGRAPHS["mic1.tif"])
    table = frame([("job1/mic9.tif", 20, 20)])
    with pytest.raises(ValueError, match=r"job1/mic9\.tif .+ may be any of"):
        load_particles(folder, table, box_size=8)
    data = load_particles(folder, frame([("more/mic9.tif", 20, 20)]), box_size=8)
    assert data.groups.tolist() == ["more/mic9.tif"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [1], "Y": [2]}, "needs the columns x, y"),
        ({"x": ["1"], "y": ["abc"]}, "row 1 has 'abc' as y, which is no number"),
        ({"left": [1], "top": [2], "width": [0], "height": [3]}, "row 1 has .+ width"),
        ({"x": [], "y": []}, "has no row"),
        ({"x": [20], "y": [20]}, "no sizes of particles: .+ box_size=200"),
    ],
)
def test_tables_that_are_no_good(folder, tmp_path, columns, words):
    pd.DataFrame({"micrograph": "mic1.tif", **columns}).to_csv(
        tmp_path / "t.csv", index=False
    )
    with pytest.raises(ValueError, match=words):
        load_particles(folder, tmp_path / "t.csv")


def test_a_table_without_micrographs_needs_one(folder):
    table = frame([("mic1.tif", 20, 10)]).drop(columns="micrograph")
    with pytest.raises(ValueError, match=r"no column of micrographs, and there are 2"):
        load_particles(folder, table, box_size=8)
    data = load_particles(folder / "mic1.tif", table, box_size=8)
    np.testing.assert_array_equal(data.images, CUT[:1])


# Memory.


def test_micrographs_are_mapped_not_read(tmp_path):
    side = 4096
    for i in range(3):
        image = np.zeros((side, side), np.float32)
        image[100 * i : 100 * i + 8] = i + 1
        tifffile.imwrite(tmp_path / f"m{i}.tif", image)
    rows = [(f"m{i}.tif", 1000, 100 * i + 4) for i in range(3)]
    tracemalloc.start()
    data = load_particles(tmp_path, frame(rows), box_size=8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (data.images == np.array([1, 2, 3])[:, None, None]).all()
    # One micrograph takes 64 MiB.
    assert peak < 16 * 2**20


# Back.


def test_the_same_star_table_with_predictions(folder, tmp_path):
    starfile = pytest.importorskip("starfile")
    names = [f"Micrographs/{name}" for name, _, _ in ROWS]
    write_relion(tmp_path / "p.star", names, rlnGroupName=["01", "1", "1e3"])
    data = load_particles(folder, tmp_path / "p.star", box_size=8)
    probabilities = [[0.1, 0.9], [0.7, 0.3], [0.2, 0.8]]
    write_star(tmp_path / "out.star", data, LABELS, probabilities)
    old = starfile.read(tmp_path / "p.star", always_dict=True)
    new = starfile.read(tmp_path / "out.star", always_dict=True)
    assert list(new) == ["optics", "particles"]
    pd.testing.assert_frame_equal(new["optics"], old["optics"])
    particles = new["particles"]
    assert particles["emclassifyLabel"].tolist() == LABELS
    assert particles["emclassifyProbability"].tolist() == [0.9, 0.7, 0.8]
    assert particles["rlnClassNumber"].tolist() == [2, 1, 2]
    assert particles["emclassifyClassBefore"].tolist() == [2, 1, 2]
    same = ["rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY", "rlnGroupName"]
    pd.testing.assert_frame_equal(particles[same], old["particles"][same])
    again = load_particles(
        folder, tmp_path / "out.star", box_size=8, label_column="emclassifyLabel"
    )
    check(again)
    # Labelled twice, each column is there once.
    write_star(tmp_path / "twice.star", again, LABELS, probabilities)
    twice = starfile.read(tmp_path / "twice.star", always_dict=True)["particles"]
    assert sorted(twice) == sorted(particles)


def test_cryosparc_goes_on_as_star_or_csv(folder, tmp_path):
    pytest.importorskip("starfile")
    write_cryosparc(tmp_path / "p.cs")
    data = load_particles(folder, tmp_path / "p.cs", box_size=8)
    write_star(tmp_path / "out.csv", data, LABELS, [0.5, 0.6, 0.7])
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["uid"].tolist() == [11, 12, 13]
    assert table["emclassifyLabel"].tolist() == LABELS
    write_star(tmp_path / "out.star", data, LABELS)
    again = load_particles(
        folder, tmp_path / "out.star", box_size=8, label_column="emclassifyLabel"
    )
    check(again)


def test_classes_have_numbers_in_their_order(folder, tmp_path):
    data = load_particles(folder, frame(), box_size=8)
    write_star(tmp_path / "o.csv", data, LABELS, classes=["full", "odd", "empty"])
    assert pd.read_csv(tmp_path / "o.csv")["rlnClassNumber"].tolist() == [1, 3, 1]


@pytest.mark.parametrize(
    ("name", "labels", "options", "words"),
    [
        ("o.txt", LABELS, {}, r"must end in \.star or \.csv"),
        ("o.csv", LABELS[:2], {}, "a label for each of the 3 particles"),
        ("o.csv", LABELS, {"classes": ["full"]}, "'empty', which is not among classes"),
        ("o.csv", LABELS, {"probabilities": [1, 2, 0]}, "not from 0 to 1"),
        ("o.csv", LABELS, {"probabilities": [1, 0]}, r"expected \(3,\) or \(3, 2\)"),
    ],
)
def test_predictions_that_are_no_good(folder, tmp_path, name, labels, options, words):
    data = load_particles(folder, frame(), box_size=8)
    with pytest.raises(ValueError, match=words):
        write_star(tmp_path / name, data, labels, **options)
    assert not (tmp_path / name).exists()
