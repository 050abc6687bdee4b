"""Macro-F1 of the default LipNetClassifier against a short loop in bare PyTorch.

    python benchmarks/accuracy_against_torch_loop.py FOLDER LABELS.csv GROUP_COLUMN

Both train LipNet-4 on the same images (48×48), on the same folds by group. The loop is
what a competent user writes: quarter turns and flips, AdamW with a one-cycle rate,
label smoothing 0.1, 20 epochs.
"""

import argparse
import time

import numpy as np
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from torch import nn

from emclassify import LipNetClassifier, ResizeImages, load_image_folder
from emclassify.nets import LipNet4


def torch_loop(X, y, X_test, *, epochs, seed, batch_size=128, lr=3e-3):
    """Train and predict without emclassify's training code."""
    torch.manual_seed(seed)
    classes, target = np.unique(y, return_inverse=True)
    mean, std = X.mean(), X.std()
    X, X_test = (
        torch.tensor((Z - mean) / std, dtype=torch.float32)[:, None]
        for Z in (X, X_test)
    )
    target = torch.tensor(target)
    net = LipNet4((*X.shape[2:], 1), len(classes))
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr)
    n_batches = len(X) // batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=epochs * n_batches
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(epochs):
        net.train()
        order = torch.randperm(len(X))
        for i in range(n_batches):
            index = order[i * batch_size : (i + 1) * batch_size]
            batch = torch.rot90(X[index], int(torch.randint(4, ())), (2, 3))
            if torch.rand(()) < 0.5:
                batch = batch.flip(3)
            batch = batch.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            loss_of(net(batch), target[index]).backward()
            optimizer.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        logits = torch.cat([net(batch) for batch in X_test.split(256)])
    return classes[logits.argmax(1).numpy()]


def main():
    """Print both models' macro-F1 for each fold asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("labels")
    parser.add_argument("group_column")
    parser.add_argument("--folds", default="0,1,2,3,4")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["loop", "emclassify"])
    args = parser.parse_args()
    data = load_image_folder(
        args.folder, labels=args.labels, group_column=args.group_column
    )
    X, y = ResizeImages((48, 48)).fit_transform(data.images), data.target
    torch.set_num_threads(1)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=args.seed)
    wanted = [int(fold) for fold in args.folds.split(",")]
    for fold, (train, test) in enumerate(splitter.split(X, y, data.groups)):
        if fold not in wanted:
            continue
        scores = {}
        if args.only != "loop":
            clf = LipNetClassifier(max_epochs=args.epochs, random_state=args.seed)
            start = time.perf_counter()
            clf.fit(X[train], y[train])
            predicted = clf.predict(X[test])
            scores["LipNetClassifier"] = predicted, time.perf_counter() - start
        if args.only != "emclassify":
            start = time.perf_counter()
            predicted = torch_loop(
                X[train], y[train], X[test], epochs=args.epochs, seed=args.seed
            )
            scores["torch loop"] = predicted, time.perf_counter() - start
        for name, (predicted, seconds) in scores.items():
            score = f1_score(y[test], predicted, average="macro")
            print(f"fold {fold}: {name}: macro-F1 {score:.4f}, {seconds:.0f} s")


if __name__ == "__main__":
    main()
