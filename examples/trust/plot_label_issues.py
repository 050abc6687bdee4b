"""
Finding wrong labels and bad images
===================================

One label in ten is wrong, and some images are saturated or empty. Removers drop the bad
images, cleanlab names the labels to look at again. The images are **simulated**, so it
is known what is wrong.
"""

# %%
# Dirty data
# ----------

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cleanlab.rank import get_label_quality_scores
from imblearn.pipeline import make_pipeline
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from emclassify import (
    EmbeddingOutlierRemover,
    IntensityOutlierRemover,
    make_cell_images,
    svm_baseline,
)
from emclassify.display import EmbeddingDisplay, RemovedImagesDisplay

data = make_cell_images(
    500,
    image_size=64,
    multilabel=False,
    weights=dict.fromkeys(
        ["nucleoplasm", "nuclear membrane", "nucleoli", "cytosol", "mitochondria"], 1
    ),
    label_noise=0.1,
    dirt=0.03,
    random_state=0,
)
X, y = data.images, data.target
data.frame[["wrong_label", "dirt"]].value_counts()

# %%
# Bad images
# ----------
# Two samplers of imbalanced-learn's kind: mean intensity far from that of the class,
# and distance from the class in an embedding, here the standardised features. The
# second is told what share to drop.

bad_image = (data.frame["dirt"] != "none").to_numpy()
removers = {
    "intensity, 3 sd": IntensityOutlierRemover(),
    "intensity, 3 sd, robust": IntensityOutlierRemover(robust=True),
    "embedding": EmbeddingOutlierRemover(contamination=0.04),
}
found = {}
for name, remover in removers.items():
    remover.fit_resample(X, y)
    dropped = np.ones(len(X), dtype=bool)
    dropped[remover.sample_indices_] = False
    found[name] = {
        "dropped": dropped.sum(),
        "precision": precision_score(bad_image, dropped),
        "recall": recall_score(bad_image, dropped),
    }
pd.DataFrame(found).T.round(2)

# %%
# What the mean intensity finds is bad, but a third to a half of the bad images stay:
# empty ones are hardly darker than a dim cell. ``robust=True`` finds fewer here. In the
# features all of them are far from everything; a few good ones go with them, since a
# little more is dropped than is bad.

embedding = removers["embedding"]
sheet = RemovedImagesDisplay.from_sampler(embedding, X, y)
plt.show()

# %%
picture = EmbeddingDisplay.from_sampler(embedding, y)
plt.show()

# %%
# Wrong labels
# ------------
# They look like any image of their true class. What gives them away is a model that has
# not been trained on them and is sure of another class: cleanlab takes out-of-fold
# probabilities as scikit-learn gives them. The features of an image depend on no other
# image, so they are computed once, for all folds.

kept = embedding.sample_indices_
svm = svm_baseline(probability=True)
proba = cross_val_predict(
    svm[1:],
    svm[0].fit_transform(X[kept]),
    y[kept],
    groups=data.groups[kept],
    cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
    method="predict_proba",
)
classes, codes = np.unique(y[kept], return_inverse=True)
quality = get_label_quality_scores(codes, proba, method="normalized_margin")

wrong = data.frame["wrong_label"].to_numpy()[kept]
n_suspects = round(0.12 * len(kept))
suspects = np.argsort(quality)[:n_suspects]
print(f"Of {wrong.sum()} wrong labels, {wrong[suspects].sum()} are among the")
print(f"{n_suspects} with the lowest quality.")

# %%
# The first of them: what they are labelled, and what the model takes them for.

figure, axes = plt.subplots(2, 6, figsize=(8, 3.4), layout="constrained")
for ax, i in zip(axes.ravel(), suspects, strict=False):
    ax.imshow(X[kept[i]][..., :3])
    ax.set_title(f"{y[kept[i]]}?\n{classes[proba[i].argmax()]}", size=7)
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# In training only
# ----------------
# In a pipeline, a remover acts on the training side of each fold and never on the
# images that are scored. Look at what goes before you let it go: an unusual image may
# be the one that matters.

model = make_pipeline(EmbeddingOutlierRemover(contamination=0.04), svm_baseline())
model.fit(X[:200], y[:200]).score(X[200:300], y[200:300])

# %%
# What dirt costs and what comes back is measured by ``python -m studies.cells.dirt``;
# the user guide's page on cells has the figures.
