"""Images of two classes in files, and the tables of predictions for them."""

import builtins
import csv
import io
import os

import h5py
import numpy as np
import tifffile
from PIL import Image

RNG = np.random.default_rng(0)
X = RNG.integers(0, 100, (40, 8, 8)).astype(np.uint8)
X[20:] += 100
Y = np.repeat(["dim", "bright"], 20)
CXI = "/entry_1/data_1/data"


def write_image(path, image):
    path.write_bytes(encoded(path.suffix.lower(), image))


def write_classes(folder):
    """Write 24 images of 12 px, dim and bright by turns; return their paths in it."""
    rng = np.random.default_rng(0)
    names = []
    for i in range(24):
        label = ["dim", "bright"][i % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        image = rng.integers(0, 100, (12, 12))
        image[3:9, 3:9] += 150 * (i % 2)
        names.append(f"{label}/{i:02d}.png")
        Image.fromarray(image.astype(np.uint8)).save(folder / names[-1])
    return names


def encoded(suffix, image):
    """The bytes of an image file."""
    buffer = io.BytesIO()
    if suffix == ".tif":
        tifffile.imwrite(buffer, image)
    else:
        Image.fromarray(image).save(buffer, {".png": "PNG", ".jpg": "JPEG"}[suffix])
    return buffer.getvalue()


def write_stack(path, images, dataset=CXI):
    with h5py.File(path, "w") as file:
        file.create_dataset(dataset, data=images, maxshape=(None, *images.shape[1:]))


def close(monkeypatch, *closed):
    """Let nobody look into folders and files, as if their owner had closed them.

    Root, as which tests may run, always may.
    """
    closed = tuple(map(os.fspath, closed))

    def refusing(look, among):
        def refuse(path=".", *args, **kwargs):
            if isinstance(path, str | os.PathLike) and among(os.fspath(path)):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return look(path, *args, **kwargs)

        return refuse

    def is_below(path):
        return path.startswith(tuple(f"{one}{os.sep}" for one in closed))

    def is_closed(path):
        return path in closed or is_below(path)

    monkeypatch.setattr(os, "scandir", refusing(os.scandir, is_closed))
    monkeypatch.setattr(builtins, "open", refusing(open, is_closed))
    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name), is_below))


def read(table):
    with open(table, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def keys(table):
    return [(row["file"], int(row["index"])) for row in read(table)]
