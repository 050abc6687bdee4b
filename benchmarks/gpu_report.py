"""What a GPU does: speed against named opponents, and whether the results are right.

    python benchmarks/gpu_report.py [--only NAME ...] [--folds 10] [--no-compile]

Takes less than eight minutes on one card of H100 class, prints two tables in Markdown
and ends with an error if a row falls short. Every opponent runs in the same process:

hand-captured   the training step of a bare loop, written by hand as one CUDA graph
skorch          skorch.NeuralNetClassifier with its defaults
bare loop       prediction in batches of 2,048

Times are medians over epochs; the first, in which steps are captured, does not count.
All images are random numbers.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import skorch
import torch
import torch.nn.functional as F
from bench_training import skorch_net
from sklearn.model_selection import GroupKFold
from torch import nn

from emclassify import (
    BackboneClassifier,
    LipNetClassifier,
    OffSampleNetClassifier,
    ResNetClassifier,
    SeedEnsembleClassifier,
)
from emclassify.nets import OffSampleNet
from emclassify.training import RandomDihedral

N_LIPOSOMES, N_IONS = 14169, 23116
ROWS = []
CHECKS = []


def images_of(n, side, dtype=np.uint8, classes=3, channels=1):
    """Random images (n, side, side) or with channels, and labels."""
    rng = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    shape = (n, side, side) if channels == 1 else (n, side, side, channels)
    X = rng.integers(0, top, shape, dtype=dtype)
    y = rng.integers(0, classes, n)
    y[:classes] = np.arange(classes)
    return X, y


def row(name, opponent, ours, theirs, bound, *, at_least=False, unit="ms an epoch"):
    """Keep a line of the table of speed."""
    ratio = ours / theirs
    good = ratio >= bound if at_least else ratio <= bound
    sign = "≥" if at_least else "≤"
    ROWS.append(
        f"| {name} | {ours:,.1f} {unit} | {opponent}: {theirs:,.1f} | {ratio:.2f} | "
        f"{sign} {bound:g} | {'yes' if good else '**no**'} |"
    )
    print(ROWS[-1], flush=True)
    return good


class Prepared(nn.Module):
    """A network with what comes before it, as one would write it by hand."""

    def __init__(self, net, augmentation):
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)
        self.augmentation = augmentation

    def forward(self, images):
        """Return logits of images (n, height, width, channels)."""
        images = images.permute(0, 3, 1, 2).float().sub(127).div(73)
        images = self.augmentation(images)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cuda", torch.bfloat16):
            logits = self.net(images)
        return logits.float()


def hand_captured(net, X, y, batch, *, augmentation=None, compiled=False, epochs=6):
    """Return the median time in ms of an epoch of a hand-written graph."""
    images = torch.from_numpy(X if X.ndim == 4 else X[..., None]).cuda()
    target = torch.from_numpy(y).cuda()
    module = Prepared(net, augmentation or nn.Identity()).cuda().train()
    rate = torch.tensor(0.003, device="cuda")
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=rate, fused=True, capturable=True
    )
    ask = module
    if compiled:
        ask = torch.compile(module, options={"triton.cudagraphs": False})
    index = torch.zeros(batch, dtype=torch.long, device="cuda")
    total = torch.zeros((), device="cuda")

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(ask(images[index]), target[index], label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        total.add_(loss.detach())

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    times = []
    for _ in range(epochs):
        torch.cuda.synchronize()
        start = time.perf_counter()
        order = torch.randperm(len(images), device="cuda")
        for first in range(0, len(images) - batch + 1, batch):
            index.copy_(order[first : first + batch])
            graph.replay()
        total.item()
        times.append(time.perf_counter() - start)
    return 1e3 * median(times[1:])


def epoch_ms(history):
    """Return the median time of an epoch but the first, in ms."""
    return 1e3 * median([epoch["dur"] for epoch in history.to_list()[1:]])


def fitted(estimator, X, y):
    """Return ms an epoch of a fit; its step must have been captured."""
    estimator.fit(X, y)
    note = estimator.net_.captured
    if note != "step captured":
        raise RuntimeError(f"{type(estimator).__name__}: {note}")
    return epoch_ms(estimator.history_)


def lipnet(**params):
    """LipNet-4 as the rows have it."""
    settings = {"max_epochs": 6, "batch_size": 128, "random_state": 0}
    return LipNetClassifier(**{**settings, "augmentation": None, **params})


def bench_lipnet(args):
    """LipNet-4, 28×28: captured, with augmentation, compiled; skorch; five members."""
    X, y = images_of(N_LIPOSOMES, 28)
    net = lipnet().fit(X[:300], y[:300]).net_.module_.net

    def by_hand(**options):
        fresh = type(net)((28, 28, 1), 3)
        return hand_captured(fresh, X, y, 128, **options)

    theirs, ours = by_hand(), fitted(lipnet(), X, y)
    good = row("LipNet-4", "hand-captured", ours, theirs, 1.05)
    floats = X[:, None].astype(np.float32) / 255
    of_skorch = skorch_net(28, 4, "cuda").fit(floats, y)
    slow = epoch_ms(of_skorch.history)
    good &= row("skorch's defaults", "LipNet-4", slow, ours, 7, at_least=True)
    turned = fitted(lipnet(augmentation="dihedral"), X, y)
    by_dihedral = by_hand(augmentation=RandomDihedral())
    good &= row("LipNet-4, dihedral", "hand-captured", turned, by_dihedral, 1.1)
    members = SeedEnsembleClassifier(lipnet(), n_members=5, random_state=0).fit(X, y)
    together = epoch_ms(members.estimators_[0].history_)
    good &= row("five members", "five fits in turn", together, 5 * ours, 0.5)
    if args.compile:
        compiled = fitted(lipnet(compile=True), X, y)
        theirs = by_hand(compiled=True)
        good &= row("LipNet-4, compiled", "hand-captured", compiled, theirs, 1.05)
        good &= row("skorch's defaults", "compiled", slow, compiled, 10, at_least=True)
    return good


def bench_networks(args):
    """Other networks against their hand-captured steps."""
    good = True
    cases = {
        "LipNet-6, 64×64": (64, 128, LipNetClassifier(depth=6)),
        "ResNet(2, 2), 128×128": (128, 128, ResNetClassifier(2, 2)),
        "OffSampleNet, 56×56": (56, 128, OffSampleNetClassifier()),
        "EfficientNet-Lite0, 128×128, batch 32": (
            128,
            32,
            BackboneClassifier(weights="random"),
        ),
    }
    for name, (side, batch, estimator) in cases.items():
        X, y = images_of(16 * batch * 4, side)
        estimator.set_params(
            max_epochs=6, batch_size=batch, augmentation=None, random_state=0
        )
        ours = fitted(estimator, X, y)
        shape = (side, side, 1)
        net = estimator._make_net(shape, 3, 0)
        theirs = hand_captured(net, X, y, batch)
        good &= row(name, "hand-captured", ours, theirs, 1.1)
    return good


def bench_off_sample(args):
    """Ten folds by data set, five seeds each, five epochs."""
    X, y = images_of(N_IONS, 56, classes=2)
    groups = np.arange(N_IONS) % 100
    folds = list(GroupKFold(10).split(X, y, groups))
    estimator = OffSampleNetClassifier(max_epochs=5)
    ensemble = SeedEnsembleClassifier(estimator, n_members=5, random_state=0)
    start = time.perf_counter()
    for train, test in folds[: args.folds]:
        ensemble.fit(X[train], y[train]).predict_proba(X[test])
    ours = (time.perf_counter() - start) * 10 / args.folds
    train, _ = folds[0]
    floats = X[train][:, None].astype(np.float32) / 255
    net = OffSampleNet((56, 56, 1), 2)
    theirs = skorch_net(56, 2, "cuda", net, ensemble.estimators_[0].batch_size_)
    theirs.fit(floats, y[train])
    slow = 50 * 5 * epoch_ms(theirs.history) / 1e3
    return row(
        "skorch's defaults, estimated",
        "50 fits of OffSampleNet, 23,116 images",
        slow,
        ours,
        7,
        at_least=True,
        unit="s",
    )


def bench_prediction(args):
    """10,000 images of 64×64 against a bare loop in batches of 2,048."""
    good = True
    for dtype in (np.uint8, np.uint16):
        X, y = images_of(10_000, 64, dtype)
        clf = lipnet(max_epochs=1).fit(X[:600], y[:600])
        module = clf.net_.module_.eval()

        def bare(X=X, module=module):
            said = []
            with torch.inference_mode():
                for start in range(0, len(X), 2048):
                    batch = torch.from_numpy(X[start : start + 2048, ..., None])
                    said.append(module(batch.cuda()))
                return torch.cat(said).softmax(1).cpu().numpy()

        def rate(ask, X=X):
            times = []
            for _ in range(6):
                torch.cuda.synchronize()
                start = time.perf_counter()
                ask(X)
                times.append(time.perf_counter() - start)
            return len(X) / median(times[1:]) / 1e3

        ours, theirs = rate(clf.predict_proba), rate(bare)
        name = f"prediction, 64×64, {np.dtype(dtype).name}"
        good &= row(
            name, "bare loop", ours, theirs, 0.8, at_least=True, unit="k images/s"
        )
    return good


def check(name, good, detail=""):
    """Keep a line of the table of correctness."""
    CHECKS.append(f"| {name} | {'yes' if good else '**no**'} | {detail} |")
    print(CHECKS[-1], flush=True)
    return bool(good)


def same_bits(*estimators):
    """Whether networks have the same weights."""
    first, *others = [e.net_.module_.state_dict() for e in estimators]
    return all(
        torch.equal(value, other[name])
        for other in others
        for name, value in first.items()
    )


def check_results(args):
    """Say whether what a GPU computes is right."""
    X, y = images_of(2000, 28)
    X[y == 1] //= 2
    X[y == 2, :14] //= 2
    settings = {"max_epochs": 5, "batch_size": 32, "augmentation": "dihedral"}
    good = True
    from emclassify.training import _captured

    clf = lipnet(**settings).fit(X, y)
    least, _captured._LEAST_STEPS = _captured._LEAST_STEPS, 10**9
    plain = lipnet(**settings).fit(X, y)
    _captured._LEAST_STEPS = least
    good &= check(
        "the captured step is the plain step, to the bit", same_bits(clf, plain)
    )
    good &= check(
        "the same seed, the same bits", same_bits(clf, lipnet(**settings).fit(X, y))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, X)
        stored = lipnet(**settings).fit(np.load(path, mmap_mode="r"), y)
        good &= check(
            "from a memory map, the same bits",
            same_bits(clf, stored),
            stored.net_.captured,
        )
        from emclassify.persistence import save

        save(clf, Path(folder) / "model.emc")
        without = (
            "import sys, numpy; from emclassify.persistence import load;"
            "clf, X = load(sys.argv[1] + '/model.emc'), numpy.load(sys.argv[2]);"
            "numpy.save(sys.argv[1] + '/said.npy', clf.predict_proba(X))"
        )
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", without, folder, path],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            check=True,
            timeout=120,
        )
        on_cpu = np.load(Path(folder) / "said.npy")
        difference = abs(on_cpu - clf.predict_proba(X)).max()
        good &= check(
            "fitted here, loaded without a GPU", difference < 0.02, f"{difference:.4f}"
        )
    ensemble = SeedEnsembleClassifier(lipnet(**settings), n_members=3, random_state=0)
    members = ensemble.fit(X, y).estimators_
    alone = [
        lipnet(
            **settings,
        )
        .set_params(random_state=m.random_state)
        .fit(X, y)
        for m in members
    ]
    good &= check(
        "members side by side are those trained alone, to the bit",
        all(same_bits(m, a) for m, a in zip(members, alone, strict=True)),
    )
    for dtype in ("u1", "u2", "i2", "i4", "f4"):
        other = lipnet(**settings).fit(X.astype(dtype), y)
        said = other.predict_proba(X.astype(dtype))
        good &= check(
            f"images of {np.dtype(dtype).name}",
            same_bits(clf, other) and isinstance(said, np.ndarray),
            f"score {other.score(X.astype(dtype), y):.3f}",
        )
    accuracies = {}
    for device in ("cuda", "cpu"):
        accuracies[device] = [
            lipnet(**settings, device=device, precision="float32")
            .set_params(random_state=seed)
            .fit(X[:1500], y[:1500])
            .score(X[1500:], y[1500:])
            for seed in range(3)
        ]
    means = {k: np.mean(v) for k, v in accuracies.items()}
    spread = max(0.01, *(np.ptp(v) for v in accuracies.values()))
    good &= check(
        "CPU and GPU agree within the spread of seeds",
        abs(means["cuda"] - means["cpu"]) <= spread,
        f"{means['cuda']:.3f}, {means['cpu']:.3f}",
    )
    torch.use_deterministic_algorithms(True)
    try:
        asked = lipnet(**settings).fit(X, y)
        again = lipnet(**settings).fit(X, y)
    finally:
        torch.use_deterministic_algorithms(False)
    return good & check(
        "deterministic algorithms asked for",
        same_bits(asked, again),
        asked.net_.captured,
    )


PARTS = {
    "results": check_results,
    "lipnet": bench_lipnet,
    "networks": bench_networks,
    "prediction": bench_prediction,
    "off-sample": bench_off_sample,
}


def parse():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--folds", type=int, default=10, help="of ten, off-sample")
    parser.add_argument(
        "--no-compile",
        dest="compile",
        action="store_false",
        help="leave out torch.compile, which takes a minute",
    )
    return parser.parse_args()


def main():
    """Print the tables; return whether all is as it should be."""
    args = parse()
    if not torch.cuda.is_available():
        sys.exit("gpu_report.py needs a CUDA device; there is none.")
    good = True
    for name in args.only:
        start = time.perf_counter()
        try:
            good &= bool(PARTS[name](args))
        except Exception as error:
            good = check(f"{name}: {type(error).__name__}", False, str(error)[:300])
        print(f"({name}: {time.perf_counter() - start:.0f} s)", flush=True)
    print(
        f"\n{torch.cuda.get_device_name()}, torch {torch.__version__}, skorch "
        f"{skorch.__version__}, Python {platform.python_version()}, {date.today()}\n"
    )
    print("| | ours | opponent | ratio | to reach | reached |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(*ROWS, sep="\n")
    print("\n| | right | |\n| --- | --- | --- |")
    print(*CHECKS, sep="\n")
    return good


if __name__ == "__main__":
    sys.exit(not main())
