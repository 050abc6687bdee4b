"""Our own estimator checks, for images: what scikit-learn's checks don't feed.

Each check takes a name and an estimator; tests/test_common.py runs them on every
public estimator that takes images.
"""

import contextlib
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import has_fit_parameter

N_SAMPLES = 24


def make_images(*shape, dtype="float64", seed=0):
    """Two classes that differ in brightness, as images of `shape`."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], N_SAMPLES // 2)
    X = rng.normal(100, 10, size=(N_SAMPLES, *shape))
    X += 60 * y.reshape(-1, *[1] * len(shape))
    return X.clip(0, 255).astype(dtype), y


def output(estimator, X):
    """What the estimator says of X, as an array."""
    method = "transform"
    if is_classifier(estimator):
        has = hasattr(estimator, "predict_proba")
        method = "predict_proba" if has else "decision_function"
    return np.asarray(getattr(estimator, method)(X))


def fitted(estimator, X, y):
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator.fit(X, y)


def check_image_forms(name, estimator):
    """Grey images give the same with and without the channel axis, and flat."""
    X, y = make_images(9, 8)
    expected = output(fitted(estimator, X, y), X)
    four = X[..., np.newaxis]
    got = output(fitted(estimator, four, y), four)
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)
    flat = X.reshape(N_SAMPLES, -1)
    cut = clone(estimator)
    own = "image_shape" in cut.get_params(deep=False)
    cut.set_params(**{"image_shape" if own else "estimator__image_shape": (9, 8)})
    got = output(fitted(cut, flat, y), flat)
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)


def check_channels(name, estimator):
    """Images of three channels pass."""
    X, y = make_images(8, 8, 3)
    assert len(output(fitted(estimator, X, y), X)) == N_SAMPLES


def check_integer_dtypes(name, estimator):
    """uint8, uint16 and float of the same values give the same."""
    X, y = make_images(8, 8, dtype="uint8")
    expected = output(fitted(estimator, X, y), X)
    # Images out of integer images are rounded.
    atol = 0.5 + 1e-5 if expected.dtype.kind in "iu" else 1e-5
    for dtype in ("uint16", ">u2", "int32", "float32", "float64"):
        Z = X.astype(dtype)
        got = output(fitted(estimator, Z, y), Z)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=atol, err_msg=dtype)


def check_memory_layout(name, estimator):
    """Read-only and non-contiguous images pass, give the same and stay as they are."""
    X, y = make_images(8, 8)
    before = X.copy()
    X.flags.writeable = False
    expected = output(fitted(estimator, X, y), X)
    for Z in (np.asfortranarray(X), np.repeat(X, 2, axis=2)[:, :, ::2]):
        np.testing.assert_array_equal(output(fitted(estimator, Z, y), Z), expected)
    np.testing.assert_array_equal(X, before)


def check_other_size_refused(name, estimator):
    """Images of another shape than in fit are refused, both shapes named."""
    X, y = make_images(8, 8)
    model = fitted(estimator, X, y)
    with pytest.raises(ValueError, match=r"\(8, 9, 1\).*\(8, 8, 1\)"):
        output(model, make_images(8, 9)[0])


def check_bad_values_named(name, estimator):
    """NaN and infinity are refused by the name of the sample."""
    for value, word in ((np.nan, "NaN"), (np.inf, "infinity")):
        X, y = make_images(8, 8)
        X[5, 2, 2] = value
        with pytest.raises(ValueError, match=f"{word}: image 5 of 24"):
            fitted(estimator, X, y)


def check_dimensions_refused(name, estimator):
    """No images, images without pixels, and too many axes are refused."""
    X, y = make_images(8, 8)
    for bad in (X[:0], X[:, :, :0], X[:, :, :, None, None]):
        with pytest.raises(ValueError, match=r"sample|shape"):
            fitted(estimator, bad, y[: len(bad)])


def check_copies_agree(name, estimator):
    """A pickled copy gives the same to the bit."""
    X, y = make_images(8, 8)
    model = fitted(estimator, X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(output(copy, X), output(model, X))


def check_refused_fit_changes_nothing(name, estimator):
    """After a fit that raises, the estimator is what it was, and says the same."""
    X, y = make_images(8, 8)
    model = fitted(estimator, X, y)
    before, said = dict(vars(model)), output(model, X)
    other, _ = make_images(9, 7, 2)
    words = np.array(["a", "b"])[y]
    broken = other.copy()
    broken[-1, 0, 0] = np.nan
    refused = [(broken, words, {})]
    if is_classifier(estimator):
        refused += [
            (other, words[:-1], {}),
            (other, [None, *words[1:]], {}),
        ]
    for parameter, value in (("sample_weight", -1.0), ("groups", np.nan)):
        if has_fit_parameter(estimator, parameter):
            refused.append((other, words, {parameter: np.full(N_SAMPLES, value)}))
    for images, labels, given in refused:
        with pytest.raises((ValueError, TypeError)):
            model.fit(images, labels, **given)
        assert vars(model).keys() == before.keys()
        for attribute, value in vars(model).items():
            assert value is before[attribute], attribute
    np.testing.assert_array_equal(output(model, X), said)


# How to work, not what to say.
READ_AFTER_FIT = {"verbose", "n_jobs", "n_threads", "device", "batch_size"}


def check_parameters_are_read_in_fit(name, estimator):
    """What is set after fit waits for the next one."""
    X, y = make_images(8, 8)
    model = fitted(estimator, X, y)
    said = output(model, X)
    names = getattr(model, "get_feature_names_out", list)
    columns = list(names())
    assert not columns or len(columns) == said.shape[1]
    late = []
    for parameter in sorted(model.get_params(deep=False).keys() - READ_AFTER_FIT):
        given = getattr(model, parameter)
        if hasattr(given, "fit"):
            continue  # scikit-learn asks it for tags
        setattr(model, parameter, object())
        try:
            np.testing.assert_array_equal(output(model, X), said)
            assert list(names()) == columns
        except Exception:
            late.append(parameter)
        setattr(model, parameter, given)
    assert not late, f"read after fit: {late}"


def check_random_states_untouched(name, estimator):
    """The caller's random states and torch threads are as before."""
    import torch

    X, y = make_images(8, 8)
    np.random.seed(3)  # noqa: NPY002 (the global state is the subject)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    output(fitted(estimator, X, y), X)
    after = np.random.get_state()[1], torch.get_rng_state()  # noqa: NPY002
    np.testing.assert_array_equal(after[0], before[0])
    assert torch.equal(after[1], before[1])
    assert torch.get_num_threads() == threads


