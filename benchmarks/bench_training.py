"""Speed of training LipNet-4 and of predicting, against what a user would write.

    python benchmarks/bench_training.py [--images 4096] [--epochs 2] [--runs 5]
                                        [--device cpu] [--only NAME ...]

The opponents train the same network on the same images for as many epochs, in batches
of 128, with AdamW, on the same device and number of threads:

skorch    skorch.NeuralNetClassifier with its defaults: float32 tensors, a DataLoader
dataset   the same, with a Dataset that augments image by image (scipy.ndimage)
loop      a bare PyTorch loop at our precision, channels last, images resident
compile   compile=True against our own compile=False; the time to compile does not count

Each pair runs by turns; the ratio is that of the medians.
"""

import argparse

import numpy as np
import torch
from _timing import by_turns, report
from scipy import ndimage
from skorch import NeuralNetClassifier
from torch import nn
from torch.utils.data import Dataset

from emclassify import LipNetClassifier, ResizeImages, make_liposomes
from emclassify.nets import LipNet4
from emclassify.training import resolve_device, resolve_precision

BATCH = 128
CASES = ("skorch", "loop", "affine", "compile", "predict")


def standardised(X):
    """Images (n, 1, height, width) in float32, of mean 0 and deviation 1."""
    X = X[:, np.newaxis].astype(np.float32)
    return (X - X.mean()) / X.std()


def skorch_net(image_size, epochs, device, net=None, batch_size=BATCH):
    """Return a network, LipNet-4 if none is given, in skorch as its docs start."""
    return NeuralNetClassifier(
        net or LipNet4((image_size, image_size, 1), 3),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=0.003,
        max_epochs=epochs,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        device=device,
        verbose=0,
    )


class AugmentedImages(Dataset):
    """One affine map an image, with a spline, and flips."""

    def __init__(self, images, target):
        self.images, self.target = images, target
        self.rng = np.random.default_rng(0)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image, draw = self.images[i, 0], self.rng.uniform
        angle, shear, zoom = draw(-np.pi, np.pi), draw(0, 0.2), draw(0.8, 1.0)
        cos, sin = np.cos(angle), np.sin(angle)
        matrix = np.array([[cos, -sin], [sin, cos]])
        matrix = zoom * matrix @ np.array([[1, 0], [np.tan(shear), 1]])
        centre = (np.array(image.shape) - 1) / 2
        shift = draw(-0.1, 0.1, 2) * image.shape
        image = ndimage.affine_transform(
            image, matrix, centre - matrix @ (centre + shift), order=3, mode="reflect"
        )
        rows, columns = self.rng.choice([-1, 1], 2)
        image = image[::rows, ::columns]
        return np.ascontiguousarray(image[np.newaxis]), self.target[i]


def bare_loop(images, target, epochs, device, precision):
    """Train in a loop over batches of a resident tensor."""
    X = torch.from_numpy(images).to(device)
    y = torch.from_numpy(target).to(device)
    net = LipNet4((*images.shape[2:], 1), 3).to(
        device, memory_format=torch.channels_last
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.003, fused=True)
    loss_of = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for index in torch.randperm(len(X), device=device).split(BATCH):
            batch = X[index].contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            with torch.autocast(
                device, torch.bfloat16, enabled=precision == "bfloat16"
            ):
                loss = loss_of(net(batch), y[index])
            loss.backward()
            optimizer.step()
    return loss.item()


def parse():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    return parser.parse_args()


def bench_training(args, device, precision):
    """Print the ratios of training."""
    data = make_liposomes(args.images, random_state=0)
    images = ResizeImages((28, 28)).fit_transform(data.images)
    target = np.unique(data.target, return_inverse=True)[1]
    floats = standardised(images)
    n = args.images * args.epochs

    def ours(augmentation=None, compile=False):
        LipNetClassifier(
            augmentation=augmentation,
            compile=compile,
            max_epochs=args.epochs,
            device=device,
            n_threads=args.threads,
        ).fit(images, target)

    def skorch():
        skorch_net(28, args.epochs, device).fit(floats, target)

    def dataset():
        skorch_net(28, args.epochs, device).fit(AugmentedImages(floats, target), None)

    def loop():
        bare_loop(floats, target, args.epochs, device, precision)

    gpu = device != "cpu"
    cases = {
        "skorch": ("training", ours, "skorch's defaults", skorch, 20 if gpu else 2.4),
        "loop": ("training", ours, "bare loop", loop, 0.9 if gpu else 0.95),
        "affine": (
            "training, affine augmentation",
            lambda: ours("affine"),
            "skorch with a Dataset that augments",
            dataset,
            30 if gpu else 2.8,
        ),
        "compile": (
            "training, compiled",
            lambda: ours(compile=True),
            "not compiled",
            ours,
            None,
        ),
    }
    for name in args.only:
        if name in cases:
            title, fast, opponent, slow, goal = cases[name]
            fast(), slow()
            fast, slow = by_turns(fast, slow, runs=args.runs)
            report(title, n / fast, opponent, n / slow, unit="images/s", goal=goal)


def bench_prediction(args, device):
    """Print the ratio of predicting 10,000 images of 64×64."""
    X = np.random.default_rng(0).integers(0, 256, (10_000, 64, 64), dtype=np.uint8)
    few, target = X[:256], np.arange(256) % 3
    ours = LipNetClassifier(max_epochs=1, device=device, n_threads=args.threads)
    ours.fit(few, target)
    skorch = skorch_net(64, 1, device).fit(standardised(few), target)
    mean, std = np.float32(few.mean()), np.float32(few.std())

    def predict():
        scaled = (X[:, np.newaxis].astype(np.float32) - mean) / std
        skorch.predict_proba(scaled)

    fast, slow = by_turns(lambda: ours.predict_proba(X), predict, runs=args.runs)
    report(
        "predict_proba, 64×64",
        len(X) / fast,
        "skorch's defaults",
        len(X) / slow,
        unit="images/s",
        goal=2,
    )


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    device = resolve_device(args.device)
    precision = resolve_precision("auto", device, (28, 28, 1))
    print(f"{device}, {args.threads} threads, {precision}, medians of {args.runs} runs")
    bench_training(args, str(device), precision)
    if "predict" in args.only:
        bench_prediction(args, str(device))


if __name__ == "__main__":
    main()
