"""How often the verdict calls two models different that are equally good.

Simulated samples in groups have two sets of features of the same distribution; each
model sees one of them, so that neither is better but by chance. Models are the nearest
mean, with noise on its direction that stands for the seed of a training.

    python benchmarks/verdict_level.py [draws]
"""

import sys

import numpy as np

from emclassify.model_selection import corrected_resampled_ttest

REPEATS = (1, 3, 10)
# Groups, samples in each, and the likeness within groups.
WORLDS = ((12, 20, 0.0), (12, 20, 0.3), (12, 20, 0.8), (25, 8, 0.3), (200, 1, 0.0))
# Few samples: folds often differ by the same count.
SMALL = ((12, 20, 0.0), (12, 20, 0.8), (12, 5, 0.0), (12, 2, 0.0), (60, 1, 0.0))
N_FEATURES, DISTANCE = 6, 0.7


def main(n_draws=400):
    print("Shares of draws with p < 0.05; 0.05 or less is wanted.")
    cases = [(5, world, REPEATS) for world in WORLDS]
    cases += [(n_folds, world, REPEATS[:2]) for n_folds in (2, 3) for world in SMALL]
    for n_folds, world, repeats in cases:
        for noise in (0.0, 0.7):
            new, same = levels(n_folds, *world, noise, n_draws=n_draws, repeats=repeats)
            said = ", ".join(
                f"{r} repeats {a:.3f} (same folds {b:.3f})"
                for r, a, b in zip(repeats, new, same, strict=True)
            )
            print(f"{n_folds} folds, groups {world}, noise {noise}: {said}", flush=True)


def levels(
    n_folds, n_groups, size, likeness, noise, *, n_draws, repeats=REPEATS, seed=0
):
    """Return the shares of false alarms, with new and with the same folds."""
    rng = np.random.default_rng(seed)
    alarms = np.zeros((2, len(repeats)))
    for _ in range(n_draws):
        worlds, y, groups = draw(rng, n_groups, size, likeness)
        fixed = np.array_split(rng.permutation(n_groups), n_folds)
        differences = np.empty((2, max(repeats), n_folds))
        for repeat in range(max(repeats)):
            new = np.array_split(rng.permutation(n_groups), n_folds)
            for kind, parts in enumerate((new, fixed)):
                a, b = (
                    accuracies(X, y, groups, n_groups, parts, rng, noise)
                    for X in worlds
                )
                differences[kind, repeat] = a - b
        for i, n in enumerate(repeats):
            new, same = differences[:, :n]
            alarms[0, i] += alarm(new.ravel(), n_folds)
            alarms[1, i] += alarm(same.mean(axis=0), n_folds)
    return alarms / n_draws


def alarm(differences, n_folds):
    """Whether the test says that there is a difference."""
    zeros = np.zeros(len(differences))
    ratio = 1 / (n_folds - 1)
    test = corrected_resampled_ttest(differences, zeros, test_train_ratio=ratio)
    return test.pvalue < 0.05


def draw(rng, n_groups, size, likeness):
    """Return two sets of features, labels and groups."""
    groups = np.repeat(np.arange(n_groups), size)
    y = np.arange(len(groups)) % 2
    sets = []
    for _ in range(2):
        of_group = rng.normal(size=(n_groups, 2, N_FEATURES))[groups, y]
        own = rng.normal(size=(len(y), N_FEATURES))
        features = np.sqrt(likeness) * of_group + np.sqrt(1 - likeness) * own
        sets.append(features + DISTANCE * (y[:, np.newaxis] - 0.5))
    return sets, y, groups


def accuracies(X, y, groups, n_groups, parts, rng, noise):
    """Return the accuracy of the nearest mean on each part, trained on the others."""
    sums = np.zeros((n_groups, 2, X.shape[1]))
    np.add.at(sums, (groups, y), X)
    counts = np.zeros((n_groups, 2))
    np.add.at(counts, (groups, y), 1)
    scores = []
    for part in parts:
        total = sums.sum(axis=0) - sums[part].sum(axis=0)
        means = total / (counts.sum(axis=0) - counts[part].sum(axis=0))[:, np.newaxis]
        direction = means[1] - means[0]
        jitter = noise * np.linalg.norm(direction) / np.sqrt(X.shape[1])
        direction = direction + jitter * rng.normal(size=X.shape[1])
        test = np.isin(groups, part)
        said = (X[test] - means.mean(axis=0)) @ direction > 0
        scores.append((said == y[test]).mean())
    return np.array(scores)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
