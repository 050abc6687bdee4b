"""Models against each other on the same folds, and the checks of these folds."""

from ._benchmark import benchmark_classifiers
from ._comparison import CorrectedTTestResult, corrected_resampled_ttest
from ._folds import check_folds
from ._multilabel_split import MultilabelStratifiedGroupKFold
from ._result import BenchmarkResult

__all__ = [
    "BenchmarkResult",
    "CorrectedTTestResult",
    "MultilabelStratifiedGroupKFold",
    "benchmark_classifiers",
    "check_folds",
    "corrected_resampled_ttest",
]
