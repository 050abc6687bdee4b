"""The budget of training, at sizes that were worked out by hand."""

import pytest

from emclassify.training._budget import auto_batch_size, auto_max_epochs


@pytest.mark.parametrize(
    ("n_samples", "n_outputs", "batch_size", "max_epochs"),
    [
        (20, 3, 16, 150),
        (100, 5, 16, 100),
        (480, 3, 32, 100),
        (960, 3, 32, 84),
        (2732, 7, 32, 76),
        (2620, 16, 32, 100),
        (5141, 5, 32, 47),
        (60_000, 10, 128, 20),
        (10**6, 2, 128, 5),
    ],
)
def test_budget(n_samples, n_outputs, batch_size, max_epochs):
    assert auto_batch_size(n_samples) == batch_size
    assert auto_max_epochs(n_samples, n_outputs, batch_size) == max_epochs
