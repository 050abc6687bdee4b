"""Tasks side by side, with a progress bar."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from sklearn.utils.parallel import Parallel
from tqdm.auto import tqdm


def run_tasks(
    tasks: Iterable[Any],
    *,
    n_jobs: int | None,
    verbose: int,
    name: str,
    describe: Callable[[Any], str],
) -> list[Any]:
    """Run delayed tasks, show progress, return what they return, in any order.

    `describe` makes one line of what a task returns: shown beside the bar, and, with
    `verbose` above 1, above it. `name` stands before the bar.
    """
    outcomes = []
    progress = tqdm(total=len(tasks), desc=name, disable=verbose < 1, file=sys.stderr)
    # The generator hands back each task as it ends, and stops the rest when left.
    with progress:
        for outcome in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(tasks):
            outcomes.append(outcome)
            line = describe(outcome)
            progress.set_postfix_str(line, refresh=False)
            progress.update()
            if verbose > 1:
                progress.write(line, file=sys.stderr)
    return outcomes
