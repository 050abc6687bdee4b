"""Which labels a network takes for which, where an image has several."""

import itertools

import numpy as np
import pandas as pd

from emclassify.metrics import label_confusion_matrix, per_class_scores
from studies.cells._intervals import limits, write_counts
from studies.cells._models import network, out_of_fold, several, simulate

__all__ = ["CONFUSION", "confusion"]

# Beside the page: what its picture is drawn from.
CONFUSION = "cell_confusion.csv"


def confusion(args):
    """Figures of each label, and the matrix of true against predicted ones."""
    data = simulate(args, multilabel=True)
    predicted = out_of_fold(network(args, class_weight="balanced"), data, args)
    names = list(data.target_names)
    counts(data.target, predicted, names).to_csv(args.out / CONFUSION, index=False)
    write_counts(
        args.out / "confusion-counts.csv",
        data.target,
        {"balanced": predicted},
        data.groups,
        names,
    )
    scores = per_class_scores(
        data.target, predicted, target_names=names, zero_division=0
    )
    of = limits(data.target, predicted, data.groups, names)
    shown = {"F1": "F1", "TPR": "recall", "PPV": "precision"}
    scores = pd.DataFrame(
        {
            here: [(v, *of(f"{figure}_{name}")) for name, v in scores[figure].items()]
            for figure, here in shown.items()
        },
        index=scores.index,
    )
    shares = pd.DataFrame(
        label_confusion_matrix(data.target, predicted, normalize="true"),
        index=[f"{i} {name}" for i, name in enumerate(names, start=1)],
        columns=[str(i) for i, _ in enumerate(names, start=1)],
    )
    return [
        f"{args.backbones[0]}, {several(args)}, balanced class weights. Figures of "
        "each label, out of fold:",
        scores,
        "Co-occurrence: of the images that have the label of the row, the share that "
        "is given the label of the column. Labels that go together in truth are off "
        "the diagonal too. The source has such a matrix of 19 × 19.",
        shares,
    ]


def counts(true, predicted, names):
    """Return both kinds of the matrix, and its shares by row, as one long table."""
    tables = []
    for kind in ("cooccurrence", "mistakes"):
        labels = names if kind == "cooccurrence" else [*names, "none"]
        table = pd.DataFrame(
            itertools.product([kind], labels, labels),
            columns=["kind", "true", "predicted"],
        )
        for column, normalize in (("images", None), ("share", "true")):
            matrix = label_confusion_matrix(
                true, predicted, kind=kind, normalize=normalize
            )
            table[column] = np.ravel(matrix).round(4)
        tables.append(table)
    return pd.concat(tables)
