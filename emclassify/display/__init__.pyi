from ._benchmark_display import BenchmarkDisplay as BenchmarkDisplay
from ._component_histogram import (
    ComponentHistogramDisplay as ComponentHistogramDisplay,
)
from ._confusion_matrices import ConfusionMatricesDisplay as ConfusionMatricesDisplay
from ._contact_sheet import ContactSheetDisplay as ContactSheetDisplay
from ._coverage_risk import CoverageRiskDisplay as CoverageRiskDisplay
from ._domain_comparison import DomainComparisonDisplay as DomainComparisonDisplay
from ._duplicate_pairs import DuplicatePairsDisplay as DuplicatePairsDisplay
from ._embedding_display import EmbeddingDisplay as EmbeddingDisplay
from ._group_scores import GroupScoresDisplay as GroupScoresDisplay
from ._label_confusion import LabelConfusionDisplay as LabelConfusionDisplay
from ._mask_proposals import MaskProposalsDisplay as MaskProposalsDisplay
from ._removed_images import RemovedImagesDisplay as RemovedImagesDisplay
from ._report import write_report as write_report
from ._sum_spectra import SumSpectraDisplay as SumSpectraDisplay
from ._transfer_matrix import TransferMatrixDisplay as TransferMatrixDisplay

__all__ = [
    "BenchmarkDisplay",
    "ComponentHistogramDisplay",
    "ConfusionMatricesDisplay",
    "ContactSheetDisplay",
    "CoverageRiskDisplay",
    "DomainComparisonDisplay",
    "DuplicatePairsDisplay",
    "EmbeddingDisplay",
    "GroupScoresDisplay",
    "LabelConfusionDisplay",
    "MaskProposalsDisplay",
    "RemovedImagesDisplay",
    "SumSpectraDisplay",
    "TransferMatrixDisplay",
    "write_report",
]
