"""
Which ion images show the sample, and which its background?
===========================================================

A mass spectrometer that scans a tissue section scans some glass around it too. The
images of the ions of the MALDI matrix show that background, and should be filtered out
before anything else is done. All images here are **simulated**: they show how to use
the tools, not how well they do on real datasets.
"""

# %%
# Datasets of ion images
# ----------------------
# :func:`~emclassify.datasets.make_ion_images` simulates whole datasets. Images of one
# dataset share the sample, how it was prepared, and how it was recorded; sizes differ
# from one dataset to the next. Some datasets are strange on purpose: here the last row
# is one whose sample surrounds the background.

import matplotlib.pyplot as plt
import numpy as np

from emclassify import make_ion_images

data = make_ion_images(400, n_groups=20, random_state=2)
strange = data.frame.groupby("group")["strange"].first()
counts = data.frame.groupby(["group", "target"]).size().unstack(fill_value=0)
strange = strange[(counts >= 3).all(axis=1)]
shown = [*strange.index[strange == ""][:4], strange.index[strange == "frame"][0]]

figure, axes = plt.subplots(5, 7, figsize=(9, 6.4), layout="constrained")
for row, group in zip(axes, shown, strict=True):
    row[0].imshow(data.masks[group], cmap="gray_r")
    for columns, name in ((row[1:4], "off"), (row[4:7], "on")):
        members = np.flatnonzero((data.groups == group) & (data.target == name))
        for ax, i in zip(columns, members, strict=False):
            ax.imshow(data.images[i])
    row[0].set_ylabel(f"dataset {group}")
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[], frame_on=False)
axes[0, 0].set_title("sample")
axes[0, 2].set_title("off-sample")
axes[0, 5].set_title("on-sample")
plt.show()

# %%
# Masks from pixels
# -----------------
# What all images of a dataset show at one pixel is that pixel's spectrum. Without any
# labels, :class:`~emclassify.display.MaskProposalsDisplay` clusters the pixels of one
# dataset. Clusters are sorted: the first lie on the rim of the field, mostly. A user
# picks those of the background.

from emclassify.display import MaskProposalsDisplay

group = shown[0]
ions = data.images[data.groups == group]
display = MaskProposalsDisplay.from_images(ions, n_clusters=4, random_state=0)
plt.show()

background = np.isin(display.clusters, [0])
print(f"{np.mean(background == data.masks[group]):.1%} of the pixels are right")

# %%
# With labels, :class:`~emclassify.baselines.MaskCorrelationClassifier` learns from
# training datasets which pixels are background, finds the mask of a new dataset by
# itself, and correlates each ion image with it. ``groups`` say which images belong
# together, in prediction too.

from emclassify.baselines import MaskCorrelationClassifier

new = np.isin(data.groups, shown)
clf = MaskCorrelationClassifier(random_state=0)
clf.fit(data.images[~new], data.target[~new], groups=data.groups[~new])
masks = clf.predict_masks(data.images[new], groups=data.groups[new])

figure, axes = plt.subplots(2, 5, figsize=(9, 3.6), layout="constrained")
for column, group in zip(axes.T, shown, strict=True):
    for ax, mask in zip(column, (data.masks[group], masks[group]), strict=True):
        ax.imshow(mask, cmap="gray_r")
        ax.set(xticks=[], yticks=[], frame_on=False)
    column[0].set_title(f"dataset {group}")
axes[0, 0].set_ylabel("truth")
axes[1, 0].set_ylabel("predicted")
plt.show()

# %%
# In the last dataset it takes the sample for the background: nothing in the training
# datasets looked like that, and it gets all of its images wrong.

predicted = clf.predict(data.images[new], groups=data.groups[new])
for group in shown:
    here = data.groups[new] == group
    share = np.mean(predicted[here] == data.target[new][here])
    print(f"dataset {group}: {share:.0%} right")

# %%
# A network sees single images
# ----------------------------
# :class:`~emclassify.OffSampleNetClassifier` has the architecture of the source, for
# images of 56×56 px. Six epochs are what a gallery allows; the five trainings that the
# source averages are :class:`~emclassify.SeedEnsembleClassifier`.

from sklearn.pipeline import make_pipeline

from emclassify import OffSampleNetClassifier, ResizeImages

net = make_pipeline(
    ResizeImages((56, 56)),
    OffSampleNetClassifier(max_epochs=6, batch_size=32, random_state=0),
)
net.fit(data.images[~new], data.target[~new])
predicted = net.predict(data.images[new])
for group in shown:
    here = data.groups[new] == group
    share = np.mean(predicted[here] == data.target[new][here])
    print(f"dataset {group}: {share:.0%} right")
