"""
What does the model say of images that nobody has labelled?
===========================================================

A model that did well in a benchmark meets new images. This example puts its answers
into a table, lets it abstain where it is not sure, and lays the images out in the order
of its probabilities, where an expert sees at a glance what to check. The images are
**simulated**.
"""

# %%
# A model, calibrated on micrographs that it has not seen
# -------------------------------------------------------
# A bound on a probability is worth something only if nine in ten of the images called
# with 90 % are right. Scikit-learn's
# :class:`~sklearn.calibration.CalibratedClassifierCV` sees to that. Groups reach its
# splitter through metadata routing, so that each SVM is calibrated on micrographs that
# it was not trained on.

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from emclassify import ResizeImages, make_liposomes, predict_table, svm_baseline
from emclassify.display import ContactSheetDisplay

weights = {"unilamellar": 0.6, "multilamellar": 0.4}
known = make_liposomes(400, image_size=28, weights=weights, random_state=0)
model = CalibratedClassifierCV(
    make_pipeline(ResizeImages((28, 28)), svm_baseline()),
    method="temperature",
    cv=GroupKFold(4),
)
with sklearn.config_context(enable_metadata_routing=True):
    model.fit(known.images, known.target, groups=known.groups)

# %%
# New images
# ----------
# They come from other micrographs, and differ in size.

new = make_liposomes(96, image_size=28, weights=weights, random_state=1)
rng = np.random.default_rng(0)
images = np.empty(96, dtype=object)
images[:] = [
    image[: rng.integers(22, 29), : rng.integers(22, 29)] for image in new.images
]

# %%
# The table
# ---------
# One row an image. The model abstains where the probability of its label is under 80 %.

names = [f"image {i}" for i in range(96)]
table = predict_table(model, images, names=names, abstain_below=0.8)
table.head()

# %%
# Here the truth is known, as it never is for new images: abstaining pays if the model
# is right more often where it is sure.

right = table["label"] == new.target
print(f"sure: {right[~table['abstained']].mean():.2f} of {(~table['abstained']).sum()}")
print(
    f"abstained: {right[table['abstained']].mean():.2f} of {table['abstained'].sum()}"
)

# %%
# The contact sheet
# -----------------
# The highest probability comes first. Frames have the colour of the label; dotted grey
# ones are those to look at. ``sheet.to_pdf(path)`` writes all pages to a file.

sheet = ContactSheetDisplay(table, images, pos_label="multilamellar").plot()
plt.show()

# %%
# The second page has the other end.

sheet.plot(page=2)
plt.show()
