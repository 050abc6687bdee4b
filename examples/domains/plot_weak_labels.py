"""
Labels of images, questions about cells
=======================================

Proteins are labelled by image, and the question is about cells: some don't express the
protein at all. Here images are split into cells that inherit their image's label, a
model is trained on these weak labels, and its predictions are pooled to images again.
The images are **simulated**, so the truth about each cell is known.
"""

# %%
# Images with several labels
# --------------------------
# Five locations, one to three for each protein; three cells in ten are silent.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    FeatureExtractor,
    make_cell_images,
    pool_predictions,
    split_cells,
)

locations = ["nucleoplasm", "nucleoli", "Golgi apparatus", "mitochondria", "cytosol"]
data = make_cell_images(
    250, weights=dict.fromkeys(locations, 1), silent_cells=0.3, random_state=0
)
names = data.target_names
pd.Series(data.target.sum(axis=0), index=names)

# %%
# Cells
# -----
# Nuclei come from the third channel, cell bodies from the fourth. Cells whose nucleus
# the border cuts are left out.

cells = split_cells(
    data.images,
    data.target,
    nucleus_channel=2,
    cell_channel=3,
    apply_mask=True,
    on_empty="skip",
)
print(f"{len(cells.images)} cells of {(cells.n_cells > 0).sum()} images")

figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), layout="constrained")
axes[0].imshow(data.images[1][..., :3])
axes[0].set_title("image")
axes[1].imshow(np.ma.masked_equal(cells.cell_masks[1], 0), cmap="tab10", vmin=1)
axes[1].contour(cells.nucleus_masks[1] > 0, levels=[0.5], colors="k", linewidths=1)
axes[1].set_title("cells and nuclei found")
for ax in axes:
    ax.set(xticks=[], yticks=[], aspect="equal")
plt.show()

# %%
# Predictions out of fold
# -----------------------
# Folds keep plates together, and with them the cells of an image. Features are of one
# image each, so they are computed before the folds. The same model once more, on whole
# images, is what the cells have to beat.


def predict(X, y, groups, mask):
    """Return out-of-fold probabilities."""
    features = FeatureExtractor(mask=mask).fit_transform(X)
    model = make_pipeline(
        StandardScaler(),
        OneVsRestClassifier(LogisticRegression(C=0.1, max_iter=500)),
    )
    return cross_val_predict(
        model, features, y, groups=groups, cv=GroupKFold(3), method="predict_proba"
    )


plates = data.groups[cells.groups]
of_cells = predict(cells.images, cells.target, plates, "last")
of_images = predict(data.images, data.target, data.groups, "full")

# %%
# Images: pooled cells against whole images
# -----------------------------------------
# Average precision of each location, for the images that have a cell. The mean is what
# weak labels of many cells allow; noisy-or says yes as soon as any cell is sure.

seen = np.flatnonzero(cells.n_cells)
predictions = {
    f"cells, {method}": pool_predictions(of_cells, cells.groups, method=method)
    for method in ("mean", "max", "noisy_or")
}
predictions["whole images"] = of_images[seen]
by_image = pd.DataFrame(
    {
        way: average_precision_score(data.target[seen], proba, average=None)
        for way, proba in predictions.items()
    },
    index=names,
)
by_image.loc["mean"] = by_image.mean()
by_image.round(2)

# %%
# Cells: what the weak labels taught
# ----------------------------------
# For each cell that was found, the simulator's cell under its nucleus says what it
# really shows. A silent cell carries a wrong label in training; the model is never
# told which ones these are.

truth = np.zeros_like(cells.target)
silent = np.zeros(len(truth), dtype=bool)
rows = data.cell_frame.reset_index().set_index(["image", "label"])["index"]
for i, (image, label) in enumerate(zip(cells.groups, cells.labels, strict=True)):
    nucleus = cells.nucleus_masks[image] == label
    under = np.bincount(data.nucleus_masks[image][nucleus])
    row = rows[image, under.argmax()]
    truth[i] = data.cell_target[row]
    silent[i] = not data.cell_frame["expressing"][row]

by_cell = pd.DataFrame(
    {
        "the image's label": average_precision_score(truth, cells.target, average=None),
        "the model": average_precision_score(truth, of_cells, average=None),
    },
    index=names,
)
by_cell.round(2)

# %%
# The image's label is what the model, out of fold, does not know. It finds nucleoplasm,
# mitochondria and cytosol in single cells better than the image's label does, and the
# small nucleoli and Golgi apparatus worse.
#
# What probability does a cell get for the locations that its image is labelled with?
# Less if it is silent, although it was trained on as if it were not.

given = (of_cells * cells.target).sum(axis=1) / cells.target.sum(axis=1)
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for which, name in ((~silent, "expressing"), (silent, "silent")):
    ax.hist(given[which], np.linspace(0, 1, 21), density=True, alpha=0.6, label=name)
ax.set(xlabel="mean probability of the image's locations", ylabel="density")
ax.legend()
plt.show()
