"""Per-class confusion figures: functions, one table, scorers."""

from ._per_class import (
    negative_predictive_value_score,
    per_class_scores,
    per_class_scores_from_confusion_matrix,
)
from ._per_class_scorers import PerClassScorer, per_class_scorers

__all__ = [
    "PerClassScorer",
    "negative_predictive_value_score",
    "per_class_scorers",
    "per_class_scores",
    "per_class_scores_from_confusion_matrix",
]
