"""One picture in 8 bit, 16 bit and float is never taken for three without a word."""

import numpy as np
import pytest
import tifffile
from image_files import read
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from emclassify import (
    FeatureExtractor,
    FullyConvolutionalClassifier,
    LipNetClassifier,
    ResizeImages,
    predict_folder,
    predict_stream,
    svm_baseline,
)
from emclassify._grey_scale import GreyScale, grey_scale_of, learnt_grey_scale

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 100, (40, 8, 8)).astype(np.uint8)
EIGHT[20:] += 100
EIGHT[:, 0, 0] = 255
Y = np.repeat(["dim", "bright"], 20)
SIXTEEN = EIGHT.astype(np.uint16) * 257
FLOAT = EIGHT.astype(np.float32) / 255
SCALES = {"uint8": EIGHT, "uint16": SIXTEEN, "float32": FLOAT}


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (("uint8", 255), ("uint16", 65535), True),
        (("uint8", 255), ("uint16", 255), False),
        (("uint8", 255), ("float32", 1.0), True),
        (("uint8", 1), ("float32", 1.0), False),
        (("uint8", 255), ("float32", 255.0), False),
        (("uint8", 255), ("float64", 4000.0), True),
        (("uint8", 255), ("int64", 200), False),
        (("uint16", 4095), ("float32", 0.5), True),
        (("uint16", 4095), ("uint8", 200), True),
        (("float32", 1.0), ("float64", 300.0), False),
        (("uint8", 255), ("float32", 0.0), False),
    ],
)
def test_only_what_is_beyond_doubt_clashes(one, other, clash):
    one, other = GreyScale(*one), GreyScale(*other)
    assert one.clashes_with(other) is clash
    assert other.clashes_with(one) is clash


@pytest.mark.parametrize("learnt", SCALES)
@pytest.mark.parametrize("given", SCALES)
@pytest.mark.parametrize(
    "model", [svm_baseline(), make_pipeline(ResizeImages((6, 6)), FeatureExtractor())]
)
def test_a_model_knows_on_which_scale_it_has_learnt(model, learnt, given):
    model.fit(SCALES[learnt], Y)
    use = getattr(model, "predict", getattr(model, "transform", None))
    if learnt == given:
        use(SCALES[given])
        return
    with pytest.warns(UserWarning, match=rf"X is {given} .+fitted on .+ {learnt} .+"):
        use(SCALES[given])


def test_a_network_does_unless_it_normalises_each_image():
    settings = {"depth": 2, "max_epochs": 1, "random_state": 0}
    net = LipNetClassifier(**settings).fit(EIGHT, Y)
    with pytest.warns(UserWarning, match="not on one scale"):
        net.predict(FLOAT)
    net = LipNetClassifier(normalization="image", **settings).fit(EIGHT, Y)
    net.predict(FLOAT)


FORMS = {
    "array": lambda images: images,
    "list": list,
    "rows": lambda images: images.reshape(len(images), -1),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_so_does_what_takes_images_of_any_size(form):
    settings = {"max_epochs": 1, "random_state": 0}
    net = FullyConvolutionalClassifier((4,), **settings).fit(form(EIGHT), Y)
    net.predict(form(EIGHT))
    with pytest.warns(UserWarning, match="not on one scale"):
        net.predict(form(FLOAT))
    net = FullyConvolutionalClassifier((4,), normalization="image", **settings)
    net.fit(form(EIGHT), Y).predict(form(FLOAT))
    # Resizing gives the same picture on every scale.
    ResizeImages((6, 6)).fit(form(EIGHT)).transform(form(FLOAT))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: GridSearchCV(model, {"svc__C": [1.0]}, cv=2),
        lambda model: CalibratedClassifierCV(model, cv=2),
        lambda model: make_pipeline(ResizeImages((6, 6)), model),
    ],
)
def test_it_is_found_inside_other_estimators(wrap):
    scale = learnt_grey_scale(wrap(svm_baseline()).fit(SIXTEEN, Y))
    assert scale.dtype == "uint16"
    assert 255 < scale.most <= 65535
    assert learnt_grey_scale(SVC().fit(EIGHT.reshape(40, -1), Y)) is None


@pytest.mark.parametrize("learnt", SCALES)
def test_predict_folder_leaves_out_all_but_its_own(tmp_path, learnt):
    svm = svm_baseline().fit(SCALES[learnt], Y)
    for name, images in SCALES.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", images[30])
    others = sorted(set(SCALES) - {learnt})
    words = rf"\.tif.+it is ({'|'.join(others)}) .+has learnt from {learnt}"
    with pytest.raises(ValueError, match=words):
        predict_folder(svm, tmp_path, tmp_path / "t.csv")
    with pytest.warns(UserWarning, match="left out") as caught:
        predict_folder(svm, tmp_path, tmp_path / "t.csv", on_error="skip")
    assert sorted(str(w.message).partition(".")[0] for w in caught) == others
    rows = read(tmp_path / "t.csv")
    assert [(row["file"], row["label"]) for row in rows] == [
        (f"{learnt}.tif", "bright")
    ]


