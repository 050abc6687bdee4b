"""ContactSheetDisplay: images in the order of their probability."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from emclassify.display import ContactSheetDisplay
from emclassify.display._contact_sheet import _COLOURS
from emclassify.display._scale_bar import round_length


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def make_table(on, abstained=()):
    on = np.asarray(on)
    return pd.DataFrame(
        {
            "name": [f"ion {i}" for i in range(len(on))],
            "label": np.where(on > 0.5, "on", "off"),
            "probability": np.maximum(on, 1 - on),
            "abstained": np.isin(np.arange(len(on)), abstained),
            "probability_off": 1 - on,
            "probability_on": on,
        }
    )


def make_images(n):
    """Images of different sizes, each with its number as its width."""
    images = np.empty(n, dtype=object)
    images[:] = [np.random.default_rng(i).random((4, i + 3)) for i in range(n)]
    return images


def titles(sheet):
    return [ax.get_title() for ax in sheet.axes_]


def test_sorted_with_name_and_probability():
    sheet = ContactSheetDisplay(make_table([0.2, 0.91, 0.6]), make_images(3)).plot()
    assert titles(sheet) == ["0.91\nion 1", "0.60\nion 2", "0.20\nion 0"]
    assert sheet.order_.tolist() == [1, 2, 0]
    widths = [ax.images[0].get_array().shape[1] for ax in sheet.axes_]
    assert widths == [4, 5, 3]
    other = ContactSheetDisplay(
        make_table([0.2, 0.91, 0.6]), make_images(3), pos_label="off"
    ).plot()
    assert other.order_.tolist() == [0, 2, 1]
    assert titles(other)[0] == "0.80\nion 0"


def test_pages_say_what_they_hold():
    on = np.linspace(0.9, 0.1, 11)
    sheet = ContactSheetDisplay(
        make_table(on), make_images(11), n_columns=2, n_rows=2
    ).plot(3)
    assert sheet.n_pages == 3
    assert len(sheet.axes_) == 3
    title = "Probability of on, highest first\n9–11 of 11 images, page 3 of 3"
    assert sheet.figure_.get_suptitle() == title
    shown = []
    for page in (1, 2, 3):
        shown += titles(sheet.plot(page))
    assert [title.split("\n")[1] for title in shown] == [f"ion {i}" for i in range(11)]
    for page in (0, 4):
        with pytest.raises(ValueError, match=f"page={page}: the pages are 1 to 3"):
            sheet.plot(page)


def test_frames_and_legend():
    table = make_table([0.9, 0.2, 0.6, 0.55], abstained=[2, 3])
    sheet = ContactSheetDisplay(table, make_images(4)).plot()
    colours = [to_hex(ax.spines["left"].get_edgecolor()) for ax in sheet.axes_]
    grey = to_hex("0.55")
    assert colours == [_COLOURS[1].lower(), grey, grey, _COLOURS[0].lower()]
    (legend,) = sheet.figure_.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["off (1)", "on (1)", "abstained (2)"]


def test_frames_of_many_classes_differ_and_their_legend_fits():
    names = [f"class number {i}" for i in range(18)]
    chances = np.full((18, 18), 0.01) + 0.8 * np.eye(18)
    table = pd.DataFrame(chances, columns=[f"probability_{name}" for name in names])
    table = table.assign(name=names, label=names, probability=0.81, abstained=False)
    sheet = ContactSheetDisplay(table, make_images(18), pos_label=names[0]).plot()
    sheet.figure_.canvas.draw()
    (legend,) = sheet.figure_.legends
    page, extent = sheet.figure_.bbox, legend.get_window_extent()
    assert extent.x1 <= page.x1
    first = sheet.axes_[0]
    assert extent.y0 >= first.title.get_window_extent().y1
    assert extent.y1 <= page.y1
    keys = {
        text.get_text(): (to_hex(key.get_color()), key.get_linestyle())
        for text, key in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    assert len(set(keys.values())) == 18
    for ax in sheet.axes_:
        name = ax.get_title().split("\n")[1]
        frame = ax.spines["left"]
        key = (to_hex(frame.get_edgecolor()), frame.get_linestyle())
        assert key == keys[f"{name} (1)"]


def test_all_pages_as_pdf(tmp_path):
    sheet = ContactSheetDisplay(
        make_table(np.linspace(0, 1, 7)), make_images(7), n_columns=2, n_rows=2
    )
    path = tmp_path / "sheet.pdf"
    sheet.to_pdf(path)
    assert path.read_bytes().count(b"/Type /Page ") == 2
    assert not plt.get_fignums()


def test_only_the_files_of_a_page_are_read(tmp_path):
    paths = [str(tmp_path / f"{i}.png") for i in range(4)]
    for path in paths[2:]:
        Image.fromarray(np.zeros((5, 5), dtype=np.uint8)).save(path)
    sheet = ContactSheetDisplay(
        make_table([0.1, 0.2, 0.8, 0.9]), paths, n_columns=2, n_rows=1
    ).plot(1)
    assert titles(sheet) == ["0.90\nion 3", "0.80\nion 2"]


def test_long_names_are_cut():
    table = make_table([0.5])
    table["name"] = "C39H68N7O17P3S+K-and-more"
    sheet = ContactSheetDisplay(table, make_images(1)).plot()
    assert titles(sheet) == ["0.50\nC39H68N7O17P3S+K…"]


def test_several_classes_need_a_label():
    table = make_table([0.2, 0.7]).assign(probability_unsure=[0.1, 0.3])
    images = make_images(2)
    with pytest.raises(ValueError, match=r"pos_label=None must be .*: off, on, un"):
        ContactSheetDisplay(table, images).plot()
    sheet = ContactSheetDisplay(table, images, pos_label="unsure").plot()
    assert titles(sheet) == ["0.30\nion 1", "0.10\nion 0"]


def test_numbers_as_labels():
    table = make_table([0.2, 0.7]).rename(
        columns={"probability_off": "probability_0", "probability_on": "probability_1"}
    )
    table["label"] = [0, 1]
    sheet = ContactSheetDisplay(table, make_images(2), pos_label=0).plot()
    assert sheet.order_.tolist() == [0, 1]


def test_what_is_refused():
    table = make_table([0.2, 0.7])
    with pytest.raises(ValueError, match="images holds 3 entries for 2 rows"):
        ContactSheetDisplay(table, make_images(3)).plot()
    with pytest.raises(ValueError, match=r"images\[1\] is no image"):
        ContactSheetDisplay(table, np.zeros((2, 9))).plot()


@pytest.mark.parametrize(
    ("width", "length"),
    [(100, 20), (126, 50), (24.9, 5), (25, 10), (3000, 1000), (0.5, 0.2)],
)
def test_bars_have_round_lengths(width, length):
    assert round_length(width) == pytest.approx(length)


def test_scale_bars_where_the_pixel_size_is_known():
    images = np.zeros((3, 20, 50))
    sizes = [2.0, np.nan, 100.0]
    sheet = ContactSheetDisplay(
        make_table([0.9, 0.8, 0.7]), images, pixel_size=sizes
    ).plot()
    texts = [[text.get_text() for text in ax.texts] for ax in sheet.axes_]
    assert texts == [["20 nm"], [], ["2 µm"]]
    (bar,) = sheet.axes_[0].lines
    assert np.ptp(bar.get_xdata()) == pytest.approx(10)
    assert sheet.axes_[0].get_xlim() == (-0.5, 49.5)
    pairs = np.column_stack([np.ones(3), sizes])
    again = ContactSheetDisplay(
        make_table([0.9, 0.8, 0.7]), images, pixel_size=pairs
    ).plot()
    assert [t.get_text() for t in again.axes_[0].texts] == ["20 nm"]
    bare = ContactSheetDisplay(make_table([0.9, 0.8, 0.7]), images).plot()
    assert not bare.axes_[0].texts


@pytest.mark.parametrize("sizes", [-1.0, [1.0, 2.0], [1.0, 0.0, 2.0]])
def test_sizes_that_no_pixel_has(sizes):
    sheet = ContactSheetDisplay(
        make_table([0.9, 0.8, 0.7]), np.zeros((3, 8, 8)), pixel_size=sizes
    )
    with pytest.raises(ValueError, match="pixel_size must be above 0"):
        sheet.plot()


def test_names_are_no_formulas():
    table = make_table([0.9, 0.2]).assign(name=["a$_$.png", "b"])
    sheet = ContactSheetDisplay(table, make_images(2)).plot()
    sheet.figure_.canvas.draw()
    assert sheet.axes_[0].get_title() == "0.90\na$_$.png"
