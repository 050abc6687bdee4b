from ._coverage_risk import (
    area_under_coverage_risk as area_under_coverage_risk,
    coverage_risk_curve as coverage_risk_curve,
)
from ._label_confusion import label_confusion_matrix as label_confusion_matrix
from ._operating_point import (
    OperatingPoint as OperatingPoint,
    operating_point as operating_point,
    precision_at_recall as precision_at_recall,
    recall_at_fpr as recall_at_fpr,
    recall_at_precision as recall_at_precision,
)
from ._operating_point_scorers import operating_point_scorers as operating_point_scorers
from ._per_class import (
    negative_predictive_value_score as negative_predictive_value_score,
    per_class_scores as per_class_scores,
    per_class_scores_from_confusion_matrix as per_class_scores_from_confusion_matrix,
    tpr_tnr_f1_score as tpr_tnr_f1_score,
)
from ._per_class_scorers import (
    PerClassScorer as PerClassScorer,
    per_class_scorers as per_class_scorers,
)

__all__ = [
    "OperatingPoint",
    "PerClassScorer",
    "area_under_coverage_risk",
    "coverage_risk_curve",
    "label_confusion_matrix",
    "negative_predictive_value_score",
    "operating_point",
    "operating_point_scorers",
    "per_class_scorers",
    "per_class_scores",
    "per_class_scores_from_confusion_matrix",
    "precision_at_recall",
    "recall_at_fpr",
    "recall_at_precision",
    "tpr_tnr_f1_score",
]
