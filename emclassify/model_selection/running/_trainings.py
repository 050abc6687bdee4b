"""What a fitted model says of the networks in it: how long they learnt, and if enough.

Any estimator with `converged_` counts, wherever it is: in pipelines, ensembles,
searches and other meta-estimators.
"""

from typing import Any

from sklearn.base import BaseEstimator

from emclassify._fitted_parts import fitted_networks

__all__ = ["tell_curves", "tell_trainings"]


def tell_trainings(estimator: BaseEstimator) -> dict[str, int] | None:
    """Return how the networks of a fitted model were trained, or None without any.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    dict
        networks : how many were trained; still_learning : how many of them say that it
        wasn't enough; updates : steps of the optimizer of each, the mean.
    """
    networks = fitted_networks(estimator)
    if not networks:
        return None
    return {
        "networks": len(networks),
        "still_learning": sum(not network.converged_ for network in networks),
        "updates": round(sum(map(_updates, networks)) / len(networks)),
    }


def tell_curves(estimator: BaseEstimator) -> list[dict[str, list[float]]]:
    """Return what each epoch of each network recorded, {name: values} a network.

    Parameters
    ----------
    estimator : fitted estimator
    """
    return [
        {name: list(map(float, values)) for name, values in curve.items()}
        for network in fitted_networks(estimator)
        if (curve := getattr(network, "learning_curve_", None))
    ]


def _updates(network: Any) -> int:
    """Return the number of batches that a network learnt from, 0 if it doesn't say."""
    epochs = getattr(network, "history_", ())
    return sum(epoch.get("train_batch_count", 0) for epoch in epochs)
