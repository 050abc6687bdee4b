"""What the words of the report mean: shown on hover, and at its end."""

from typing import NamedTuple

__all__ = ["TERMS", "Term", "term_of"]


class Term(NamedTuple):
    """A word of the report, what else it is called, and what it means."""

    name: str
    also: str
    meaning: str

    @property
    def anchor(self) -> str:
        """Where the end of the report explains it."""
        return "term-" + "-".join(self.name.lower().split())


TERMS = [
    Term(
        "TPR",
        "recall, sensitivity",
        "of the images of a class, the share that is found",
    ),
    Term(
        "TNR",
        "specificity",
        "of the images of other classes, the share that is not taken for it",
    ),
    Term(
        "PPV",
        "precision",
        "of the images taken for the class, the share that belongs to it",
    ),
    Term(
        "NPV",
        "",
        "of the images taken for other classes, the share that belongs to others",
    ),
    Term("F1", "", "harmonic mean of TPR and PPV"),
    Term("accuracy", "", "share of predictions that are right"),
    Term("balanced accuracy", "", "mean of the TPR of all classes"),
    Term("macro", "", "mean over classes, each counts alike"),
    Term("weighted", "", "mean over classes, weighted by their number of images"),
    Term("micro", "", "from the summed counts of all classes"),
    Term(
        "interval",
        "",
        "range that holds the true value in the stated share of such experiments",
    ),
    Term(
        "ROC AUC",
        "",
        "chance that an image of the class has a higher score than one of another "
        "class; 0.5 is guessing",
    ),
    Term(
        "average precision",
        "",
        "mean PPV as the threshold falls and TPR rises; the share of the class is "
        "guessing",
    ),
    Term(
        "Brier score",
        "",
        "mean square of probability minus truth (1 or 0); 0 is best",
    ),
    Term(
        "calibrated",
        "",
        "of the images with a probability of 0.8, 80 % belong to the class",
    ),
    Term(
        "–",
        "undefined",
        "0 divided by 0, such as the PPV of a class that was never predicted; it "
        "counts as 0 in averages. A class without true images has no figures and "
        "stays out of them",
    ),
]
_BY_NAME = {term.name: term for term in TERMS}


def term_of(label: str) -> Term | None:
    """Return the term that a label is made of: "macro F1" is a mean over classes.

    Examples
    --------
    >>> from emclassify.display._report_terms import term_of
    >>> term_of("macro F1").meaning
    'harmonic mean of TPR and PPV; macro: mean over classes, each counts alike'
    >>> term_of("jaccard") is None
    True
    """
    if label in _BY_NAME:
        return _BY_NAME[label]
    average, _, figure = label.partition(" ")
    if average not in _BY_NAME or figure not in _BY_NAME:
        return None
    mean, of = _BY_NAME[average], _BY_NAME[figure]
    return of._replace(meaning=f"{of.meaning}; {mean.name}: {mean.meaning}")
