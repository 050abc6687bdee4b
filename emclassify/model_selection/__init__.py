"""Models on the same folds, on other domains, and at a chosen working point."""

from ._benchmark import benchmark_classifiers
from ._bounded_threshold import BoundedThresholdClassifierCV
from ._class_threshold import ClassThresholdClassifierCV
from ._comparison import CorrectedTTestResult, corrected_resampled_ttest
from ._ensemble_gain import ensemble_gain
from ._folds import check_folds
from ._multilabel_split import MultilabelStratifiedGroupKFold
from ._near_duplicates import find_duplicates
from ._predict_table import predict_table
from ._reject import RejectClassifierCV
from ._result import BenchmarkResult
from ._split_audit import SplitAudit, audit_split
from ._transfer import transfer_matrix
from ._transfer_result import TransferMatrixResult

__all__ = [
    "BenchmarkResult",
    "BoundedThresholdClassifierCV",
    "ClassThresholdClassifierCV",
    "CorrectedTTestResult",
    "MultilabelStratifiedGroupKFold",
    "RejectClassifierCV",
    "SplitAudit",
    "TransferMatrixResult",
    "audit_split",
    "benchmark_classifiers",
    "check_folds",
    "corrected_resampled_ttest",
    "ensemble_gain",
    "find_duplicates",
    "predict_table",
    "transfer_matrix",
]
