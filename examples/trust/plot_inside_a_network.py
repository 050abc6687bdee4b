"""
What has a network learnt?
==========================

Four looks inside a small LipNet-4 that tells full liposomes from empty ones: its
filters, what its layers make of an image, the images that excite filters most, and the
pixels that a decision depends on. The first three are figures of the liposome thesis.
All images are **simulated**.
"""

# %%
# A network
# ---------

import matplotlib.pyplot as plt

from emclassify import LipNetClassifier, make_liposomes
from emclassify.inspection import (
    ActivationsDisplay,
    FilterMaximizationDisplay,
    FiltersDisplay,
    SaliencyDisplay,
)

data = make_liposomes(
    260,
    task="encapsulation",
    filling=0.45,
    image_size=28,
    weights={"full": 0.5, "empty": 0.5},
    dose=(30, 60),
    n_groups=20,
    random_state=0,
)
train = data.groups < 14
clf = LipNetClassifier(max_epochs=10, batch_size=16, random_state=0)
clf.fit(data.images[train], data.target[train])
X, y = data.images[~train], data.target[~train]
print(f"accuracy on {len(y)} images of other micrographs: {clf.score(X, y):.2f}")

# %%
# Filters
# -------
# The first convolution has 32 filters of 3×3 weights. Blue and red are weights of
# opposite signs: a filter that is blue on one side and red on the other answers to
# edges, one of a single colour to grey levels.

FiltersDisplay.from_estimator(clf)
plt.show()

# %%
# Activations
# -----------
# An image of each class, and what each of the four convolutions makes of it, after
# batch normalisation and ReLU (``raw=True`` shows the convolution itself). Each map is
# stretched over its own range. Deeper maps are coarser: each pixel has seen more of the
# image.

for name in clf.classes_:
    ActivationsDisplay.from_estimator(clf, X[y == name][0])
    plt.show()

# %%
# The image that excites a filter most
# ------------------------------------
# Starting from faint noise, the image is changed step by step so that one filter's mean
# answer grows. Here for eight filters of the first convolution and eight of the last:
# edges and textures first, larger patterns later.

for layer in (0, -1):
    FilterMaximizationDisplay.from_estimator(
        clf, layer, range(8), n_steps=40, random_state=0
    )
    plt.show()

# %%
# Which pixels count
# ------------------
# The gradient of a class's score with respect to each pixel, averaged over noisy copies
# of the image. Bright is where a small change would matter most.

SaliencyDisplay.from_estimator(clf, X[:6], n_noisy=8, random_state=0)
plt.show()

# %%
# How much to believe
# -------------------
# The network is young: filters of ten epochs on under two hundred images still look
# much like the random ones that training began with. And pictures of this kind raise
# suspicions rather than prove anything. One that is worth having: bright saliency
# outside the particle. Whether the network really uses what lies there, a comparison of
# inputs tells, see :ref:`sphx_glr_auto_examples_compare_plot_input_kinds.py`.

# sphinx_gallery_thumbnail_number = 4
