"""How accurate networks are by the length of their training, batch and set size.

    python benchmarks/learning_curves.py DATA TABLE --set vnc_sstem --network LipNet-4
        --images 1000 --side 32 --epochs 8 24 60 [--batch-size 32] [--fold 0] [--seed 0]

DATA is the folder of the sets, see `_accuracy_sets`; "liposomes" are simulated and need
none. Each number of epochs is a whole training with its own cycle of rates, on a
stratified sample of the training side, classes weighed alike. Its figures after a
tenth, three and six tenths of the epochs and at the end are added to TABLE, a CSV
file in the form of docs/results/training_length.csv, which was made so at commit
1a49013. Test images chose the rule in `emclassify.training`; these are not figures to
report for a network.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _accuracy_sets import SETS, ImageSet
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedShuffleSplit
from skorch.callbacks import Callback

from emclassify import LipNetClassifier, ResNetClassifier, make_liposomes
from emclassify.preprocessing import ResizeImages

NETWORKS = {
    "LipNet-4": (LipNetClassifier, {"depth": 4}),
    "LipNet-8": (LipNetClassifier, {"depth": 8}),
    "ResNet(2, 2)": (ResNetClassifier, {"n": 2, "m": 2}),
}
STAGES = 0.1, 0.3, 0.6, 1.0
# Test images at most, and training images that the network is asked about again.
MOST_TESTED = 800
MOST_ASKED_AGAIN = 300


class Stages(Callback):
    """Keeps what the network says of images after some of the epochs."""

    def __init__(self, epochs: set[int], **images: np.ndarray) -> None:
        self.epochs = epochs
        self.images = images
        self.said: dict[int, dict[str, np.ndarray]] = {}

    def on_epoch_end(self, net: object, **kwargs: object) -> None:
        """Ask the network, if this is one of the epochs."""
        epoch = len(net.history)
        if epoch in self.epochs:
            net.module_.eval()
            self.said[epoch] = {
                name: ask(net.module_, images) for name, images in self.images.items()
            }


def ask(module: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the number of the most probable class of each image."""
    with torch.inference_mode():
        device = next(module.parameters()).device
        batches = torch.as_tensor(images).split(64)
        found = [module(batch.to(device)).argmax(1) for batch in batches]
        return torch.cat(found).cpu().numpy()


def load_liposomes(folder: Path) -> ImageSet:
    """Return the simulated images of the README's example."""
    data = make_liposomes(600, image_size=28, weights=[0.6, 0.3, 0.1], random_state=0)
    return ImageSet(data.images, data.target, data.groups)


LOADERS: dict[str, Callable[[Path], ImageSet]] = {
    "vnc_sstem": SETS["vnc_sstem"].load,
    "elpv": SETS["elpv"].load,
    "jurkat": SETS["jurkat"].load,
    "pneumoniamnist": SETS["pneumoniamnist"].load,
    "liposomes": load_liposomes,
}


def main() -> None:
    """Train once for each number of epochs, and add the figures to the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--set", choices=LOADERS, required=True)
    parser.add_argument("--network", choices=NETWORKS, default="LipNet-4")
    parser.add_argument("--images", type=int, help="to train on; all if missing")
    parser.add_argument("--side", type=int, help="reduce images to it, in px")
    parser.add_argument("--epochs", type=int, nargs="+", required=True)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    images = LOADERS[args.set](args.data)
    for epochs in args.epochs:
        rows = measure(images, epochs, args)
        add_rows(args.table, rows)
        print(rows[-1], flush=True)


def measure(images: ImageSet, epochs: int, args: argparse.Namespace) -> list[dict]:
    """Return the figures of one training, a row a stage."""
    X, y = images.images, np.unique(images.target, return_inverse=True)[1]
    _, train, test = list(images.folds())[args.fold]
    train, test = sample(train, y, args.images), sample(test, y, MOST_TESTED)
    X = X[..., None] if X.ndim == 3 else X
    if args.side and args.side != X.shape[1]:
        X = ResizeImages((args.side, args.side)).fit_transform(X).astype(np.float32)
    again = sample(train, y, MOST_ASKED_AGAIN)
    stages = Stages(
        {max(round(epochs * part), 1) for part in STAGES}, train=X[again], test=X[test]
    )
    kind, parameters = NETWORKS[args.network]
    network = kind(
        **parameters,
        max_epochs=epochs,
        batch_size=args.batch_size,
        class_weight="balanced",
        random_state=args.seed,
        callbacks=[stages],
    ).fit(X[train], y[train])
    rows = []
    for epoch, said in sorted(stages.said.items()):
        rows.append(
            {
                "set": args.set,
                "n_train": len(train),
                "n_classes": len(np.unique(y)),
                "network": args.network,
                "image_size": X.shape[1],
                "unfreeze_after": "",
                "batch_size": args.batch_size,
                "max_epochs": epochs,
                "lr": network.lr,
                "seed": args.seed,
                "epoch": epoch,
                "images_seen": epoch * len(train),
                "updates": epoch * -(-len(train) // args.batch_size),
                "train_loss": f"{network.history_[epoch - 1]['train_loss']:.3f}",
                "train_accuracy": f"{accuracy_score(y[again], said['train']):.3f}",
                "test_accuracy": f"{accuracy_score(y[test], said['test']):.3f}",
                "test_macro_f1": f"{macro_f1(y[test], said['test']):.3f}",
            }
        )
    return rows


def macro_f1(target: np.ndarray, said: np.ndarray) -> float:
    """Return the mean F1 of the classes."""
    return f1_score(target, said, average="macro")


def sample(indices: np.ndarray, y: np.ndarray, size: int | None) -> np.ndarray:
    """Return some of the indices, each class by its share; all if there are fewer."""
    if size is None or size >= len(indices):
        return indices
    split = StratifiedShuffleSplit(1, train_size=size, random_state=0)
    return np.sort(indices[next(split.split(indices, y[indices]))[0]])


def add_rows(table: Path, rows: list[dict]) -> None:
    """Write rows at the end of a CSV file, below a header."""
    new = not table.exists()
    with table.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
