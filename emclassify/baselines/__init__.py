"""What a network has to beat."""

from emclassify.baselines._svm import svm_baseline

__all__ = ["svm_baseline"]
