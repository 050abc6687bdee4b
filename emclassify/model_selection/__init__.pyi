from .benchmark._benchmark import benchmark_classifiers as benchmark_classifiers
from .benchmark._corrected_ttest import (
    CorrectedTTestResult as CorrectedTTestResult,
    corrected_resampled_ttest as corrected_resampled_ttest,
)
from .benchmark._ensemble_gain import ensemble_gain as ensemble_gain
from .benchmark._result import BenchmarkResult as BenchmarkResult
from .running._dask_backend import dask_backend as dask_backend
from .splits._folds import check_folds as check_folds
from .splits._multilabel_split import (
    MultilabelStratifiedGroupKFold as MultilabelStratifiedGroupKFold,
)
from .splits._near_duplicates import find_duplicates as find_duplicates
from .splits._split_audit import SplitAudit as SplitAudit, audit_split as audit_split
from .thresholds._bounded_threshold import (
    BoundedThresholdClassifierCV as BoundedThresholdClassifierCV,
)
from .thresholds._class_threshold import (
    ClassThresholdClassifierCV as ClassThresholdClassifierCV,
)
from .thresholds._reject import RejectClassifierCV as RejectClassifierCV
from .transfer._compare_domains import compare_domains as compare_domains
from .transfer._domain_comparison import DomainComparison as DomainComparison
from .transfer._transfer import transfer_matrix as transfer_matrix
from .transfer._transfer_result import TransferMatrixResult as TransferMatrixResult

__all__ = [
    "BenchmarkResult",
    "BoundedThresholdClassifierCV",
    "ClassThresholdClassifierCV",
    "CorrectedTTestResult",
    "DomainComparison",
    "MultilabelStratifiedGroupKFold",
    "RejectClassifierCV",
    "SplitAudit",
    "TransferMatrixResult",
    "audit_split",
    "benchmark_classifiers",
    "check_folds",
    "compare_domains",
    "corrected_resampled_ttest",
    "dask_backend",
    "ensemble_gain",
    "find_duplicates",
    "transfer_matrix",
]
