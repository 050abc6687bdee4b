"""Batches, augmentation, losses, schedules, weights, and the validation split."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from emclassify.training import (
    ImageBatches,
    ImageDataset,
    ImageModule,
    RandomDihedral,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    WeightedCrossEntropyLoss,
    WeightedFocalLoss,
    _runtime,
    canonical_order,
    make_augmentation,
    repeat_by_weight,
    resolve_device,
    resolve_threads,
    validation_split,
)
from emclassify.training._dihedral import dihedral


def test_dihedral_is_the_group_of_the_square():
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    got = dihedral(image.repeat(8, 1, 1, 1), torch.arange(8))[:, 0]
    plane = np.arange(9, dtype=np.float32).reshape(3, 3)
    expected = {
        np.rot90(side, turns).tobytes()
        for side in (plane, plane.T)
        for turns in range(4)
    }
    assert {one.contiguous().numpy().tobytes() for one in got} == expected


def test_dihedral_keeps_the_shape_of_a_rectangle():
    image = torch.arange(6.0).reshape(1, 1, 2, 3)
    got = dihedral(image.repeat(8, 1, 1, 1), torch.arange(8))
    assert got.shape == (8, 1, 2, 3)
    assert len({one.contiguous().numpy().tobytes() for one in got}) == 4


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_image_goes_through_its_own_symmetry(layout):
    rng = np.random.default_rng(0)
    images = rng.random((40, 2, 5, 5), dtype=np.float32)
    element = rng.integers(0, 8, 40)
    element[element == 3] = 6  # no image for one of them
    expected = images.copy()
    for image, bits in zip(expected, element, strict=True):
        if bits & 1:
            image[:] = image.transpose(0, 2, 1).copy()
        if bits & 2:
            image[:] = image[:, :, ::-1].copy()
        if bits & 4:
            image[:] = image[:, ::-1].copy()
    given = torch.tensor(images).contiguous(memory_format=layout)
    got = dihedral(given, torch.tensor(element))
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(given, images)


def test_random_dihedral_draws_all_eight_alike_from_torchs_generator():
    images = torch.arange(9.0).reshape(1, 1, 3, 3).repeat(4000, 1, 1, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = RandomDihedral()(images)
        torch.manual_seed(0)
        assert torch.equal(RandomDihedral()(images), first)
    _, counts = first.flatten(1).unique(dim=0, return_counts=True)
    assert len(counts) == 8
    assert all(400 < count < 600 for count in counts)


@pytest.mark.parametrize(
    ("flip", "axis"), [(RandomHorizontalFlip, -1), (RandomVerticalFlip, -2)]
)
def test_flips(flip, axis):
    x = torch.rand(50, 1, 3, 4)
    assert torch.equal(flip(p=1.0)(x), x.flip(axis))
    assert torch.equal(flip(p=0.0)(x), x)
    assert torch.equal(flip(p=1.0).eval()(x), x)
    some = (flip(p=0.5)(x) != x).flatten(1).any(1).float().mean()
    assert 0.2 < some < 0.8
    with pytest.raises(ValueError, match=r"p must lie in \[0, 1\]"):
        flip(p=1.5)


def test_image_and_mask_turn_together():
    x = torch.rand(20, 1, 5, 5).repeat(1, 2, 1, 1)
    out = RandomDihedral()(x)
    assert torch.equal(out[:, 0], out[:, 1])


def test_auto_augmentation_leaves_rows_alone():
    assert isinstance(make_augmentation("auto", (1, 30, 1)), nn.Identity)
    assert isinstance(make_augmentation("auto", (30, 30, 1)), RandomDihedral)


def test_augmentation_acts_in_training_only():
    module = make_augmentation(lambda x: x + 1, (4, 4, 1))
    x = torch.zeros(2, 1, 4, 4)
    assert (module.train()(x) == 1).all()
    assert (module.eval()(x) == 0).all()


def test_augmentation_that_changes_the_shape_is_named():
    module = make_augmentation([lambda x: x[:, :, 1:]], (4, 4, 1))
    with pytest.raises(ValueError, match=r"\(2, 1, 4, 4\).*returned.*\[2, 1, 3, 4\]"):
        module(torch.zeros(2, 1, 4, 4))


def test_batches_cover_every_sample_once_and_none_is_alone():
    dataset = ImageDataset(
        np.arange(129, dtype=np.uint8).reshape(-1, 1, 1, 1),
        np.zeros(129),
        np.ones(129),
    )
    batches = ImageBatches(dataset, 128, shuffle=True)
    assert len(batches) == 2
    seen = [inputs["images"].flatten() for inputs, _ in batches]
    assert sorted(torch.cat(seen).tolist()) == list(range(129))
    assert min(map(len, seen)) == 64
    plain = [inputs["images"].flatten() for inputs, _ in ImageBatches(dataset, 128)]
    assert torch.cat(plain).tolist() == list(range(129))


def test_images_stay_in_their_dtype():
    for dtype in ("uint8", "uint16", "float32"):
        images = np.ones((4, 2, 2, 1), dtype)
        dataset = ImageDataset(images)
        inputs, _ = dataset[torch.arange(2)]
        assert str(inputs["images"].dtype) == f"torch.{dtype}"
        assert dataset.stacks[0].data_ptr() == torch.from_numpy(images).data_ptr()


@pytest.fixture
def gpu(monkeypatch):
    """A GPU with 100 bytes free; what moves there is on the device "meta"."""
    moved = []

    def to(tensor, device, non_blocking=False):
        moved.append((tensor, non_blocking))
        return torch.empty_like(tensor, device="meta")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 200))
    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor + 0)
    return moved


def test_images_move_to_a_gpu_if_they_fit_into_half_of_its_free_memory(gpu):
    images = np.arange(50, dtype=np.uint8).reshape(-1, 5, 1, 1)
    dataset = ImageDataset(images, np.arange(10), np.ones(10))
    same_images = ImageDataset(images, rows=[3, 4])
    dataset.move_to(torch.device("cuda"), shared_with=same_images)
    assert same_images[torch.arange(2)][0]["images"].device.type == "meta"
    assert [(len(tensor), later) for tensor, later in gpu] == [(10, False)]
    inputs, (target, _) = dataset[torch.tensor([2, 7])]
    assert inputs["images"].device.type == "meta"
    assert inputs["images"].shape == (2, 5, 1, 1)
    assert inputs["images"].dtype == torch.uint8
    assert target.tolist() == [2, 7]
    assert len(gpu) == 1


def test_images_that_do_not_fit_a_gpu_go_there_in_pinned_batches(gpu):
    images = np.arange(51, dtype=np.uint8).reshape(-1, 1, 1, 1)
    dataset = ImageDataset(images)
    dataset.move_to(torch.device("cuda"))
    assert not gpu
    inputs, _ = dataset[torch.tensor([2, 50])]
    [(batch, later)] = gpu
    assert batch.flatten().tolist() == [2, 50]
    assert later
    assert inputs["images"].device.type == "meta"
    assert dataset.stacks[0].device.type == "cpu"


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "i4", "f4", "f8"])
def test_rows_of_any_dtype_are_taken_out(dtype):
    # uint16 through a view: on CUDA, torch gathers none.
    images = (np.arange(10) * 7000).astype(dtype).reshape(-1, 1, 1, 1)
    dataset = ImageDataset(images)
    inputs, _ = dataset[torch.tensor([9, 0, 9, 5])]
    assert inputs["images"].dtype == dataset.stacks[0].dtype
    assert inputs["images"].flatten().tolist() == images[[9, 0, 9, 5], 0, 0, 0].tolist()
    assert inputs["images"].numpy().dtype == dtype


def test_images_stay_where_they_are_for_a_cpu(gpu):
    dataset = ImageDataset(np.zeros((2, 1, 1, 1), np.uint8))
    dataset.move_to(torch.device("cpu"))
    dataset[torch.arange(2)]
    assert not gpu


def test_values_beyond_float32_name_the_image():
    images = np.zeros((3, 2, 2, 1))
    images[1] = 1e39
    with pytest.raises(ValueError, match="range of float32: image 1 of 3"):
        ImageDataset(images)


def test_channel_statistics():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60000, (2500, 3, 4, 2), dtype=np.uint16)
    images[..., 1] = 7
    rows = rng.integers(0, 2500, 3000)
    dataset = ImageDataset(images, rows=rows)
    mean, std = dataset.channel_statistics()
    np.testing.assert_allclose(mean, images[rows].mean((0, 1, 2)))
    np.testing.assert_allclose(std, [images[rows][..., 0].std(), 1])


def test_image_normalization_by_hand():
    module = ImageModule(nn.Identity(), nn.Identity(), "float32")
    images = torch.tensor([[[[1.0], [3.0]]], [[[5.0], [5.0]]]])
    out = module.prepare(images)
    assert out.flatten().tolist() == [-1, 1, 0, 0]


def test_loss_by_hand():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    target, weight = torch.tensor([0, 0]), torch.tensor([1.0, 3.0])
    one = np.log(1 + np.exp(-2))
    two = np.log(1 + np.exp(1))
    loss = WeightedCrossEntropyLoss()(logits, (target, weight))
    assert loss.item() == pytest.approx((one + 3 * two) / 2, rel=1e-6)
    # Smoothing by 0.2 puts 0.9 on the label and 0.1 on the other class.
    smooth = WeightedCrossEntropyLoss(0.2)(logits, (target, torch.ones(2)))
    by_hand = (one + 0.1 * 2 + two - 0.1 * 1) / 2
    assert smooth.item() == pytest.approx(by_hand, rel=1e-6)


def test_focal_loss_by_hand():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    y_true = torch.tensor([0, 0]), torch.tensor([1.0, 3.0])
    p = torch.softmax(logits, 1)[:, 0].numpy()
    by_hand = ((1 - p) ** 2 * -np.log(p) * [1, 3]).mean()
    assert WeightedFocalLoss()(logits, y_true).item() == pytest.approx(by_hand)
    for smoothing in (0.0, 0.2):
        torch.testing.assert_close(
            WeightedFocalLoss(smoothing, gamma=0)(logits, y_true),
            WeightedCrossEntropyLoss(smoothing)(logits, y_true),
        )


def test_weights_by_hand():
    rows, weight = repeat_by_weight(np.array([2.0, 0.0, 0.5, 1.5]))
    assert rows.tolist() == [0, 0, 2, 3, 3]
    assert weight.tolist() == [1, 1, 0.5, 0.75, 0.75]


def test_weights_that_would_never_end():
    with pytest.raises(ValueError, match="divide the weights"):
        repeat_by_weight(np.full(5, 1e12))
    with pytest.raises(ValueError, match="no positive weight"):
        repeat_by_weight(np.zeros(3))


def test_canonical_order_does_not_see_the_rows_order():
    rng = np.random.default_rng(0)
    images, target = rng.normal(size=(40, 2, 3, 1)), rng.integers(0, 2, 40)
    shuffled = rng.permutation(40)
    first, _ = canonical_order(images, target)
    second, _ = canonical_order(images[shuffled], target[shuffled])
    np.testing.assert_array_equal(first, shuffled[second])


def test_canonical_order_tells_copies():
    images = np.arange(4.0).reshape(4, 1, 1, 1)[[0, 1, 0, 2, 0]]
    _, content = canonical_order(images, np.array([0, 0, 0, 0, 1]))
    assert content[0] == content[2]
    assert len(set(content)) == 4


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_validation_split_never_parts_a_group_nor_robs_training_of_a_class(data):
    n = data.draw(st.integers(4, 60))
    target = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    target = np.unique(target, return_inverse=True)[1]
    groups = np.array(data.draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)))
    fraction = data.draw(st.sampled_from([0.05, 0.1, 0.2, 0.5]))
    use_groups = data.draw(st.booleans())
    try:
        train, valid = validation_split(
            target, groups if use_groups else None, fraction, np.random.RandomState(0)
        )
    except ValueError as error:
        assert "early_stopping" in str(error)  # noqa: PT017 (either outcome is right)
        return
    assert sorted([*train, *valid]) == list(range(n))
    assert len(valid)
    assert set(target[train]) == set(target)
    if use_groups:
        assert not set(groups[train]) & set(groups[valid])


def test_validation_split_takes_rare_groups_along():
    # The rare class stands in two groups: one of them must go to validation.
    target = np.repeat([0, 0, 0, 0, 1, 1], 10)
    groups = np.repeat([0, 1, 2, 3, 4, 5], 10)
    train, valid = validation_split(target, groups, 0.3, np.random.RandomState(0))
    assert set(target[valid]) == {0, 1}
    assert set(target[train]) == {0, 1}


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "mps"])
def test_unknown_device_is_named(device):
    with pytest.raises(ValueError, match=r"device='.*' is"):
        resolve_device(device)


def test_threads(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    monkeypatch.setattr(_runtime, "cpu_count", lambda: 8)
    assert resolve_threads() == 6
    # In a container that may use two of the machine's cores.
    monkeypatch.setattr(_runtime, "cpu_count", lambda: 2)
    assert resolve_threads() == 2
    assert resolve_threads(3) == 3
