"""How often intervals hold the true value, for samples that come in groups.

Groups are simulated from independent samples to all-or-nothing: the share of hits in a
group is drawn from a beta distribution with the wanted correlation within groups.

    python benchmarks/interval_coverage.py [draws]
"""

import sys

import numpy as np

from emclassify.metrics._proportion import proportion_limits
from emclassify.model_selection.thresholds._reject import error_threshold

LEVEL = 0.95
GROUPS = (4, 6, 10, 20, 50)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
DEGREES = (0.0, 0.05, 0.1, 0.3, 0.5, 0.8, 1.0)
SIZES = ("equal", "unequal")


def main(n_draws=2000):
    print_proportions(n_draws)
    print_rejection(n_draws // 4)


def group_sizes(n_groups, sizes):
    """Return 20 samples in each group, or from 4 to 100."""
    if sizes == "equal":
        return np.full(n_groups, 20)
    return np.geomspace(4, 100, n_groups).round().astype(int)


def draw_hits(rng, sizes, share, degree, n_draws):
    """Return hits (n_groups, n_draws) of groups that are alike within to a degree."""
    shape = len(sizes), n_draws
    if degree == 0:
        of_group = np.full(shape, share)
    elif degree == 1:
        of_group = (rng.random(shape) < share).astype(float)
    else:
        spread = (1 - degree) / degree
        of_group = rng.beta(share * spread, (1 - share) * spread, shape)
    return rng.binomial(sizes[:, np.newaxis], of_group)


def proportion_coverage(n_groups, sizes, *, n_draws, seed=0):
    """Return the share of intervals that hold the truth, by true share and degree."""
    rng = np.random.default_rng(seed)
    sizes = group_sizes(n_groups, sizes)
    table = np.empty((len(SHARES), len(DEGREES)))
    for i, share in enumerate(SHARES):
        for j, degree in enumerate(DEGREES):
            hits = draw_hits(rng, sizes, share, degree, n_draws)
            counted = np.repeat(sizes[:, np.newaxis], n_draws, axis=1)
            low, high = proportion_limits(hits, counted, LEVEL)
            table[i, j] = np.mean((low <= share) & (share <= high))
    return table


def print_proportions(n_draws):
    print(f"Proportions, {n_draws} draws, lowest and mean of {len(SHARES)} shares:")
    for sizes in SIZES:
        print(f"{sizes:8}" + "".join(f"{degree:>12g}" for degree in DEGREES))
        for n_groups in GROUPS:
            table = proportion_coverage(n_groups, sizes, n_draws=n_draws)
            cells = zip(table.min(axis=0), table.mean(axis=0), strict=True)
            print(f"{n_groups:8}" + "".join(f"  {a:.3f} {b:.3f}"[1:] for a, b in cells))


def rejection_errors(n_groups, kind, degree, *, n_draws, seed=0, bound=0.05):
    """Return how often the true error of what is accepted is above the bound.

    With 10 samples a group. The true error is one less the confidence, or the same
    whatever the confidence.
    """
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), 10)
    n, above, accepted = len(groups), 0, 0.0
    for _ in range(n_draws):
        confidence = rng.uniform(0.8, 1, n)
        error = 1 - confidence if kind == "calibrated" else np.full(n, kind)
        copies = rng.random(n) < degree
        luck = np.where(copies, rng.random(n_groups)[groups], rng.random(n))
        threshold = error_threshold(
            np.zeros(n),
            (luck < error).astype(float),
            confidence,
            np.ones(n),
            groups,
            max_error=bound,
            confidence_level=LEVEL,
        )
        taken = confidence >= threshold
        accepted += taken.mean()
        above += taken.any() and error[taken].mean() > bound
    return above / n_draws, accepted / n_draws


def print_rejection(n_draws):
    print(f"True error above a bound of 0.05 (share accepted), {n_draws} draws:")
    print(f"{'groups':>8}{'degree':>8}{'calibrated':>18}{'always 0.06':>18}", end="")
    print(f"{'always 0.1':>18}")
    for n_groups in (4, 10, 60, 100, 200):
        for degree in (0.0, 0.2, 1.0):
            print(f"{n_groups:8}{degree:8g}", end="")
            for kind in ("calibrated", 0.06, 0.1):
                above, taken = rejection_errors(n_groups, kind, degree, n_draws=n_draws)
                print(f"{above:9.1%} ({taken:5.1%})", end="", flush=True)
            print()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
