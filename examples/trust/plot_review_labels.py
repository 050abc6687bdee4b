"""
From doubtful labels to a better model
======================================

One label in twenty is wrong. `doubtful_labels` says which to look at first, a page in
the browser takes what was decided, and `apply_corrections` brings it back into the
table. The images are **simulated** liposomes, and so is the person at the browser: it
is known which labels are wrong.
"""

# %%
# Labels, of which some are wrong
# -------------------------------

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from emclassify import (
    apply_corrections,
    doubtful_labels,
    make_liposomes,
    svm_baseline,
    write_review_page,
)

data = make_liposomes(600, image_size=40, weights=[0.5, 0.35, 0.15], random_state=0)
rng = np.random.default_rng(0)
truth = data.target.astype(object)
labels = truth.copy()
wrong = np.sort(rng.choice(600, 30, replace=False))
for i in wrong:
    labels[i] = rng.choice([name for name in data.target_names if name != truth[i]])
pd.crosstab(truth, labels, rownames=["truth"], colnames=["label"])

# %%
# Which to look at first
# ----------------------
# Each image is judged by a model that has not seen it: folds keep micrographs whole. It
# has to give probabilities, so the SVM is calibrated. The features of an image depend
# on no other image and on no label, so they are computed once, for all folds.

svm = svm_baseline()
features, classifier = svm[0].fit_transform(data.images), svm[1:]
folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
model = CalibratedClassifierCV(classifier, ensemble=False, cv=3)
ranked = doubtful_labels(model, features, labels, groups=data.groups, cv=folds)
ranked[["sample", "label", "predicted", "probability", "quality"]].head()

# %%
# How many of the wrong labels are found, by how many images are looked at: in the order
# of doubt, and in any order.

found = np.isin(ranked["sample"], wrong).cumsum()
fig, ax = plt.subplots(layout="constrained")
ax.plot(np.arange(1, 601), found, label="most doubtful first")
ax.plot([0, 600], [0, 30], "--", color="grey", label="in any order")
ax.axvline(60, color="black", linewidth=0.8)
ax.annotate(f"{found[59]} of 30 in the first tenth", (75, 22))
ax.set(xlabel="images looked at", ylabel="wrong labels found", xlim=(0, 600))
ax.legend(loc="lower right")
plt.show()

# %%
# The page
# --------
# One file that opens in any browser. Keys set labels, Enter shows an image large, and
# what was done is saved as ``corrections.csv``.

probabilities = ranked.sort_values("sample").filter(like="probability_")
classes = [name.removeprefix("probability_") for name in probabilities]
folder = Path(tempfile.mkdtemp())
page = write_review_page(
    data.images,
    probabilities.to_numpy(),
    labels,
    classes=classes,
    groups=data.groups,
    path=folder / "review.html",
)
f"{page.name}, {page.stat().st_size / 1e6:.1f} MB"

# %%
# These eight it shows first, with what they really are:

first = ranked["sample"].to_numpy()[:8]
fig, axes = plt.subplots(2, 4, figsize=(7, 4), layout="constrained")
for ax, i in zip(axes.flat, first, strict=True):
    ax.imshow(data.images[i], cmap="gray")
    ax.set_title(f"{labels[i]},\nis {truth[i]}", fontsize=8)
    ax.set_axis_off()
plt.show()

# %%
# What was decided
# ----------------
# Here somebody looked at the first tenth and knew the truth. A page writes this table
# itself.

seen = ranked["sample"].to_numpy()[:60]
changed = seen[labels[seen] != truth[seen]]
corrections = pd.DataFrame(
    {
        "index": changed,
        "old_label": labels[changed],
        "new_label": truth[changed],
        "excluded": False,
    }
)
corrected = apply_corrections(labels, corrections)
corrected.table["label"].ne(labels).sum()

# %%
# And the model? Both are trained out of fold, and judged by the truth.

rows = {}
for name, target in {
    "labels as they came": labels,
    "after the first tenth": corrected.table["label"].to_numpy(),
    "all labels right": truth,
}.items():
    said = cross_val_predict(classifier, features, target, groups=data.groups, cv=folds)
    rows[name] = {
        "wrong labels": (target != truth).sum(),
        "macro F1": f1_score(truth, said, average="macro"),
    }
pd.DataFrame(rows).T.round(3)
