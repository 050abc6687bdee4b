"""load_imzml: ion images from imzML, and what is wrong with a file by name."""

import hashlib
import re
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal
from pyimzml.compression import ZlibCompression
from pyimzml.ImzMLWriter import ImzMLWriter

from emclassify.readers import load_imzml
from emclassify.readers._imzml import find_windows, window_sums

# Two rows of three pixels; x counts from 1, as most exports do.
GRID = [(x, y) for y in (1, 2) for x in (1, 2, 3)]


def write(path, spectra, coordinates=GRID, **settings):
    """Write an imzML file of (m/z, intensities), one for each coordinate."""
    with ImzMLWriter(str(path), **settings) as file:
        for (mz, intensities), place in zip(spectra, coordinates, strict=True):
            file.addSpectrum(np.asarray(mz), np.asarray(intensities), place)
    return path


def six_spectra():
    """Two peaks near 200, one at 500 in the lower row only."""
    return [
        ([100.0, 200.0, 200.0004, 500.0], [9.0, x, 10 * x, 7.0 * (y == 2)])
        for x, y in GRID
    ]


@pytest.fixture
def liver(tmp_path):
    return write(tmp_path / "liver.imzML", six_spectra(), mode="continuous")


@pytest.mark.parametrize("mode", ["continuous", "processed"])
def test_images_by_hand(tmp_path, mode):
    path = write(tmp_path / "liver.imzML", six_spectra(), mode=mode)
    read = load_imzml(path, [500.0, 200.0], tolerance_ppm=3)
    assert read.images.dtype == np.float32
    assert_array_equal(read.images[0], [[0, 0, 0], [7, 7, 7]])
    assert_array_equal(read.images[1], [[11, 22, 33], [11, 22, 33]])
    # 0.0004 of 200 is 2 ppm.
    narrow = load_imzml(path, 200.0, tolerance_ppm=1.9)
    assert_array_equal(narrow.images, [[[1, 2, 3], [1, 2, 3]]])
    assert read.mask.all()
    assert_array_equal(read.mz, [500, 200])
    assert_array_equal(read.coordinates, GRID)
    assert read.groups.tolist() == ["liver", "liver"]
    assert read.target is None
    assert read.target_names is None
    assert "2 images of 2×3 px" in read.DESCR


