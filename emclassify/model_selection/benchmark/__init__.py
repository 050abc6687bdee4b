"""Models against each other on the same folds."""
