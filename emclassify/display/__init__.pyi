from ._benchmark_display import BenchmarkDisplay
from ._confusion_matrices import ConfusionMatricesDisplay
from ._contact_sheet import ContactSheetDisplay
from ._coverage_risk import CoverageRiskDisplay
from ._duplicate_pairs import DuplicatePairsDisplay
from ._embedding_display import EmbeddingDisplay
from ._group_scores import GroupScoresDisplay
from ._mask_proposals import MaskProposalsDisplay
from ._removed_images import RemovedImagesDisplay
from ._report import write_report
from ._transfer_matrix import TransferMatrixDisplay

__all__ = [
    "BenchmarkDisplay",
    "ConfusionMatricesDisplay",
    "ContactSheetDisplay",
    "CoverageRiskDisplay",
    "DuplicatePairsDisplay",
    "EmbeddingDisplay",
    "GroupScoresDisplay",
    "MaskProposalsDisplay",
    "RemovedImagesDisplay",
    "TransferMatrixDisplay",
    "write_report",
]
