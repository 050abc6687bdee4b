"""
What does augmentation do, and what is it worth?
================================================

A liposome has no up and down: rotated, mirrored or shifted, it is of the same class.
Augmentation shows the network each training image differently in every epoch. This page
looks at the maps of the liposome thesis, and at their effect on validation F1. All
images are **simulated**.
"""

# %%
# One image, many times
# ---------------------
# :class:`~emclassify.training.RandomAffine` draws a rotation, a shift, a zoom and a
# shear for each image of a batch. Its defaults are the thesis's: any angle, ±10 % of
# width and height, magnification 1 to 1.25 (which shows 80 to 100 % of the field), and
# up to 0.2 rad of shear. Each can be set. Here one at a time, then all:

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import f1_score

from emclassify import LipNetClassifier, make_liposomes
from emclassify.training import RandomAffine

STILL = {"degrees": 0, "translate": (0, 0), "scale": (1, 1), "shear": 0}
SETTINGS = {
    "rotation": STILL | {"degrees": 180},
    "shift ±10 %": STILL | {"translate": (0.1, 0.1)},
    "zoom 0.8–1": STILL | {"scale": (1.0, 1.25)},
    "shear ≤ 0.2": STILL | {"shear": (0, 11.459)},
    "all": {},
}


def augmented(image, n, **params):
    """Return `n` augmented copies of an image."""
    torch.manual_seed(1)
    batch = torch.tensor(image, dtype=torch.float32).expand(n, 1, -1, -1)
    return RandomAffine(**params)(batch)[:, 0].numpy()


liposome = make_liposomes(
    1, weights={"unilamellar": 1.0}, dose=80, n_groups=1, random_state=4
).images[0]
limits = {"cmap": "gray", "vmin": liposome.min(), "vmax": liposome.max()}

figure, axes = plt.subplots(len(SETTINGS), 6, figsize=(7, 6.2), layout="constrained")
for row, (name, params) in zip(axes, SETTINGS.items(), strict=True):
    for ax, copy in zip(
        row, [liposome, *augmented(liposome, 5, **params)], strict=True
    ):
        ax.imshow(copy, **limits)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
axes[0, 0].set_title("original")
plt.show()

# %%
# What lies beyond the border
# ---------------------------
# A turned square has corners from outside the image. Black ones (``"zeros"``) are a
# mark that no real image has, and a network may learn from it. ``"border"`` drags the
# last pixel out into streaks. The default, ``"reflection"``, mirrors the image: it has
# the right noise, and at worst a piece of membrane twice.

figure, axes = plt.subplots(1, 3, figsize=(7, 2.7), layout="constrained")
for ax, padding in zip(axes, ["reflection", "border", "zeros"], strict=True):
    turned = augmented(
        liposome, 1, **STILL | {"degrees": (35, 35), "padding_mode": padding}
    )
    ax.imshow(turned[0], **limits)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f'padding_mode="{padding}"', size="small")
plt.show()

# %%
# Its effect on validation F1
# ---------------------------
# The same network without augmentation, with flips and quarter turns
# (``"dihedral"``, the default) and with the thesis's maps and flips (``"affine"``),
# trained on the same few images, an epoch at a time. After every two, macro F1 on
# images of other micrographs.

data = make_liposomes(
    260,
    image_size=28,
    task="encapsulation",
    filling=0.45,
    weights={"full": 0.5, "empty": 0.5},
    n_groups=20,
    random_state=0,
)
train = data.groups < 5
X, y = data.images[train], data.target[train]
X_valid, y_valid = data.images[~train], data.target[~train]
print(f"{len(y)} training images, {len(y_valid)} for validation")

EPOCHS = range(1, 15)
scores = {}
for augmentation in (None, "dihedral", "affine"):
    clf = LipNetClassifier(
        batch_size=16, lr=0.001, augmentation=augmentation, random_state=0
    )
    for epoch in EPOCHS:
        clf.partial_fit(X, y, classes=np.unique(y))
        if epoch % 2 == 0:
            scores[augmentation, "training", epoch] = f1_score(
                y, clf.predict(X), average="macro"
            )
            scores[augmentation, "validation", epoch] = f1_score(
                y_valid, clf.predict(X_valid), average="macro"
            )

figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for colour, augmentation in zip(
    ["C0", "C1", "C2"], (None, "dihedral", "affine"), strict=True
):
    for side, line in (("training", ":"), ("validation", "-")):
        epochs = [epoch for epoch in EPOCHS if epoch % 2 == 0]
        curve = [scores[augmentation, side, epoch] for epoch in epochs]
        ax.plot(epochs, curve, line, color=colour, label=f"{augmentation}, {side}")
ax.set(xlabel="epoch", ylabel="macro F1", ylim=(0.3, 1.02))
ax.legend(ncols=3, fontsize="small")
plt.show()

# %%
# How much to believe
# -------------------
# One split, one seed and a few epochs: the order of the curves may change with any of
# them. What to expect is a training score that lags behind, since it is harder to learn
# by heart what comes differently each time, and in the long run a better validation
# score. At the thesis's size, in five folds:
#
# .. code-block:: bash
#
#     python -m studies.liposomes --out results --full --only augmentation
