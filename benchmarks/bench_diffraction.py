"""Speed of sorting 7,000 diffraction patterns, against our own diffusion map.

CenterCrop to 128×128, PixelStandardizer and ResNetClassifier(2, 2) predict 256×256
patterns of 16-bit counts; the network has been trained before, as at a beamline. The
opponent does what the semi-automatic way has to do for every new set: crop, fit a
diffusion map and cluster it, and label all from five labelled patterns a class. Once on
the standardised pixels, as the network gets them, and once on the deviations in rings,
which is the one that sorts well. The source has 30 s on four cores for 7,000 patterns,
and 5 for the ratio.

700 patterns are simulated and repeated; those of the map get a little noise, lest it
see copies. The process time is told beside the wall clock's: on a machine that is not
quiet, that with one thread is the one to look at, since threads wait for each other.

    python benchmarks/bench_diffraction.py [number of patterns] [threads, 2]
"""

import sys
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from emclassify import (
    CenterCrop,
    PixelStandardizer,
    ResNetClassifier,
    make_diffraction_patterns,
)
from emclassify.baselines import DiffusionMapClassifier

sys.path.append(str(Path(__file__).parents[1]))

from studies.diffraction._parts import (
    N_LABELLED,
    SIZE,
    diffusion_map_of_rings,
    few_labels,
)

SECONDS_WANTED, RATIO_OF_THE_SOURCE = 5.0, 5.0


def timed(function):
    """Return wall-clock and process time of a call, in s."""
    wall, cpu = perf_counter(), process_time()
    function()
    return perf_counter() - wall, process_time() - cpu


def shown(name, times, note=""):
    print(f"{name}: {times[0]:.1f} s (process time {times[1]:.1f} s){note}", flush=True)


def main(n, n_threads):
    some = make_diffraction_patterns(min(n, 700), n_jobs=n_threads, random_state=0)
    repeat = np.resize(np.arange(len(some.images)), n)
    X, single = some.images[repeat], some.target[repeat] == "good"
    few = few_labels(single, seed=0)
    network = make_pipeline(
        CenterCrop(SIZE),
        PixelStandardizer(),
        ResNetClassifier(max_epochs=1, n_threads=n_threads, random_state=0),
    ).fit(some.images, some.target)
    network.predict(X[:256])
    ours = min(timed(lambda: network.predict(X)) for _ in range(3))
    shown(
        f"ResNet(2, 2), {n:,} patterns of 256×256, {n_threads} threads",
        ours,
        f", wanted {SECONDS_WANTED * n / 7000:.1f} s; {n / ours[0]:,.0f} patterns/s",
    )
    cropped = network[0].transform(X)
    shown("  of this PixelStandardizer", timed(lambda: network[1].transform(cropped)))

    rng = np.random.default_rng(0)
    noisy = X + (rng.integers(0, 100, X.shape, np.uint8) == 0)
    maps = {
        "standardised pixels": make_pipeline(
            PixelStandardizer(),
            DiffusionMapClassifier(8, n_components=6, unlabelled=-1, random_state=0),
        ),
        "deviations in rings": diffusion_map_of_rings(8),
    }
    for name, model in maps.items():

        def sort(model=model):
            patterns = CenterCrop(SIZE).fit_transform(noisy)
            fitted = model.fit(patterns, few)[-1]
            return fitted.cluster_shares_.argmax(axis=1)[fitted.clusters_]

        times = timed(sort)
        shown(
            f"diffusion map of {name}, {N_LABELLED} labels a class",
            times,
            f"; ratio {times[0] / ours[0]:.1f} in wall clock, "
            f"{times[1] / ours[1]:.1f} in process time (source "
            f"{RATIO_OF_THE_SOURCE:g})",
        )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    n, n_threads = given + [7000, 2][len(given) :]
    with threadpool_limits(n_threads):
        main(n, n_threads)
