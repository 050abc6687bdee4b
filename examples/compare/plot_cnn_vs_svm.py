"""
Is a CNN better than an SVM on features?
========================================

The question is put for the lamellarity of liposomes: does a liposome have one bilayer,
several, or can't one tell? The images are **simulated**: what a model scores here says
how the comparison works, not how the model does on images from a microscope.
"""

# %%
# Images, labels and groups
# -------------------------
# :func:`~emclassify.datasets.make_liposomes` makes images as a cryo-TEM would record
# them. Images of one micrograph share defocus, dose and ice, so the micrograph is the
# group that must not be split between training and test.
#
# By default the classes are as unequal as in the thesis that the simulator follows
# (87 % unilamellar, under 1 % uncertain). Among 300 images that would leave two
# uncertain ones, so the shares are set by hand.

import matplotlib.pyplot as plt
from sklearn.model_selection import StratifiedGroupKFold

from emclassify import (
    LipNetClassifier,
    benchmark_classifiers,
    make_liposomes,
    svm_baseline,
)

data = make_liposomes(
    300,
    image_size=28,
    weights={"unilamellar": 0.5, "multilamellar": 0.3, "uncertain": 0.2},
    n_groups=20,
    random_state=0,
)
data.frame["target"].value_counts()

# %%
# Six images of each class. Noise, defocus and ice differ from micrograph to micrograph.

figure, axes = plt.subplots(3, 6, figsize=(7, 3.9), layout="constrained")
for row, name in zip(axes, data.target_names, strict=True):
    for ax, image in zip(row, data.images[data.target == name], strict=False):
        ax.imshow(image, cmap="gray")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)

# %%
# The same folds for both
# -----------------------
# Both models see the same three folds, and no micrograph is on both sides of a fold.
# The network is the LipNet-4 of the thesis; the SVM gets 102 features of each image.
# Twelve epochs are what half a minute allows: by default there would be a hundred.

result = benchmark_classifiers(
    {
        "LipNet-4": LipNetClassifier(
            max_epochs=12, class_weight="balanced", random_state=0
        ),
        "SVM": svm_baseline(families="thesis", class_weight="balanced"),
    },
    data.images,
    data.target,
    groups=data.groups,
    cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
    random_state=0,
)

# %%
# What came out
# -------------
# The verdict names the winner by the mean macro F1 over folds, and says whether its
# lead is more than the noise between folds. It counts the folds in which the network
# was still learning: against that, no lead is worth much.

print(result.verdict())

# %%
# The figures of each class, from the predictions for images that the model had not
# seen. TPR is the share of a class that is found, PPV the share of a prediction that
# is right. The columns ``_low`` and ``_high`` hold their 95 % intervals.

figures = ["TPR", "TNR", "PPV", "NPV", "F1"]
result.summary()[[*figures, "F1_low", "F1_high", "support"]].round(2)

# %%
# Each circle is a fold, the bar the 95 % interval of the mean over folds. The matrices
# show what is taken for what.

result.plot()
plt.show()

# %%
# How much to believe
# -------------------
# Little, whoever won. The network saw some 200 images a fold, twelve times each, which
# is not how it is used; with more images and epochs its rank may well change. Three
# folds leave two degrees of freedom to the test. And the images are simulated.
#
# At full size, with five folds and as many epochs as the images want, this is
#
# .. code-block:: python
#
#     data = make_liposomes(14169, random_state=0)
#     result = benchmark_classifiers(
#         {
#             "LipNet-4": LipNetClassifier(class_weight="balanced", random_state=0),
#             "SVM": svm_baseline(families="thesis"),
#         },
#         data.images,
#         data.target,
#         groups=data.groups,
#         cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
#         n_jobs=-1,
#         verbose=1,
#     )
#     result.to_html("liposomes.html")
#
# with the shares of classes of the thesis. It takes a GPU or some patience. For your
# own images, put :func:`~emclassify.readers.load_image_folder` in place of the
# simulator.

# sphinx_gallery_thumbnail_number = 2
