"""What simulators do alike: ranges, groups, seeds, blocks of images."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from emclassify._typing import RandomStateLike


def as_range(
    value: float | Sequence[float],
    name: str,
    *,
    low: float,
    closed: bool = True,
    infinite: bool = False,
) -> tuple[float, float]:
    """Return a number or a pair as (low, high), or raise ValueError."""
    pair = (value, value) if isinstance(value, Real) else value
    try:
        first, last = (float(bound) for bound in pair)
    except (TypeError, ValueError):
        first, last = np.nan, np.nan
    fits = first >= low if closed else first > low
    finite = np.isfinite(last) or (infinite and first == last == np.inf)
    if not (fits and first <= last and finite):
        raise ValueError(
            f"{name} must be a number or a pair (low, high) of numbers, "
            f"{'at least' if closed else 'more than'} {low:g}; got {value!r}."
        )
    return first, last


def draw_groups(
    rng: np.random.Generator, n_samples: int, n_groups: int
) -> NDArray[np.intp]:
    """Draw each image's micrograph: all hold at least one, some many."""
    share = rng.dirichlet(np.full(n_groups, 4.0))
    rest = rng.choice(n_groups, n_samples - n_groups, p=share)
    return rng.permutation(np.concatenate([np.arange(n_groups), rest]))


def seed_sequence(random_state: RandomStateLike) -> np.random.SeedSequence:
    """Return a SeedSequence; numpy's global random state is never touched."""
    if random_state is None:
        return np.random.SeedSequence()
    if isinstance(random_state, Integral):
        return np.random.SeedSequence(int(random_state))
    words = check_random_state(random_state).randint(0, 2**31, size=4)
    return np.random.SeedSequence([int(word) for word in words])


def check_n_groups(n_groups: int | None, n_samples: int, what: str) -> int:
    """Return the number of groups, one for every 20 images by default."""
    if n_groups is None:
        return max(n_samples // 20, min(n_samples, 10))
    if n_groups > n_samples:
        raise ValueError(
            f"n_groups={n_groups} {what} cannot share n_samples={n_samples} images: "
            "each needs at least one. Lower n_groups."
        )
    return n_groups


def fill_blocks(
    fill: Callable[..., Any],
    n_samples: int,
    block: int,
    seed: np.random.SeedSequence,
    n_jobs: int | None,
) -> None:
    """Call ``fill(start, seed)`` for each block of images, each with a seed of its own.

    Blocks, not workers, own random numbers: the images do not depend on `n_jobs`.
    """
    starts = range(0, n_samples, block)
    # Threads only: other workers would fill copies of the arrays.
    joblib.Parallel(n_jobs=n_jobs, require="sharedmem")(
        joblib.delayed(fill)(start, of_block)
        for start, of_block in zip(starts, seed.spawn(len(starts)), strict=True)
    )
