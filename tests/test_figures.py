"""The table of figures, which all rooms read."""

import pytest

from emclassify.metrics import per_class_scores_from_confusion_matrix
from emclassify.metrics._figures import FIGURES, RATIOS, metric_name


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("F1_macro", "macro F1"),
        ("NPV_weighted", "weighted NPV"),
        ("F1_micro", "micro F1"),
        ("TPR_full", "TPR of full"),
        ("PPV_half_full", "PPV of half_full"),
        ("F1TNR_macro", "macro F1 of TPR and TNR"),
        ("F1TNR_full", "F1 of TPR and TNR: full"),
        ("F1", "F1"),
        ("balanced_accuracy", "balanced accuracy"),
        ("roc_auc_ovr", "roc auc ovr"),
    ],
)
def test_metric_names(metric, words):
    assert metric_name(metric) == words


def test_ratios_by_hand():
    # 4 true positives, 1 false one, 2 missed, 3 true negatives
    got = {name: ratio.parts(4, 1, 2, 3) for name, ratio in RATIOS.items()}
    assert got == {
        "TPR": (4, 6),
        "TNR": (3, 4),
        "PPV": (4, 5),
        "NPV": (3, 5),
        "F1": (8, 11),
    }


def test_tables_have_the_figures_in_this_order():
    table = per_class_scores_from_confusion_matrix([[3, 1], [2, 4]])
    assert table.columns.tolist() == [*FIGURES, "support"]
