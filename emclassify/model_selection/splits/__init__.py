"""Folds, and whether they are fair."""
