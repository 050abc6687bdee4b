"""
Which diffraction patterns are of a single particle?
====================================================

An X-ray laser shoots at particles that fly by. A pattern is good if the shot hit
exactly one; several interfere, debris scatters too, and many shots hit nothing. All
patterns here are **simulated**.
"""

# %%
# What patterns look like
# -----------------------
# :func:`~emclassify.datasets.make_diffraction_patterns` simulates all kinds, for six
# shapes of particles. The scale is logarithmic.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from emclassify import CenterCrop, make_diffraction_patterns
from emclassify.baselines import DiffusionMapClassifier
from emclassify.features import RadialDensity

SHAPES = ["icosahedron", "soccer_ball", "torus", "sphere", "shell", "cube"]
KINDS = ["single", "multiple", "debris", "background"]
crop = CenterCrop(128)

figure, axes = plt.subplots(4, 6, figsize=(8.2, 5.8), layout="constrained")
for column, shape in zip(axes.T, SHAPES, strict=True):
    data = make_diffraction_patterns(
        12, shape=shape, weights=[1, 1, 1, 1], fluence=5e11, random_state=1
    )
    cropped = np.log1p(crop.fit_transform(data.images).astype(float))
    for ax, kind in zip(column, KINDS, strict=True):
        pattern = cropped[np.flatnonzero(data.frame["kind"] == kind)[0]]
        ax.imshow(pattern, cmap="inferno", vmax=4)
        ax.set(xticks=[], yticks=[])
    column[0].set_title(shape.replace("_", " "))
for ax, kind in zip(axes[:, 0], KINDS, strict=True):
    ax.set_ylabel(f"{kind}\n({'good' if kind == 'single' else 'bad'})")
plt.show()

# %%
# A single particle gives rings and streaks that mirror its outline. Two add fringes
# across these, finer the farther they are apart. Debris is the same whatever the shape.
#
# Sorting with ten labels
# -----------------------
# The semi-automatic way: map all patterns by their likeness, cluster the map, look at a
# few patterns and let each label its cluster. Pixels are no good for likeness: turned
# by ten degrees, a pattern would be another one. How much the logarithm of the photons
# varies around each ring does not depend on orientation, and fringes raise it.

N_RINGS = 24
data = make_diffraction_patterns(500, random_state=0)
labels = np.full(500, "?", dtype="<U4")
for name in ("good", "bad"):
    labels[np.flatnonzero(data.target == name)[:5]] = name

model = make_pipeline(
    crop,
    FunctionTransformer(np.log1p, kw_args={"dtype": np.float32}),
    RadialDensity(N_RINGS, extent=0.8, standardize=False),
    # The means of the rings come first: they are left out.
    make_column_transformer((StandardScaler(), slice(N_RINGS, None))),
    DiffusionMapClassifier(
        8, n_components=6, epsilon=5.0, unlabelled="?", random_state=0
    ),
)
model.fit(data.images, labels)

new = make_diffraction_patterns(300, random_state=1)
print(f"{100 * model.score(new.images, new.target):.0f} % of 300 new patterns")

# %%
# The map, by what was hit and by what the ten labels (circles) make of it. Its first
# coordinate, left out, sets shots that hit nothing apart from all others.

where = model[-1].map_.embedding_
figure, axes = plt.subplots(1, 2, figsize=(8.2, 3.6), layout="constrained")
sorted_as = model[-1].classes_[model[-1].cluster_shares_.argmax(axis=1)]
views = {
    "simulated": data.frame["kind"].to_numpy(),
    "clusters, as labelled": sorted_as[model[-1].clusters_],
}
for ax, (title, names) in zip(axes, views.items(), strict=True):
    for name in dict.fromkeys(names):
        ax.scatter(*where[names == name, 1:3].T, s=9, alpha=0.7, label=name)
    ax.set(title=title, xlabel="second coordinate", ylabel="third coordinate")
    ax.legend(fontsize="small")
known = labels != "?"
axes[1].scatter(*where[known, 1:3].T, s=40, facecolors="none", edgecolors="k")
plt.show()

# %%
# A network does better, and needs more labels:
# :class:`~emclassify.classifiers.ResNetClassifier` behind
# :class:`~emclassify.preprocessing.PixelStandardizer`. How the two compare, and what a
# network makes of shapes that it has never seen, is in
# :doc:`/user_guide/diffraction_study`.
