"""How time grows with the number of images: linearly, if the exponent is 1.

    python benchmarks/bench_growth.py [--sizes 1000 2000 4000 8000 16000] [--runs 5]
                                      [--only NAME ...]

transform    FeatureExtractor, the thesis's families, 64x64 uint8 with masks
fit          LipNetClassifier, one epoch, 28x28 uint8
predict      the same network

The exponent is the slope of the line through log time over log n, of the median of the
runs at each size. Time is that of the processor, on one core, so that other load on the
machine counts as little as can be; all sizes run by turns.
"""

import argparse
from statistics import median
from time import process_time

import numpy as np
import torch
from bench_features import make_stack
from threadpoolctl import threadpool_limits

from emclassify import FeatureExtractor, LipNetClassifier

NAMES = ("transform", "fit", "predict")
GOAL = 0.9, 1.1


def seconds(function):
    """Return the processor time of one call."""
    start = process_time()
    function()
    return process_time() - start


def classifier():
    """LipNet-4 for one epoch."""
    return LipNetClassifier(depth=4, max_epochs=1, device="cpu", random_state=0)


def repeated(images, n):
    """Return n images: whatever the size of a set, its images are as hard."""
    return np.resize(images, (n, *images.shape[1:]))


def call_of(name):
    """Return what is timed, a function of the number of images."""
    if name == "transform":
        stack = make_stack(1000)
        extractor = FeatureExtractor().fit(stack)
        return lambda X: extractor.transform(X), stack
    stack = make_stack(1000, size=28)[..., 0]
    if name == "predict":
        network = classifier().fit(stack, np.arange(len(stack)) % 3)
        return lambda X: network.predict(X), stack
    return lambda X: classifier().fit(X, np.arange(len(X)) % 3), stack


def measure(name, sizes, runs):
    """Return the median time at each size."""
    call, stack = call_of(name)
    sets = [repeated(stack, n) for n in sizes]
    call(sets[0])
    times = [[seconds(lambda X=X: call(X)) for X in sets] for _ in range(runs)]
    return [median(column) for column in zip(*times, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", nargs="+", type=int, default=[1000 * 2**i for i in range(5)]
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    arguments = parser.parse_args()
    if len(set(arguments.sizes)) < 2:
        parser.error("--sizes needs at least two sizes to draw a line through")
    for name in arguments.only:
        times = measure(name, arguments.sizes, arguments.runs)
        exponent = np.polyfit(np.log(arguments.sizes), np.log(times), 1)[0]
        listed = ", ".join(
            f"{n:,}: {time:.2f} s"
            for n, time in zip(arguments.sizes, times, strict=True)
        )
        print(
            f"{name}: exponent {exponent:.2f} (goal {GOAL[0]} to {GOAL[1]}); {listed}",
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    with threadpool_limits(1):
        main()
