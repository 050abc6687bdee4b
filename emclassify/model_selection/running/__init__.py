"""One estimator on one fold: what each task does, and how tasks run side by side."""
