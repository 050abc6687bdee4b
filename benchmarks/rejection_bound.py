"""How often the true error exceeds the bound by which a threshold was found.

A calibrated classifier of one class, with confidences uniform between 0.5 and 1: from a
threshold t up, (1 - t) / 2 of the answers are wrong and (1 - t) / 0.5 accepted. From
samples of it, `RejectClassifierCV`'s search finds a threshold, many times.

    python benchmarks/rejection_bound.py [draws]
"""

import sys

import numpy as np

from emclassify.model_selection.thresholds._reject import error_threshold

MAX_ERROR = 0.1


def main(n_draws=500):
    print(f"{'samples':>7} {'level':>5} {'above':>6} {'accepted':>8} {'nothing':>7}")
    for n in (200, 1000):
        for level in (None, 0.95):
            found = draw_thresholds(n, level, n_draws)
            above = np.mean((1 - found) / 2 > MAX_ERROR)
            accepted = np.mean((1 - found) / 0.5)
            nothing = np.mean(found == 1)
            print(f"{n:7} {level!s:>5} {above:6.1%} {accepted:8.1%} {nothing:7.1%}")


def draw_thresholds(n, level, n_draws):
    """Return a threshold from 0.5 to 1 for each draw; 1 accepts nothing."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n_draws):
        confidence = rng.uniform(0.5, 1, n)
        wrong = rng.random(n) > confidence
        found.append(
            error_threshold(
                np.zeros(n),
                wrong.astype(float),
                confidence,
                np.ones(n),
                None,
                max_error=MAX_ERROR,
                confidence_level=level,
            )
        )
    return np.clip(found, 0.5, 1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
