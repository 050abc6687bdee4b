"""
May a model say that it doesn't know?
=====================================

A model that must answer is wrong where it is not sure. This example lets LipNet-4
reject images, asks how much better it and the SVM get when they may keep silent, and
gives sets of classes instead of one. The images are **simulated**.
"""

# %%
# Rejecting
# ---------
# :class:`~emclassify.model_selection.RejectClassifierCV` finds, for each class that the
# model may call, the lowest confidence at which at most 10 % of its answers are wrong.
# It does so on images that the model was not trained on, micrograph by micrograph. Its
# detector looks for images that are unlike any of these, whatever the model thinks of
# them. Images are flat rows here, since MAPIE, further down, wants them so;
# `image_shape` says how to read a row.

import matplotlib.pyplot as plt
import numpy as np
from mapie.classification import SplitConformalClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    FeatureExtractor,
    LipNetClassifier,
    RejectClassifierCV,
    make_liposomes,
    svm_baseline,
)
from emclassify.display import CoverageRiskDisplay

weights = {"unilamellar": 0.5, "multilamellar": 0.4, "uncertain": 0.1}
data = make_liposomes(450, image_size=28, weights=weights, random_state=0)
shape = (28, 28)
rows = data.images.reshape(len(data.images), -1)
detector = make_pipeline(
    FeatureExtractor(image_shape=shape),
    StandardScaler(),
    LocalOutlierFactor(novelty=True),
)
careful = RejectClassifierCV(
    LipNetClassifier(max_epochs=14, batch_size=16, image_shape=shape, random_state=0),
    max_error=0.1,
    novelty_detector=detector,
    max_false_novelty=0.02,
    cv=StratifiedGroupKFold(2, shuffle=True, random_state=0),
)
careful.fit(rows, data.target, groups=data.groups)
for name, threshold, coverage, risk in zip(
    careful.classes_,
    careful.thresholds_,
    careful.class_coverage_,
    careful.class_risk_,
    strict=True,
):
    print(f"{name}: from {threshold:.2f} up, {coverage:.0%} accepted, {risk:.1%} wrong")

# %%
# On new micrographs, the share of wrong answers should be near that, not for certain
# below it.

new = make_liposomes(400, image_size=28, weights=weights, random_state=1)
new_rows = new.images.reshape(len(new.images), -1)
answers, accepted = careful.predict(new_rows), careful.accepts(new_rows)
forced = careful.estimator_.predict(new_rows)
print(f"must answer: {np.mean(forced != new.target):.1%} wrong")
print(
    f"may reject:  {np.mean(answers[accepted] != new.target[accepted]):.1%} wrong "
    f"among the {accepted.mean():.0%} that are accepted"
)

# %%
# Who knows best when it is right?
# --------------------------------
# The accuracy says how often a model is right. The coverage-risk curve says, too,
# whether it knows when: take the new images that it is most confident of, from none to
# all, and count the mistakes among them. Here of the network, without its thresholds,
# and of the SVM. To save time the network had 14 epochs of the 100 that "auto" gives
# it, so its curve shows how to read one, and is no verdict on the two.

svm = svm_baseline(image_shape=shape).fit(rows, data.target)
curves = CoverageRiskDisplay.from_estimator(
    careful, new_rows, new.target, name="LipNet-4"
)
CoverageRiskDisplay.from_estimator(svm, new_rows, new.target, name="SVM", ax=curves.ax_)
plt.show()

# %%
# Some that were rejected: what the network would have said, and, below it, what is
# true.

rejected = np.flatnonzero(~accepted)[:12]
figure, axes = plt.subplots(2, 6, figsize=(8.4, 3.6), layout="constrained")
for ax, k in zip(axes.flat, rejected, strict=False):
    ax.imshow(new.images[k], cmap="gray")
    ax.set_title(f"{forced[k]}?\n{new.target[k]}", size="small")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %%
# Noise is no liposome, but a network that was only ever shown liposomes has a class for
# it.

noise = np.random.default_rng(0).integers(0, 256, (100, 28 * 28), dtype=np.uint8)
print(f"mean confidence: {careful.predict_proba(noise).max(axis=1).mean():.2f}")
print(f"rejected: {1 - careful.accepts(noise).mean():.0%} of the images of noise")

# %%
# Sets of classes
# ---------------
# Instead of silence, `MAPIE <https://mapie.readthedocs.io>`_ gives a set of classes,
# which holds the true one for 90 % of new images, if they are like the ones it was set
# on. Those must not be the ones that the network was trained on, so half of the new
# micrographs are spent on it. The network is the one from above, which need not be
# fitted again.

first_half = new.groups < np.median(new.groups)
conformal = SplitConformalClassifier(
    careful.estimator_, confidence_level=0.9, prefit=True
)
conformal.conformalize(new_rows[first_half], new.target[first_half])
_, sets = conformal.predict_set(new_rows[~first_half])
sets = sets[:, :, 0]
true = np.searchsorted(careful.classes_, new.target[~first_half])
print(f"true class in the set: {sets[np.arange(len(true)), true].mean():.0%}")
for size, count in enumerate(np.bincount(sets.sum(axis=1), minlength=4)):
    print(f"sets of {size}: {count}")

# %%
# The promise is for all images together, and counts them as independent, which images
# of one micrograph are not. A class may fall short of it:

for code, name in enumerate(careful.classes_):
    print(f"{name}: {sets[true == code, code].mean():.0%} of {np.sum(true == code)}")