def test_a_stream_that_changes_its_scale_is_told_of():
    svm = svm_baseline().fit(EIGHT, Y)
    with pytest.warns(UserWarning, match="not on one scale"):
        assert len(list(predict_stream(svm, [EIGHT[0], SIXTEEN[1], FLOAT[2]]))) == 3


@pytest.mark.parametrize("other", [SIXTEEN, FLOAT])
@pytest.mark.parametrize("shape", [(8, 8), (8, 7)])
def test_a_list_that_mixes_scales_is_refused(other, shape):
    images = [EIGHT[0], EIGHT[1], other[2][: shape[0], : shape[1]]]
    with pytest.raises(ValueError, match=r"X\[0\] is uint8 .+ X\[2\] is"):
        ResizeImages((4, 4)).fit(images).transform(images)


def test_a_saved_model_knows_its_scale(tmp_path):
    from emclassify import load, save

    save(svm_baseline().fit(EIGHT, Y), tmp_path / "m.emc")
    with pytest.warns(UserWarning, match="not on one scale"):
        load(tmp_path / "m.emc").predict(FLOAT)


# Floats have no range of their own.


def blobs(n, seed=0):
    """Floats from 0 to 1: bright discs of any size on noise, some of them faint."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((24, 24)) - 12
    radius, bright = rng.uniform(2, 9, n), rng.uniform(0.1, 0.6, n)
    discs = rows**2 + columns**2 < radius[:, None, None] ** 2
    noise = rng.normal(0.2, 0.03, (n, 24, 24))
    images = noise + bright[:, None, None] * discs
    return np.clip(images, 0, 1).astype(np.float32)


def standardised(images):
    return (images - images.mean()) / images.std()


LEARNT = blobs(40)
OTHER = blobs(40, seed=1)


@pytest.mark.parametrize(
    ("change", "range_"),
    [
        (lambda x: x * 255, r"from \d\d\.?\d* to \d\d\d"),
        (lambda x: x * 65535, r"from [\d.e+]+ to [\d.e+]+"),
        (lambda x: x.astype(np.float64) * 65535, r"float64 .+from"),
        (lambda x: (x * 65535).astype(np.int32), r"int32 .+from"),
        (lambda x: x / 200, r"from 0\.000\d+ to 0\.00"),
        (standardised, r"from -\d\.?\d* to \d"),
        (lambda x: 2 * x - 1, r"from -0\.\d+ to 0\.\d+"),
    ],
)
def test_another_scale_of_floats_is_told_of(change, range_):
    model = svm_baseline().fit(LEARNT, Y)
    words = rf"X is .*{range_}.* fitted on .+ float32 with values from 0\.\d+ to 0\.\d"
    with pytest.warns(UserWarning, match=words):
        model.predict(change(OTHER))
    model = svm_baseline().fit(change(LEARNT), Y)
    with pytest.warns(UserWarning, match="look like other grey scales"):
        model.predict(OTHER)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x,
        lambda x: x.astype(np.float64),
        lambda x: 3 * x,  # exposed for longer
        lambda x: x / 3,
        lambda x: x + 0.5,  # another background
        lambda x: 1 - x,
        lambda x: x[np.argsort(x.max((1, 2)))[:5]],  # faint ones alone
        lambda x: x[:1],
        lambda x: np.full((1, 24, 24), 0.2),  # blank
        lambda x: (
            blobs(400)[12, :8, :8][np.newaxis].repeat(4, 0).repeat(3, 1).repeat(3, 2)
        ),
        lambda x: np.where(np.random.default_rng(3).random(x.shape) < 1e-3, 40, x),
    ],
)
def test_ordinary_floats_are_no_other_scale(change):
    model = svm_baseline().fit(LEARNT, Y)
    model.predict(change(OTHER))


def test_dark_frames_and_standardised_crops_are_ordinary():
    rng = np.random.default_rng(0)
    dark = rng.normal(0, 1, (40, 16, 16))  # centred by a dark frame
    model = svm_baseline().fit(dark, Y)
    model.predict(dark + 0.5)
    model.predict(np.abs(dark[:1]) + 0.1)  # one crop, all of it bright


def test_floats_that_are_too_few_say_nothing():
    scale = grey_scale_of(np.random.default_rng(0).random((5, 7, 9)))
    assert scale.spreads == ()
    assert not scale.seems_other_than(grey_scale_of(1e6 * LEARNT))
    assert not grey_scale_of(1e6 * LEARNT).seems_other_than(scale)


def test_all_channels_and_columns_are_looked_at():
    images = np.zeros((4, 64, 64, 3), np.float32)
    images[..., 1], images[..., 2] = 0.5, -1
    scale = grey_scale_of(images)
    assert (scale.low, scale.high) == (-1, 0.5)
    assert scale.negative == pytest.approx(1 / 3, abs=0.02)


def test_a_model_of_before_knows_no_spread():
    model = svm_baseline().fit(LEARNT, Y)
    model[0]._grey_scale = model[0]._grey_scale[:2]
    model.predict(OTHER * 255)
