"""Messages and docstrings speak of parameters only that the reader's function has."""

import importlib
import inspect
import pkgutil
import re

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from sklearn.dummy import DummyClassifier

import emclassify
from emclassify import open_image_stack, predict_folder
from emclassify.cli import main
from emclassify.preprocessing import PixelSizeScaler, ResizeImages
from emclassify.readers import load_image_folder, load_particles, read_image

NAMED = re.compile(r"(?<![\w.-])([a-z]\w*)=(?=['\"(\[{\w.-])")

# Files that need a word of the user's.


def three_pages(path):
    tifffile.imwrite(path, np.zeros((3, 20, 20), np.uint8), photometric="minisblack")


def two_sizes(path):
    with tifffile.TiffWriter(path) as file:
        file.write(np.zeros((20, 20), np.uint8))
        file.write(np.zeros((10, 20), np.uint8))


def no_axes(path):
    with h5py.File(path, "w") as file:
        file["d"] = np.zeros((5, 20, 20))


def two_arrays(path):
    with h5py.File(path, "w") as file:
        file["d"], file["e"] = np.zeros((5, 20, 20)), np.zeros((20, 20))


def bare_zarr(path):
    zarr = pytest.importorskip("zarr")
    zarr.save_array(path, np.zeros((5, 20, 20)))


def zarr_group(path):
    zarr = pytest.importorskip("zarr")
    zarr.save_group(path, d=np.zeros((5, 20, 20)), e=np.zeros((20, 20)))


FILES = [
    (three_pages, "x.tif", "it holds 3 images of 20×20 uint8"),
    (two_sizes, "x.tif", "it holds 1 image of 20×20 uint8 and 1 of 10×20"),
    (no_axes, "x.h5", r"/d has shape \(5, 20, 20\), and nothing in it says which axes"),
    (two_arrays, "x.h5", "it holds 2 data sets, and nothing in it says which is"),
    (bare_zarr, "x.zarr", r"it has shape \(5, 20, 20\), and nothing in it says which"),
    (zarr_group, "x.zarr", "it is a group of arrays, and no OME-Zarr"),
]


def table(path):
    return pd.DataFrame({"micrograph": [path.name], "x": [10], "y": [10]})


def predict(path):
    model = DummyClassifier().fit(np.zeros((2, 1)), ["a", "a"])
    predict_folder(model, path.parents[1], path.parents[1] / "out.csv")


DOORS = [
    (read_image, read_image),
    (load_image_folder, lambda path: load_image_folder(path.parents[1])),
    (open_image_stack, open_image_stack),
    (predict_folder, predict),
    (load_particles, lambda p: load_particles(p.parent, table(p), box_size=4)),
    (load_particles, lambda p: load_particles(p.parent, [p])),
    (PixelSizeScaler, lambda p: PixelSizeScaler(1.0).fit_transform([str(p)])),
    (ResizeImages, lambda p: ResizeImages((8, 8)).fit_transform([str(p)])),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file[0].__name__)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door[0].__name__)
def test_what_a_message_names_is_there(tmp_path, file, door):
    (write, name, words), (function, call) = file, door
    path = tmp_path / "a" / name
    path.parent.mkdir()
    write(path)
    if write is three_pages and function in (open_image_stack, predict_folder):
        if function is open_image_stack:
            call(path).close()
        return
    with pytest.raises(ValueError, match=words) as raised:
        call(path)
    message = str(raised.value)
    assert set(NAMED.findall(message)) <= set(inspect.signature(function).parameters)
    assert message.count(str(path)) == 1
    assert ".." not in message.replace("...", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file[0].__name__)
@pytest.mark.parametrize("command", ["benchmark", "train", "particles", "label"])
def test_what_the_command_line_names_is_there(tmp_path, capsys, file, command):
    write, name, words = file
    path = tmp_path / "images" / "a" / name
    path.parent.mkdir(parents=True)
    write(path)
    argv = [command, str(tmp_path / "images"), "--out", str(tmp_path / "out.html")]
    argv += ["--quiet"] if command != "label" else []
    if command == "particles":
        table(path).to_csv(tmp_path / "t.csv", index=False)
        argv += ["--star", str(tmp_path / "t.csv"), "--box", "4"]
    if command == "label":
        argv = ["label", str(tmp_path / "images"), "--classes", "a,b", "--out"]
        argv += [str(tmp_path / "rounds")]
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert re.search(words, said)
    assert not NAMED.findall(said)
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert set(re.findall(r"--[a-z-]+", said)) <= options


def test_a_format_refuses_what_it_does_not_take(tmp_path):
    three_pages(tmp_path / "x.tif")
    with pytest.raises(ValueError, match="dataset='d' is for files of hdf5, zarr; thi"):
        open_image_stack(tmp_path / "x.tif", "d")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"axes='xy' is for files of tiff, .+ is png"):
        read_image(tmp_path / "x.png", axes="xy")


# Docstrings.

# Of other libraries, or of an estimator that is spoken of.
ELSEWHERE = {
    "ensemble_gain": {"ddof"},
    "BenchmarkResult.by_fold": {"ddof"},
    "dask_backend": {"backend"},
    "maximize_activation": {"normalization"},
    "to_onnx": {"precision"},
    "OutlierRemover.fit_resample": {"multilabel"},
    "affine": {"mode"},
}


def documented():
    """Yield (name, object, parameters) of all that is public."""
    rooms = [emclassify]
    for module in pkgutil.iter_modules(emclassify.__path__, "emclassify."):
        if module.ispkg:
            rooms.append(importlib.import_module(module.name))
    for room in rooms:
        for name in getattr(room, "__all__", ()):
            thing = getattr(room, name)
            if inspect.isfunction(thing):
                yield name, thing, set(inspect.signature(thing).parameters)
            if not inspect.isclass(thing):
                continue
            own = set(inspect.signature(thing.__init__).parameters)
            yield name, thing, own
            for method, function in vars(thing).items():
                function = getattr(function, "__func__", function)
                if inspect.isfunction(function):
                    more = set(inspect.signature(function).parameters)
                    yield f"{name}.{method}", function, own | more


def test_docstrings_name_parameters_that_are_there():
    strange = []
    for name, thing, parameters in documented():
        text = re.split(r"\n(See Also|Examples)\n-+", inspect.getdoc(thing) or "")[0]
        # default=None; f(x=1), which names its function; "`Estimator` with ``x=1``".
        text = re.sub(r"\bdefault=", "", text)
        text = re.sub(r"[\w.]+\([^()]*\)", "", text)
        text = re.sub(r"`[\w.]+`\s+with\s+``[^`]*``", "", text)
        for found in set(NAMED.findall(text)) - parameters:
            if found not in ELSEWHERE.get(name, ()):
                strange.append(f"{name}: {found}=")
    assert strange == []
