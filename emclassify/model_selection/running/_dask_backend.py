"""Dask as joblib's backend, with data that outlive the worker that holds them.

joblib hands large arguments to one worker each and passes on where they lie. When that
worker dies, Dask cannot make them again, and cancels every task that needs them: a
search over days ends with a `CancelledError`. Here such an argument is the result of a
task, which Dask runs again elsewhere, as it does with the folds.
"""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from joblib.parallel import ParallelBackendBase

__all__ = ["dask_backend"]

# In bytes: no array is too large for Dask to warn about.
_NO_LIMIT = 2**62


class _LastingClient:
    """A Dask client, but for what becomes of scattered data."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def scatter(
        self, data: Any, asynchronous: bool = True, hash: bool = False
    ) -> Any:
        """Return the future of a task that returns `data`, as joblib calls it.

        The scheduler keeps `data` as long as the future lives.
        """
        import dask
        from toolz import identity

        with dask.config.set(
            {"distributed.admin.large-graph-warning-threshold": _NO_LIMIT}
        ):
            return self._client.submit(
                identity, data, key=f"{type(data).__name__}-{uuid4().hex}"
            )


def dask_backend(**parameters: Any) -> "ParallelBackendBase":
    """Return a Dask backend for joblib that loses nothing when a worker dies.

    joblib's own backend (``backend="dask"``) leaves large arguments, such as the
    images, with one worker; when that worker dies, everything that still needs them
    ends with a ``CancelledError``. With this one, Dask's scheduler keeps a copy of
    them, and the folds of a lost worker run again elsewhere. The results are the same.

    Parameters
    ----------
    **parameters
        Of joblib's backend: ``client``, ``scheduler_host``,
        ``wait_for_workers_timeout``, and what Dask's ``submit`` takes. Data that are
        named in ``scatter`` are handed out as joblib does it, and lost as there.

    Returns
    -------
    ParallelBackendBase
        For `joblib.parallel_config` and `joblib.Parallel`. Nothing else changes:
        ``backend="dask"`` stays joblib's own.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If there is no Dask client.

    Examples
    --------
    >>> import joblib
    >>> from distributed import Client
    >>> from sklearn.model_selection import cross_val_score
    >>> from emclassify import make_liposomes, svm_baseline
    >>> from emclassify.model_selection import dask_backend
    >>> data = make_liposomes(
    ...     90, image_size=24, weights=[1, 1, 1], n_groups=9, random_state=0
    ... )
    >>> with (
    ...     Client(processes=False, dashboard_address=":0"),
    ...     joblib.parallel_config(backend=dask_backend()),
    ... ):
    ...     len(cross_val_score(svm_baseline(), data.images, data.target, cv=3))
    3
    """
    try:
        import distributed  # noqa: F401 (joblib does without, and fails later)
        from joblib._dask import DaskDistributedBackend
    except ImportError as error:
        raise ImportError(
            'dask_backend needs Dask: pip install "emclassify[dask]".'
        ) from error
    backend = DaskDistributedBackend(**parameters)
    backend.client = _LastingClient(backend.client)
    return backend
