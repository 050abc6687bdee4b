"""
What a random split hides
=========================

Images of one dataset look alike. If some of them are in the training set and others in
the test set, a model is tested on what it has seen, and its score says little about the
next dataset. The images are **simulated** ion images; the same holds for micrographs,
grids and patients.
"""

# %%
# The same images, split in two ways
# ----------------------------------
# ``KFold`` draws images at random; ``GroupKFold`` keeps datasets together. There are
# few datasets, half of them strange, and they differ in how many of their images are
# off-sample: all of it can be learnt by heart where a dataset is in both halves. The
# features of an image depend on no other image, so they are computed once, for all
# folds.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from emclassify import (
    OffSampleNetClassifier,
    ResizeImages,
    make_ion_images,
    svm_baseline,
)

data = make_ion_images(400, n_groups=12, strange=0.5, imbalance=0.5, random_state=1)
X = ResizeImages((28, 28)).fit_transform(data.images)
y, groups = data.target, data.groups

svm = svm_baseline(C=10)
models = {
    "OffSampleNet": (
        OffSampleNetClassifier(max_epochs=8, batch_size=32, random_state=0),
        X,
    ),
    "features, SVM": (svm[1:], svm[0].fit_transform(X)),
}
splits = {
    "random split (KFold)": KFold(4, shuffle=True, random_state=0),
    "datasets apart (GroupKFold)": GroupKFold(4),
}
right = {}
for model_name, (model, inputs) in models.items():
    for split_name, cv in splits.items():
        folds = cv.split(inputs, y, groups if isinstance(cv, GroupKFold) else None)
        predicted = cross_val_predict(model, inputs, y, cv=list(folds))
        right[model_name, split_name] = predicted == y
        score = accuracy_score(y, predicted)
        print(f"{model_name}, {split_name}: accuracy {score:.3f}")

# %%
# The difference, dataset by dataset
# ----------------------------------
# Bars are the accuracy over all images, dots that of each dataset. The random split
# flatters both models, and hides that there are datasets on which they fail.

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
colours = dict(zip(splits, ("#E69F00", "#0072B2"), strict=True))
rng = np.random.default_rng(0)
for position, (key, hits) in enumerate(right.items()):
    x = position + position // 2 * 0.5
    label = key[1] if position < 2 else None
    ax.bar(x, hits.mean(), color=colours[key[1]], alpha=0.6, label=label)
    each = [hits[groups == group].mean() for group in np.unique(groups)]
    ax.plot(x + rng.uniform(-0.2, 0.2, len(each)), each, "k.", ms=6)
    ax.text(x, 1.04, f"{hits.mean():.2f}", ha="center")
ax.set(xticks=[0.5, 3.0], xticklabels=list(models), ylabel="accuracy", ylim=(0, 1.12))
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2, frameon=False)
plt.show()

# %%
# :func:`~emclassify.benchmark_classifiers` refuses folds that tear a group that it
# knows of, so it takes no effort to do it right:
#
# .. code-block:: python
#
#     benchmark_classifiers({"SVM": svm}, X, y, groups=data.groups, cv=GroupKFold(10))
