from .benchmark._benchmark import benchmark_classifiers
from .benchmark._corrected_ttest import CorrectedTTestResult, corrected_resampled_ttest
from .benchmark._ensemble_gain import ensemble_gain
from .benchmark._result import BenchmarkResult
from .running._dask_backend import dask_backend
from .splits._folds import check_folds
from .splits._multilabel_split import MultilabelStratifiedGroupKFold
from .splits._near_duplicates import find_duplicates
from .splits._split_audit import SplitAudit, audit_split
from .thresholds._bounded_threshold import BoundedThresholdClassifierCV
from .thresholds._class_threshold import ClassThresholdClassifierCV
from .thresholds._reject import RejectClassifierCV
from .transfer._transfer import transfer_matrix
from .transfer._transfer_result import TransferMatrixResult

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
    "dask_backend",
    "ensemble_gain",
    "find_duplicates",
    "transfer_matrix",
]
