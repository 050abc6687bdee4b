"""Dask as joblib's backend, with data that outlive the worker that holds them.

joblib hands large arguments to one worker each and passes on where they lie. When that
worker dies, Dask cannot make them again, and cancels every task that needs them: a
search over days ends with a `CancelledError`. Here such an argument is the result of a
task, which Dask runs again elsewhere, as it does with the folds.

Imported by whatever may run on a cluster: from then on ``backend="dask"`` of
`joblib.parallel_config` means this.
"""

from uuid import uuid4

import joblib

__all__ = ["dask_backend"]

# In bytes: no array is too large for Dask to warn about.
_NO_LIMIT = 2**62


class _LastingClient:
    """A Dask client, but for what becomes of scattered data."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def scatter(self, data, asynchronous=True, hash=False):
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


def dask_backend(**parameters):
    """Return joblib's Dask backend for the current client, with data that last.

    Parameters
    ----------
    **parameters
        As in `joblib.parallel_config`. What `scatter` names is not covered.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If there is no Dask client.
    """
    try:
        import distributed  # noqa: F401 (joblib does without, and fails later)
        from joblib._dask import DaskDistributedBackend
    except ImportError as error:
        raise ImportError(
            'backend="dask" needs Dask: pip install "emclassify[dask]".'
        ) from error
    backend = DaskDistributedBackend(**parameters)
    backend.client = _LastingClient(backend.client)
    return backend


joblib.register_parallel_backend("dask", dask_backend)
