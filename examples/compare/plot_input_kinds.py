"""
How much of its surroundings should a network see?
==================================================

A liposome can be shown to a network in its surroundings, cropped to its outline's box,
or cropped and with everything outside its outline painted over. The first tells more,
the last distracts less. All images are **simulated**.
"""

# %%
# Images with masks
# -----------------
# The mask of the particle travels as the last channel. At a fixed pixel size of 2 nm
# the liposomes differ in size, and 50 px are left around most of them.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from emclassify import (
    LipNetClassifier,
    ParticleCropper,
    ResizeImages,
    benchmark_classifiers,
    make_liposomes,
)

data = make_liposomes(
    160,
    task="encapsulation",
    filling=0.45,
    image_size=176,
    pixel_size=2.0,
    weights={"full": 0.5, "empty": 0.5},
    n_groups=20,
    random_state=0,
)
X = np.stack([data.images, data.masks], axis=-1)
X.shape

# %%
# Three kinds of input
# --------------------
# :class:`~emclassify.preprocessing.ParticleCropper` cuts by the mask, and
# :class:`~emclassify.preprocessing.ResizeImages` brings the crops, which differ in
# size, to the 28×28 px of the network. ``keep_mask=False`` keeps the mask itself from
# the network.

CROPPERS = {
    "with surroundings": ParticleCropper(margin=50, keep_mask=False),
    "cropped": ParticleCropper(margin=0, keep_mask=False),
    "cropped and masked": ParticleCropper(margin=0, apply_mask=True, keep_mask=False),
}

figure, axes = plt.subplots(3, 6, figsize=(7.4, 4), layout="constrained")
for row, (name, cropper) in zip(axes, CROPPERS.items(), strict=True):
    seen = make_pipeline(cropper, ResizeImages((28, 28))).fit_transform(X[:6])
    for ax, image in zip(row, seen, strict=True):
        ax.imshow(image.squeeze(), cmap="gray")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name.replace(" ", "\n", 1))
for ax, name in zip(axes[0], data.target, strict=False):
    ax.set_title(name)
plt.show()

# %%
# The same network on each
# ------------------------

result = benchmark_classifiers(
    {
        name: make_pipeline(
            cropper,
            ResizeImages((28, 28)),
            LipNetClassifier(max_epochs=6, batch_size=16, random_state=0),
        )
        for name, cropper in CROPPERS.items()
    },
    X,
    data.target,
    groups=data.groups,
    cv=StratifiedGroupKFold(2, shuffle=True, random_state=0),
    random_state=0,
)
print(result.verdict())

# %%

ax = plt.figure(figsize=(6.4, 2.6), layout="constrained").subplots()
result.plot(ax=ax)
plt.show()

# %%
# How much to believe
# -------------------
# Little: some 80 training images in each of two folds, and six epochs. Note what
# differs besides the surroundings. At 28×28 px, a liposome with 50 px around it is a
# fifth to a half as wide as a cropped one; and a cropped image hides how large the
# particle is. A mask drawn by hand also brings in the hand's errors, which simulated
# masks don't have.
#
# For lamellarity, at the thesis's size:
#
# .. code-block:: bash
#
#     python -m studies.liposomes --out results --full --only inputs
