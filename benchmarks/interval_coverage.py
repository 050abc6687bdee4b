"""How often intervals hold the true value, for samples that come in groups.

Groups are simulated from independent samples to all-or-nothing: the share of hits in a
group is drawn from a beta distribution with the wanted correlation within groups.

    python benchmarks/interval_coverage.py [draws]
"""

import sys

import numpy as np

from emclassify.metrics._bootstrap import bootstrap_scores
from emclassify.metrics._intervals import difference_limits, score_limits
from emclassify.metrics._proportion import proportion_limits
from emclassify.metrics._targets import OneLabel
from emclassify.model_selection.thresholds._error_threshold import error_threshold

LEVEL = 0.95
GROUPS = (4, 6, 10, 20, 50)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
DEGREES = (0.0, 0.05, 0.1, 0.3, 0.5, 0.8, 1.0)
SIZES = ("equal", "unequal")
# Mean samples of each class in a group, the share of each that is found, and the
# likeness within groups.
FIGURE_WORLDS = {
    "independent": ((12, 6, 2), (0.95, 0.8, 0.6), 0.0),
    "alike": ((12, 6, 2), (0.95, 0.8, 0.6), 0.3),
    "rare and good": ((16, 1), (0.98, 0.9), 0.3),
    "very alike": ((12, 4), (0.95, 0.6), 0.8),
}


def main(n_draws=2000):
    print_figures(n_draws // 2)
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


def draw_predictions(rng, n_groups, sizes, found, degree, n_models=2):
    """Return true codes, the codes that models predict, and the group of each."""
    n_classes = len(sizes)
    n = rng.poisson(sizes, (n_groups, n_classes))
    cell = np.repeat(np.arange(n.size), n.ravel())
    units, true = np.divmod(cell, n_classes)
    said = []
    for _ in range(n_models):
        share = np.tile(found, (n_groups, 1))
        if degree:
            spread = (1 - degree) / degree
            share = rng.beta(share * spread, (1 - share) * spread)
        right = rng.random(len(cell)) < share.ravel()[cell]
        other = (true + rng.integers(1, n_classes, len(cell))) % n_classes
        said.append(np.where(right, true, other))
    return true, said, units


def true_scores(target, sizes, found):
    """Return {score: value} of the distribution that is drawn from."""
    k = len(sizes)
    wrong = np.multiply(sizes, np.subtract(1, found)) / (k - 1)
    confusion = np.tile(wrong[:, np.newaxis], (1, k))
    np.fill_diagonal(confusion, np.multiply(sizes, found))
    return target.scores(confusion.ravel())


def figure_coverage(n_groups, world, *, n_draws, seed=0, n_bootstrap=200):
    """Return {score: share of intervals that hold the truth}, with a difference's."""
    sizes, found, degree = FIGURE_WORLDS[world]
    rng = np.random.default_rng(seed)
    target = OneLabel(np.arange(len(sizes)))
    truth = true_scores(target, sizes, found)
    held = {score: [] for score in [*truth, "difference of F1_macro"]}
    for _ in range(n_draws):
        true, said, units = draw_predictions(rng, n_groups, sizes, found, degree)
        models = {m: (true, codes, units) for m, codes in enumerate(said)}
        drawn = bootstrap_scores(
            models,
            n_units=n_groups,
            target=target,
            n_bootstrap=n_bootstrap,
            seed=int(rng.integers(2**32)),
        )
        cells = target.cells(*models[0], n_groups)
        for score, (low, high) in score_limits(cells, target, drawn[0], LEVEL).items():
            if not np.isnan(low):  # without an interval there is nothing to hold
                held[score].append(low <= truth[score] <= high)
        values = [target.pooled_scores(true, codes)["F1_macro"] for codes in said]
        low, high = difference_limits(
            values[0] - values[1],
            drawn[0]["F1_macro"] - drawn[1]["F1_macro"],
            np.bincount(units, minlength=n_groups),
            LEVEL,
        )
        held["difference of F1_macro"].append(low <= 0 <= high)
    return {score: float(np.mean(times)) for score, times in held.items()}


def print_figures(n_draws):
    print(f"Figures of classes, {n_draws} draws:")
    columns = ["TPR", "PPV", "NPV", "F1", "macro", "difference", "lowest"]
    print(f"{'groups':>7} {'world':14}" + "".join(f"{c:>11}" for c in columns))
    for world in FIGURE_WORLDS:
        for n_groups in (3, 4, 5, 10, 20, 50):
            table = figure_coverage(n_groups, world, n_draws=n_draws)
            of_last = str(len(FIGURE_WORLDS[world][0]) - 1)
            shown = [table[f"{figure}_{of_last}"] for figure in columns[:4]]
            shown += [table["F1_macro"], table["difference of F1_macro"]]
            shown.append(min(table.values()))
            print(f"{n_groups:7} {world:14}" + "".join(f"{x:11.3f}" for x in shown))


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
