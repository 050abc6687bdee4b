from ._apply_corrections import (
    CorrectedLabels as CorrectedLabels,
    apply_corrections as apply_corrections,
)
from ._doubtful_labels import doubtful_labels as doubtful_labels
from ._review_benchmark import review_benchmark as review_benchmark
from ._suggest_to_label import suggest_to_label as suggest_to_label
from ._write_review_page import write_review_page as write_review_page

__all__ = [
    "CorrectedLabels",
    "apply_corrections",
    "doubtful_labels",
    "review_benchmark",
    "suggest_to_label",
    "write_review_page",
]