@pytest.mark.parametrize("mz_dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_types_of_number(tmp_path, mz_dtype, dtype):
    spectra = [([100.0, 150.0], [2**20 + i, i]) for i in range(6)]
    path = write(
        tmp_path / "a.imzML", spectra, mz_dtype=mz_dtype, intensity_dtype=dtype
    )
    images = load_imzml(path, [100, 150]).images
    assert_array_equal(images[0].ravel(), 2**20 + np.arange(6))
    assert_array_equal(images[1].ravel(), np.arange(6))


def test_spectra_in_any_order_and_anywhere(tmp_path):
    rng = np.random.default_rng(0)
    places = [(x + 40, y + 7) for x, y in GRID]
    order = rng.permutation(6)
    spectra = [([300.0], [float(i)]) for i in order]
    path = write(tmp_path / "a.imzML", spectra, [places[i] for i in order])
    read = load_imzml(path, 300.0)
    assert_array_equal(read.images[0], np.arange(6).reshape(2, 3))
    assert_array_equal(read.coordinates[0], places[order[0]])


def test_a_spectrum_without_peaks(tmp_path):
    spectra = [([100.0], [1.0])] * 5
    with ImzMLWriter(str(tmp_path / "a.imzML"), mode="processed") as file:
        for (mz, intensities), place in zip(spectra, GRID[:5], strict=True):
            file.addSpectrum(np.array(mz), np.array(intensities), place)
        file.addSpectrum(np.array([50.0]), np.array([1.0]), GRID[5])
    xml = tmp_path / "a.imzML"
    head, last = xml.read_text().rsplit("<spectrum ", 1)
    last = re.sub(r'(external array length" value=)"1"', r'\1"0"', last)
    xml.write_text(f"{head}<spectrum {last}")
    images = load_imzml(xml, [50.0, 100.0]).images
    assert_array_equal(images[:, 1, 2], [0, 0])
    assert images[1].sum() == 5


@given(
    peaks=st.lists(st.tuples(st.integers(1, 400), st.integers(-3, 1000)), max_size=40),
    ions=st.lists(st.integers(1, 400), min_size=1, max_size=12),
    width=st.integers(0, 60),
)
def test_windows_against_brute_force(peaks, ions, width):
    # Whole numbers, so that ends of windows fall on peaks, and sums are exact.
    peaks, ions = sorted(peaks), np.sort(ions)
    mz = np.array([m for m, _ in peaks], dtype=np.float64)
    intensities = np.array([i for _, i in peaks], dtype=np.float32)
    windows = find_windows(mz, ions - width, ions + width)
    expected = [intensities[np.abs(mz - ion) <= width].sum() for ion in ions]
    assert_array_equal(window_sums(intensities, *windows), expected)


def test_pixels_without_spectrum(tmp_path):
    spectra = six_spectra()
    path = write(tmp_path / "a.imzML", spectra[:1] + spectra[2:5], GRID[:1] + GRID[2:5])
    with pytest.raises(
        ValueError, match=r"a\.imzML has no spectrum for 2 of 6 pix"
    ) as e:
        load_imzml(path, 200.0)
    assert "first x=2, y=1" in str(e.value)
    read = load_imzml(path, 200.0, missing="zero")
    assert_array_equal(read.images[0], [[11, 0, 33], [11, 22, 0]])
    assert_array_equal(read.mask, [[True, False, True], [True, True, False]])
    assert_array_equal(read.images[:, read.mask].T.ravel(), [11, 33, 11, 22])
    assert "2 were not and are 0" in read.DESCR


def test_the_last_pixel_missing_is_named(tmp_path):
    places = [(1, 1), (2, 1), (1, 2)]
    path = write(tmp_path / "a.imzML", six_spectra()[:3], places)
    with pytest.raises(ValueError, match=r"for 1 of 4 pixels .* x=2, y=2"):
        load_imzml(path, 200.0)


def test_a_pixel_twice(tmp_path):
    path = write(tmp_path / "a.imzML", six_spectra(), GRID[:5] + [(2, 1)])
    with pytest.raises(ValueError, match=r"1 pixels .* more than once.* x=2, y=1 of"):
        load_imzml(path, 200.0, missing="zero")


def test_sections(tmp_path):
    places = [(x, 1, z) for z in (3, 8) for x in (1, 2, 3)]
    path = write(tmp_path / "a.imzML", six_spectra(), places)
    with pytest.raises(ValueError, match=r"holds 2 sections, z = 3, 8\. Pass z"):
        load_imzml(path, 500.0)
    assert_array_equal(load_imzml(path, 500.0, z=8).images, [[[7, 7, 7]]])
    with pytest.raises(ValueError, match=r"z=4: .* no such section; it has z = 3, 8"):
        load_imzml(path, 500.0, z=4)


def test_truncated_ibd_is_an_error_at_once(liver):
    ibd = liver.with_suffix(".ibd")
    data = ibd.read_bytes()
    ibd.write_bytes(data[:-1])
    says = rf"liver\.ibd is truncated: it has {len(data) - 1} bytes, .* {len(data)}"
    with pytest.raises(ValueError, match=says):
        load_imzml(liver, 200.0, verify=False)


def test_truncated_imzml(liver):
    text = liver.read_text()
    liver.write_text(text[: len(text) // 2])
    with pytest.raises(ValueError, match=r"liver\.imzML cannot be read as imzML"):
        load_imzml(liver, 200.0)


@given(at=st.floats(0, 1, exclude_max=True), imzml=st.booleans())
def test_a_cut_anywhere_is_named(tmp_path_factory, at, imzml):
    path = write(tmp_path_factory.mktemp("cut") / "liver.imzML", six_spectra())
    cut = path if imzml else path.with_suffix(".ibd")
    # Blanks after the end of the document are not part of it.
    data = cut.read_bytes().rstrip() if imzml else cut.read_bytes()
    cut.write_bytes(data[: int(at * len(data))])
    with pytest.raises(ValueError, match=re.escape(str(cut))):
        load_imzml(path, 200.0)


def test_uuid_of_another_file(liver, tmp_path):
    other = write(tmp_path / "other.imzML", six_spectra(), mode="continuous")
    other.with_suffix(".ibd").replace(liver.with_suffix(".ibd"))
    with pytest.raises(ValueError, match=r"liver\.ibd does not belong to liver\.imzML"):
        load_imzml(liver, 200.0)


def test_uuid_as_windows_stores_it(liver):
    text = liver.read_text()
    uuid = re.search(r'identifier" value="\{(.*?)\}"', text).group(1)
    first, second, third, rest = uuid.split("-", 3)
    swapped = "-".join(
        "".join(re.findall("..", part)[::-1]) for part in (first, second, third)
    )
    liver.write_text(text.replace(uuid, f"{swapped}-{rest}"))
    assert load_imzml(liver, 200.0).images.shape == (1, 2, 3)


@pytest.mark.parametrize("stated", ["ibd SHA-1", "ibd MD5", "ibd SHA-256"])
def test_checksums(liver, stated):
    ibd = liver.with_suffix(".ibd")
    algorithm = stated.removeprefix("ibd ").replace("-", "").lower()
    accession = {"md5": 90, "sha1": 91, "sha256": 92}[algorithm]
    right = hashlib.new(algorithm, ibd.read_bytes()).hexdigest().upper()
    liver.write_text(
        re.sub(
            r'<cvParam[^>]*ibd SHA-1" value="\w+"/>',
            f'<cvParam cvRef="IMS" accession="IMS:10000{accession}" name="{stated}" '
            f'value="{right}"/>',
            liver.read_text(),
        )
    )
    assert load_imzml(liver, 200.0).images.sum() == 132
    data = bytearray(ibd.read_bytes())
    data[-1] ^= 1
    ibd.write_bytes(data)
    says = rf"liver\.ibd was changed or damaged: its {algorithm.upper()} is \w+"
    with pytest.raises(ValueError, match=says):
        load_imzml(liver, 200.0)
    assert load_imzml(liver, 200.0, verify=False).images.shape == (1, 2, 3)


def test_compressed_spectra_are_refused(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write(
            tmp_path / "a.imzML",
            six_spectra(),
            mz_compression=ZlibCompression(),
            intensity_compression=ZlibCompression(),
        )
    with pytest.raises(ValueError, match=r"a\.imzML holds compressed spectra"):
        load_imzml(path, 200.0)


def test_mz_that_do_not_ascend(tmp_path):
    spectra = six_spectra()
    spectra[4] = ([200.0, 100.0], [1.0, 1.0])
    path = write(tmp_path / "a.imzML", spectra, mode="processed")
    with pytest.raises(ValueError, match=r"x=2, y=2 of .*a\.imzML .* do not ascend"):
        load_imzml(path, 200.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(tmp_path, value):
    spectra = six_spectra()
    spectra[4][1][0] = value
    path = write(tmp_path / "a.imzML", spectra, mode="processed")
    with pytest.raises(ValueError, match=r"x=2, y=2 of .*a\.imzML has intensities"):
        load_imzml(path, 200.0)
    spectra = six_spectra()
    spectra[4][0][-1] = value
    path = write(tmp_path / "b.imzML", spectra, mode="processed")
    with pytest.raises(ValueError, match=r"x=2, y=2 of .*b\.imzML has m/z"):
        load_imzml(path, 200.0)


@pytest.mark.parametrize(
    ("what", "value", "says"),
    [
        ("external array length", "3", r"x=1, y=1 of .* 3 m/z values and 4 intens"),
        ("external offset", "-8", r"liver\.imzML places spectra before the start"),
    ],
)
def test_a_header_that_lies(liver, what, value, says):
    head, tail = liver.read_text().split(f'name="{what}"', 1)
    tail = re.sub(r'value="\d+"', f'value="{value}"', tail, count=1)
    liver.write_text(f'{head}name="{what}"{tail}')
    with pytest.raises(ValueError, match=says):
        load_imzml(liver, 200.0)


def test_unknown_type_of_number(liver):
    half = liver.read_text().replace("32-bit", "16-bit").replace("1000521", "1000520")
    liver.write_text(half)
    with pytest.raises(ValueError, match=r"liver\.imzML does not say in which type"):
        load_imzml(liver, 200.0)


def test_missing_files(liver):
    with pytest.raises(FileNotFoundError, match=r"nothing\.imzML'?: no such file"):
        load_imzml(liver.with_name("nothing.imzML"), 200.0)
    ibd = liver.with_suffix(".ibd")
    ibd.rename(liver.with_suffix(".IBD"))
    assert load_imzml(liver, 200.0).images.shape == (1, 2, 3)
    liver.with_suffix(".IBD").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no liver\.ibd beside it"):
        load_imzml(liver, 200.0)


@pytest.mark.parametrize(
    ("mz", "says"),
    [
        ([], "got none"),
        ([100.0, np.nan], r"got nan\."),
        ([100.0, -2.0], r"got -2\.0"),
        ([[100.0], [200.0]], None),
        ([[100.0, 200.0]], "1d array"),
    ],
)
def test_mz_checked(liver, mz, says):
    if says is None:  # a column is as good as a list
        assert load_imzml(liver, mz).images.shape == (2, 2, 3)
        return
    with pytest.raises(ValueError, match=says):
        load_imzml(liver, mz)


def test_memory_does_not_grow_with_the_ibd(tmp_path):
    mz = np.linspace(100, 900, 4000)
    spectra = [(mz, np.full(4000, i)) for i in range(200)]
    places = [(x, y) for y in range(10) for x in range(20)]
    path = write(tmp_path / "a.imzML", spectra, places, mode="processed")
    load_imzml(path, 100.0)  # whatever is imported on first use
    tracemalloc.start()
    load_imzml(path, mz[::100])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.with_suffix(".ibd").stat().st_size > 9e6
    assert peak < 2e6


def test_progress(liver, capsys):
    load_imzml(liver, 200.0)
    assert capsys.readouterr().err == ""
    load_imzml(liver, 200.0, verbose=1)
    assert "Reading liver.imzML: 100%" in capsys.readouterr().err


def test_missing_extra_is_named(liver, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyimzml.ImzMLParser", None)
    with pytest.raises(ImportError, match=r"emclassify\[msi\]"):
        load_imzml(liver, 200.0)