def check_containers(name, estimator):
    """Whatever the container, the same images give the same."""
    import torch

    X, y = make_images(8, 8, dtype="float32")
    # Values that bfloat16 holds too.
    X = (X // 16 * 16).astype(np.float32)
    model = fitted(estimator, X, y)
    expected = output(model, X)
    tensor = torch.tensor(X)
    boxed = np.empty(len(X), dtype=object)
    boxed[:] = list(X)
    same = {
        "tensor": tensor,
        "requires_grad": tensor.clone().requires_grad_(),
        "bfloat16": tensor.bfloat16(),
        "list of tensors": list(tensor),
        "masked array": np.ma.masked_array(X, mask=False),
        "column of images": pd.Series(list(X), index=np.arange(len(X)) + 7),
        "array of objects": boxed,
        "backwards axis": X[..., np.newaxis][..., ::-1],
    }
    for what, Z in same.items():
        refit = what in ("requires_grad", "column of images")
        got = output(fitted(estimator, Z, y) if refit else model, Z)
        got = np.stack(list(got)) if got.dtype == object else got
        np.testing.assert_array_equal(
            got.reshape(expected.shape), expected, err_msg=what
        )
    # One image, taken from a stack that runs backwards: its axis has length 1.
    one = X[::-1][5:6]
    assert one.strides[0] < 0
    np.testing.assert_array_equal(output(model, one), output(model, one.copy()))


def check_strange_containers_named(name, estimator):
    """What can't be taken as it is meant is refused by name, also after fit."""
    X, y = make_images(8, 8)
    masked = np.ma.masked_array(X, mask=False)
    masked[5, 2, 2] = np.ma.masked
    strange = {
        "X is a generator": lambda: (image for image in X),
        "X is a map": lambda: map(np.asarray, X),
        "X is a dict of 'images'": lambda: {"images": X},
        "X is a set": lambda: {1, 2},
        "X is a masked array, 1 of its 1536": lambda: masked,
        r"X\[5\] is a masked array, 1 of its 64": lambda: list(masked),
    }
    model = fitted(estimator, X, y)
    for message, make in strange.items():
        with pytest.raises((ValueError, TypeError), match=message):
            fitted(estimator, make(), y)
        with pytest.raises((ValueError, TypeError), match=message):
            output(model, make())


def check_labels_named(name, estimator):
    """A missing label is refused by the name of its sample; pandas' types pass."""
    X, y = make_images(8, 8)
    if not is_classifier(estimator):
        pytest.skip("takes no labels")
    words = np.array(["full", "empty"], dtype=object)[y]
    for blank in (np.nan, None, pd.NA):
        missing = words.copy()
        missing[5] = blank
        for gone in (
            missing,
            missing.tolist(),
            pd.Series(missing),
            pd.Series(missing, dtype="string"),
            pd.Series(missing).astype("category"),
        ):
            with pytest.raises(ValueError, match="y has no label for sample 5"):
                fitted(estimator, X, gone)
    masked = np.ma.masked_array(y, mask=np.arange(len(y)) == 5)
    with pytest.raises(ValueError, match=r"sample 5 .*masked"):
        fitted(estimator, X, masked)
    expected = output(fitted(estimator, X, y), X)
    for dtype in ("boolean", "category"):
        model = fitted(estimator, X, pd.Series(y).astype(dtype))
        assert model.classes_.tolist() == [0, 1]
        np.testing.assert_array_equal(output(model, X), expected)


def check_channels_first_warned(name, estimator):
    """Images whose channels come first are taken as they are, with a warning."""
    X, y = make_images(3, 9, 8)
    # What else comes of such images is no matter.
    with (
        pytest.warns(UserWarning, match="height 3, width 9 and 8 channels"),
        contextlib.suppress(ValueError),
    ):
        fitted(estimator, X, y)


IMAGE_CHECKS = [
    check_bad_values_named,
    check_channels,
    check_channels_first_warned,
    check_containers,
    check_copies_agree,
    check_dimensions_refused,
    check_image_forms,
    check_integer_dtypes,
    check_labels_named,
    check_memory_layout,
    check_other_size_refused,
    check_parameters_are_read_in_fit,
    check_random_states_untouched,
    check_refused_fit_changes_nothing,
    check_strange_containers_named,
]
