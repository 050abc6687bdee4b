"""Anonymous memory of fit, predict and transform on a memory map larger than they need.

    python benchmarks/bench_memory.py [gigabytes, 4]

RssAnon is what the process holds that is not backed by a file; the pages of the map,
which the system may drop at any time, don't count. A thread reads it ten times a
second; the figure is the highest, less what the process held before. Images of 256×256,
uint8; the network shrinks them at once, since what it computes is not the question.
Linux only.
"""

import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter

import numpy as np
from torch import nn

from emclassify import CNNClassifier, FeatureExtractor, ResizeImages

SIDE = 256


def anonymous_memory():
    """Return RssAnon in GB."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024 / 1e9


def peak(function):
    """Return the growth of RssAnon at its highest during a call, and its seconds."""
    before, highest, done = anonymous_memory(), [0.0], threading.Event()

    def watch():
        while not done.wait(0.1):
            highest[0] = max(highest[0], anonymous_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = perf_counter()
    function()
    seconds = perf_counter() - start
    done.set()
    watcher.join()
    return max(highest[0], anonymous_memory()) - before, seconds


def shrinking_net(image_shape, n_classes):
    """Average blocks of 32×32, then two dense layers."""
    n = (image_shape[0] // 32) * (image_shape[1] // 32)
    return nn.Sequential(
        nn.AvgPool2d(32),
        nn.Flatten(),
        nn.Linear(n, 32),
        nn.ReLU(),
        nn.Linear(32, n_classes),
    )


def make_images(path, n):
    """Write n images of noise, which no file system can leave out."""
    X = np.memmap(path, dtype=np.uint8, mode="w+", shape=(n, SIDE, SIDE))
    block = np.random.default_rng(0).integers(0, 256, (256, SIDE, SIDE), np.uint8)
    for start in range(0, n, len(block)):
        X[start : start + len(block)] = block[: n - start]
    X.flush()
    return np.memmap(path, dtype=np.uint8, mode="r", shape=(n, SIDE, SIDE))


def main(gigabytes=4.0):
    n = int(gigabytes * 1e9 / SIDE**2)
    with tempfile.TemporaryDirectory() as folder:
        X = make_images(Path(folder) / "images", n)
        y = np.arange(n) % 2
        clf = CNNClassifier(shrinking_net, max_epochs=1, random_state=0)
        few = FeatureExtractor(["histogram"])
        calls = {
            "CNNClassifier.fit": lambda: clf.fit(X, y),
            "CNNClassifier.predict": lambda: clf.predict(X),
            "FeatureExtractor.transform": lambda: few.fit_transform(X),
            "ResizeImages.transform": lambda: ResizeImages((28, 28)).fit_transform(X),
        }
        for name, call in calls.items():
            grown, seconds = peak(call)
            print(
                f"{name}: {grown:.2f} GB at most for {X.nbytes / 1e9:.1f} GB of images "
                f"({seconds:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
