"""Patterns a second of a stream from a CXI file, against predict_proba in memory.

    python benchmarks/bench_stream.py [patterns, 4000]

Noise of 256×256, uint16, through CenterCrop(128) and ResNetClassifier(2, 2). The stream
reads the file, predicts, and writes each row to the disk before the next batch. Memory
is that of bench_memory, for a quarter of the patterns and for all. Linux only.
"""

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import h5py
import numpy as np
from _timing import by_turns, report
from bench_memory import peak
from sklearn.pipeline import make_pipeline

from emclassify import (
    CenterCrop,
    ResNetClassifier,
    open_image_stack,
    predict_folder,
    predict_stream,
)

SIDE = 256


def write_stack(path, n):
    """Write n patterns of noise."""
    block = np.random.default_rng(0).integers(0, 999, (250, SIDE, SIDE), np.uint16)
    with h5py.File(path, "w") as file:
        shape = (n, SIDE, SIDE)
        stack = file.create_dataset("entry_1/data_1/data", shape, np.uint16)
        for start in range(0, n, len(block)):
            stack[start : start + len(block)] = block[: n - start]


def seconds_of_tenths(model, folder):
    """Return the seconds that each tenth of the predictions took."""
    with open_image_stack(next(folder.iterdir())) as stack:
        start = perf_counter()
        done = [perf_counter() - start for _ in predict_stream(model, stack)]
    return np.diff(np.array([0.0, *done])[:: len(done) // 10])


def main(n=4000):
    with tempfile.TemporaryDirectory() as parent:
        folders = {}
        for count in (n // 4, n):
            folders[count] = Path(parent) / str(count)
            folders[count].mkdir()
            write_stack(folders[count] / "run.cxi", count)
        with open_image_stack(folders[n] / "run.cxi") as stack:
            X = stack[:]
        network = ResNetClassifier(2, 2, max_epochs=1, random_state=0)
        model = make_pipeline(CenterCrop(128), network).fit(X[:200], np.arange(200) % 2)
        table = Path(parent) / "table.csv"
        stream, whole = by_turns(
            lambda: predict_folder(model, folders[n], table),
            lambda: model.predict_proba(X),
            runs=3,
        )
        report(
            f"stream of {n} patterns",
            n / stream,
            "predict_proba in memory",
            n / whole,
            unit="patterns/s",
        )
        tenths = seconds_of_tenths(model, folders[n])
        print(f"slowest tenth / median tenth: {tenths.max() / np.median(tenths):.2f}")
        for count, folder in folders.items():
            grown, _ = peak(lambda folder=folder: predict_folder(model, folder, table))
            print(
                f"{count} patterns, {count * SIDE**2 * 2 / 1e9:.2f} GB: {grown:.2f} GB"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
