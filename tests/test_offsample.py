"""fetch_offsample: download, resume, check and unpack, against a server of our own."""

import gzip
import io
import json
import re
import shutil
import struct
import tarfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from emclassify.datasets import fetch_offsample
from emclassify.datasets.ions import _offsample
from emclassify.readers import _archive

# <dataset>/<class>/<ion>.png, as in the archive: names with blanks and brackets.
FILES = {
    "GS/raw_images/Dataset 2/on/C10H11NO+Na.png": (12, 9),
    "GS/raw_images/Dataset 2/off/C11H8O3+H.png": (12, 9),
    "GS/raw_images/50um_(focusing)_high(m_z)/on/C7H15NO2-H.png": (5, 7),
    "GS/raw_images/Dataset 10/off/C11H6O3+H.png": (8, 8),
}


def pixels(shape, seed=0):
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def png(shape, seed=0, mode="L"):
    if mode == "I;16":
        image = Image.fromarray(pixels(shape, seed).astype(np.uint16) * 257)
    else:
        image = Image.fromarray(pixels(shape, seed)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def png_of_16_bit_grey_and_alpha(grey):
    """What Pillow does not write, and METASPACE may."""
    height, width = grey.shape
    rows = np.zeros((height, width, 2), dtype=">u2")
    rows[..., 0] = grey.astype(np.uint16) * 256 + 99
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0)),
        (b"IDAT", zlib.compress(data)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def member(name, data=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def archive(*more, seed=0):
    """A .tar.gz of `FILES` and more members, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(member("GS", type=tarfile.DIRTYPE, mode=0o755)[0])
        members = [member(name, png(size, seed)) for name, size in FILES.items()]
        for info, data in [*members, *more]:
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


class Server(ThreadingHTTPServer):
    """Serves `content`, by ranges; cuts the line after `cut` bytes of each answer."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.cut, self.ranges, self.status = archive(), None, True, None
        self.chunked, self.shift = False, 0
        self.asked, self.sent = [], []
        self.url = f"http://127.0.0.1:{self.server_port}/0.2/GS.tar.gz"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        start = start if server.ranges else 0
        size = len(server.content)
        if server.status or start >= size:
            self.send_error(server.status or 416)
            return
        self.send_response(206 if start else 200)
        if start:
            first = start + server.shift
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(size - start))
        self.end_headers()
        body = server.content[start:][: server.cut]
        server.sent.append(len(body))
        if server.chunked:
            self.wfile.write(b"%x\r\n" % (size - start))
        self.wfile.write(body)
        if server.chunked and server.cut is None:
            self.wfile.write(b"\r\n0\r\n\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(_offsample, "URL", server.url)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(tmp_path, **settings):
    return fetch_offsample(data_home=tmp_path, verbose=0, **settings)


def test_what_is_fetched(server, tmp_path):
    offsample = fetch(tmp_path)
    assert offsample.target.tolist() == ["on", "off", "on", "off"]
    assert offsample.target_names == ["off", "on"]
    assert offsample.groups.tolist() == [
        "50um_(focusing)_high(m_z)",
        "Dataset 2",
        "Dataset 2",
        "Dataset 10",
    ]
    assert offsample.ions[0] == "C7H15NO2-H"
    assert offsample.images.dtype == object
    for image, file in zip(offsample.images, offsample.filenames, strict=True):
        (name,) = [name for name in FILES if Path(file).as_posix().endswith(name)]
        assert_array_equal(image, pixels(FILES[name]))
        assert image.dtype == np.uint8
    assert "4 ion images of 3 public datasets" in offsample.DESCR
    assert "off 2, on 2" in offsample.DESCR


def test_the_second_time_nothing_is_downloaded(server, tmp_path):
    first = fetch(tmp_path)
    server.status = 500
    images, target = fetch(tmp_path, download_if_missing=False, return_X_y=True)
    assert_array_equal(target, first.target)
    for again, image in zip(images, first.images, strict=True):
        assert_array_equal(again, image)
    assert len(server.asked) == 1
    folder = tmp_path / "offsample"
    assert sorted(p.name for p in folder.iterdir()) == ["images", "record.json"]


def test_a_cut_line_is_said_and_resumed(server, tmp_path):
    size = len(server.content)
    server.cut = size // 2
    with pytest.raises(
        OSError, match=rf"cut after {size // 2} of {size} bytes .*again"
    ):
        fetch(tmp_path)
    assert not (tmp_path / "offsample" / "images").exists()
    server.cut = None
    assert len(fetch(tmp_path).images) == 4
    assert server.asked == [None, f"bytes={size // 2}-"]
    assert server.sent == [size // 2, size - size // 2]


def test_cut_several_times(server, tmp_path):
    server.cut = len(server.content) // 3
    for _ in range(3):
        with pytest.raises(OSError, match="was cut after"):
            fetch(tmp_path)
    assert len(fetch(tmp_path).images) == 4
    assert sum(server.sent) == len(server.content)


def test_a_server_that_does_not_say_how_much_comes(server, tmp_path):
    server.chunked, server.cut = True, 300
    with pytest.raises(OSError, match=r"was cut after \d+ bytes .*again"):
        fetch(tmp_path)
    server.cut = None
    assert len(fetch(tmp_path).images) == 4


def test_a_server_that_sends_another_part(server, tmp_path):
    server.cut, server.shift = 300, 5
    with pytest.raises(OSError, match="was cut after 300"):
        fetch(tmp_path)
    says = r"asked for bytes from 300 on, but sends 'bytes 305-.*Delete .*\.part"
    with pytest.raises(OSError, match=says):
        fetch(tmp_path)


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges, server.cut = False, 100
    with pytest.raises(OSError, match="was cut after 100"):
        fetch(tmp_path)
    server.cut = None
    assert len(fetch(tmp_path).images) == 4
    assert server.sent == [100, len(server.content)]


def test_a_longer_part_of_another_file_is_dropped(server, tmp_path):
    part = tmp_path / "offsample" / "GS.tar.gz.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * (len(server.content) + 1))
    assert len(fetch(tmp_path).images) == 4
    assert server.asked[1] is None


def test_parts_of_two_archives_are_noticed(server, tmp_path):
    server.cut = len(server.content) // 2
    with pytest.raises(OSError, match="was cut"):
        fetch(tmp_path)
    server.content, server.cut = archive(seed=1), None
    with pytest.raises(ValueError, match=r"GS\.tar\.gz is damaged: .* Delete it"):
        fetch(tmp_path)
    (tmp_path / "offsample" / "GS.tar.gz").unlink()
    assert len(fetch(tmp_path).images) == 4


def test_changed_content_is_refused(server, tmp_path):
    fetch(tmp_path)
    folder = tmp_path / "offsample"
    record = json.loads((folder / "record.json").read_text())
    assert record["url"] == server.url
    shutil.rmtree(folder / "images")
    fetch(tmp_path)  # the same again is fine
    shutil.rmtree(folder / "images")
    server.content = archive(seed=1)
    with pytest.raises(ValueError, match=rf"SHA-256 is \w+, not {record['sha256']}"):
        fetch(tmp_path)
    (folder / "record.json").unlink()
    assert len(fetch(tmp_path).images) == 4


def test_lost_images_are_noticed(server, tmp_path):
    Path(fetch(tmp_path).filenames[0]).unlink()
    with pytest.raises(ValueError, match="holds 3 images, but 4 were unpacked"):
        fetch(tmp_path)


def test_stopped_between_unpacking_and_record(server, tmp_path):
    (tmp_path / "offsample" / "images" / "half").mkdir(parents=True)
    (tmp_path / "offsample" / "images.part").mkdir()
    assert len(fetch(tmp_path).images) == 4
    assert not (tmp_path / "offsample" / "images" / "half").exists()


def test_an_archive_put_there_by_hand(tmp_path):
    (tmp_path / "offsample").mkdir()
    (tmp_path / "offsample" / "GS.tar.gz").write_bytes(archive())
    assert len(fetch(tmp_path, download_if_missing=False).images) == 4


def test_offline(server, tmp_path, monkeypatch):
    with pytest.raises(OSError, match=r"not in .*offsample, and download_if_missing"):
        fetch(tmp_path, download_if_missing=False)
    server.status = 404
    with pytest.raises(OSError, match=r"GS\.tar\.gz can't be downloaded: .* 404"):
        fetch(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as nobody:
        url = f"http://127.0.0.1:{nobody.server_port}/GS.tar.gz"
    monkeypatch.setattr(_offsample, "URL", url)
    with pytest.raises(OSError, match=rf"{url} can't be reached: .*put it at"):
        fetch(tmp_path)


OUTSIDE = "lies outside the archive's folder"
NO_FILE = "is a link or a device, not a file"
EVIL = [
    (member("../evil.png", b"x"), OUTSIDE),
    (member("GS/../../evil.png", b"x"), OUTSIDE),
    (member("..\\evil.png", b"x"), OUTSIDE),
    (member("/evil.png", b"x"), OUTSIDE),
    (member("C:\\evil.png", b"x"), OUTSIDE),
    (member("\\\\host\\share\\evil.png", b"x"), OUTSIDE),
    (member("GS/link", type=tarfile.SYMTYPE, linkname="../../evil.png"), NO_FILE),
    (member("GS/link", type=tarfile.SYMTYPE, linkname="raw_images"), NO_FILE),
    (member("GS/link", type=tarfile.LNKTYPE, linkname="../../evil.png"), NO_FILE),
    (member("GS/device", type=tarfile.CHRTYPE), NO_FILE),
    (member("GS/device", type=tarfile.BLKTYPE), NO_FILE),
    (member("GS/pipe", type=tarfile.FIFOTYPE), NO_FILE),
]


@pytest.mark.parametrize(("evil", "says"), EVIL, ids=range(len(EVIL)))
def test_malicious_archives(server, tmp_path, evil, says):
    server.content = archive(evil)
    home = tmp_path / "home"
    with pytest.raises(ValueError, match=r"GS\.tar\.gz is not unpacked: .*" + says):
        fetch(home)
    assert [p.name for p in tmp_path.iterdir()] == ["home"]
    assert [p.name for p in (home / "offsample").iterdir()] == ["GS.tar.gz"]


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("LARGEST_MEMBER", 100, "has 101 bytes, more than 100"),
        ("LARGEST_SUM", 600, "all together have more than 600 bytes"),
    ],
)
def test_oversized_members(server, tmp_path, monkeypatch, limit, value, says):
    monkeypatch.setattr(_archive, limit, value)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for i in range(9):
            size = 101 if limit == "LARGEST_MEMBER" and i == 8 else 99
            info, data = member(f"GS/a/on/{i}.png", b"x" * size)
            tar.addfile(info, io.BytesIO(data))
    server.content = buffer.getvalue()
    with pytest.raises(ValueError, match=says):
        fetch(tmp_path)
    assert not (tmp_path / "offsample" / "images").exists()


@pytest.mark.parametrize("where", ["start", "middle", "checksum", "end"])
def test_damaged_archives(server, tmp_path, where):
    content = bytearray(archive())
    if where == "start":
        content = bytearray(b"not an archive")
    elif where == "middle":
        content[len(content) // 2] ^= 0xFF
    elif where == "checksum":
        content[-8] ^= 0xFF
    else:
        del content[-20:]
    server.content = bytes(content)
    with pytest.raises(ValueError, match=r"GS\.tar\.gz is damaged"):
        fetch(tmp_path)
    assert not (tmp_path / "offsample" / "record.json").exists()


def test_an_archive_of_something_else(server, tmp_path):
    server.content = gzip.compress(b"\0" * 1024)
    with pytest.raises(ValueError, match="no images in folders <dataset>/on"):
        fetch(tmp_path)


def test_a_python_without_safe_extraction(server, tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter")
    with pytest.raises(RuntimeError, match=r"update it to 3\.11\.4"):
        fetch(tmp_path)


@pytest.mark.parametrize("mode", ["L", "LA", "LA;16", "RGB", "RGBA", "I;16"])
def test_kinds_of_png(server, tmp_path, mode):
    if mode == "LA;16":
        data = png_of_16_bit_grey_and_alpha(pixels((6, 4), 3))
    else:
        data = png((6, 4), 3, mode)
    server.content = archive(member("GS/a/on/C2H4.png", data))
    offsample = fetch(tmp_path)
    image = offsample.images[list(offsample.ions).index("C2H4")]
    assert image.dtype == np.uint8
    assert_array_equal(image, pixels((6, 4), 3))


def test_an_image_that_cannot_be_read(server, tmp_path):
    server.content = archive(member("GS/a/on/C2H4.png", b"no image"))
    with pytest.raises(ValueError, match=r"C2H4\.png cannot be read as an image"):
        fetch(tmp_path)


def test_progress(server, tmp_path, capsys):
    fetch_offsample(data_home=tmp_path)
    shown = capsys.readouterr().err
    for what in ("Downloading GS.tar.gz", "Unpacking GS.tar.gz", "Reading images"):
        assert what in shown
