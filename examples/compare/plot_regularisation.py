"""
What is each way of regularisation worth?
=========================================

A network with hundreds of thousands of weights can learn a small training set by heart.
Five ways to keep it from that, each alone and all together: weight decay, label
smoothing, dropout, early stopping and augmentation. All images are **simulated**.
"""

# %%
# A network without any
# ---------------------
# ``plain`` turns off what :class:`~emclassify.classifiers.LipNetClassifier` does by
# default; each way turns on one thing again.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, cross_validate

from emclassify import LipNetClassifier, make_liposomes

plain = {
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "dropout": 0.0,
    "dropout_dense": 0.0,
    "early_stopping": False,
    "augmentation": None,
}
ways = {
    "none": {},
    "weight decay": {"weight_decay": 0.01},
    "label smoothing": {"label_smoothing": 0.1},
    "dropout": {"dropout": 0.25, "dropout_dense": 0.5},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 3},
    "augmentation": {"augmentation": "affine"},
}
everything = {name: value for way in ways.values() for name, value in way.items()}
ways["all five"] = everything

data = make_liposomes(
    110,
    task="encapsulation",
    filling=0.45,
    image_size=24,
    weights={"full": 0.5, "empty": 0.5},
    n_groups=11,
    random_state=0,
)

# %%
# Training and test side
# ----------------------
# What regularisation does shows in the gap between the two: scikit-learn's
# :func:`~sklearn.model_selection.cross_validate` gives both.

scores = {}
for name, way in ways.items():
    found = cross_validate(
        LipNetClassifier(max_epochs=9, batch_size=16, random_state=0, **(plain | way)),
        data.images,
        data.target,
        groups=data.groups,
        cv=StratifiedGroupKFold(2, shuffle=True, random_state=0),
        scoring="f1_macro",
        return_train_score=True,
    )
    scores[name] = {
        "training": found["train_score"].mean(),
        "test": found["test_score"].mean(),
    }
scores = pd.DataFrame(scores).T
scores.assign(gap=scores["training"] - scores["test"]).round(3)

# %%

figure, ax = plt.subplots(figsize=(6.6, 3.2), layout="constrained")
place = np.arange(len(scores))[::-1]
ax.hlines(place, scores["test"], scores["training"], colors="0.7", lw=3, zorder=0)
ax.plot(scores["training"], place, "o", mfc="white", color="C0", label="training side")
ax.plot(scores["test"], place, "o", color="C0", label="test side")
ax.set_yticks(place, scores.index)
ax.set(xlabel="macro F1, mean of 2 folds")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2, frameon=False)
plt.show()

# %%
# How much to believe
# -------------------
# Little: some 55 training images, nine epochs, two folds. Regularisation slows
# learning, so in a short run it can cost more than it brings, and early stopping gives
# a tenth of the few images away. Regularisation is for long training, in which the
# plain network has the time to learn its images by heart. With the thesis's number of
# images and five folds:
#
# .. code-block:: bash
#
#     python -m studies.liposomes --out results --full --only regularisation
