"""
From a micrograph to labelled particles
=======================================

A microscope gives micrographs, and a picking program a table of where the particles
are. This page cuts the particles out, compares two classifiers on them, and writes the
table back with labels, so that it goes on in RELION or cryoSPARC. The micrographs are
**simulated**: several liposomes in each, unilamellar or multilamellar.

It needs the extra ``emclassify[mrc]``.
"""

# %%
# Micrographs and a table
# -----------------------
# `make_liposomes` simulates the liposomes of one micrograph without noise, in units of
# the intensity of empty ice. Added to one field, and counted electron by electron, they
# make a micrograph, which is written as MRC with its pixel size. The table is a STAR
# file as RELION has it: where the centres are, and a class number.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import mrcfile
import numpy as np
import pandas as pd
import starfile
from imblearn.pipeline import make_pipeline
from sklearn.model_selection import StratifiedGroupKFold

from emclassify import (
    LipNetClassifier,
    ResizeImages,
    benchmark_classifiers,
    load_particles,
    make_liposomes,
    svm_baseline,
    write_star,
)

PIXEL_SIZE, DOSE, BOX = 1.5, 20, 80  # nm, electrons per Å², px
COLUMNS, ROWS = 5, 4

folder = Path(tempfile.mkdtemp())
rng = np.random.default_rng(0)


def simulate_micrograph(number):
    """Write a micrograph; return the rows of its table."""
    particles = make_liposomes(
        COLUMNS * ROWS,
        image_size=BOX,
        pixel_size=PIXEL_SIZE,
        radius=26,
        radius_spread=0.15,
        weights={"unilamellar": 0.7, "multilamellar": 0.3},
        n_groups=1,
        neighbours=0,
        contamination=0,
        dose=np.inf,
        ice_noise=0.0,
        ice_gradient=0.0,
        dtype="float32",
        random_state=number,
    )
    step = BOX + 16
    field = np.ones((ROWS * step + 16, COLUMNS * step + 16))
    name, rows = f"micrograph{number}.mrc", []
    for i, image in enumerate(particles.images):
        top = 16 + step * (i // COLUMNS) + rng.integers(-12, 13)
        left = 16 + step * (i % COLUMNS) + rng.integers(-12, 13)
        field[top : top + BOX, left : left + BOX] += image - 1
        class_number = 1 + int(particles.target[i] == "unilamellar")
        rows.append([name, left + BOX // 2, top + BOX // 2, class_number])
    electrons = DOSE * (10 * PIXEL_SIZE) ** 2
    counted = rng.poisson(field.clip(0) * electrons) / electrons
    with mrcfile.new(folder / name) as file:
        file.set_data(counted.astype(np.float32))
        file.voxel_size = 10 * PIXEL_SIZE  # Å
    return rows


rows = [row for number in range(6) for row in simulate_micrograph(number)]
names = ["rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY", "rlnClassNumber"]
starfile.write({"particles": pd.DataFrame(rows, columns=names)}, folder / "picked.star")

# %%
# Particles
# ---------
# `load_particles` opens one micrograph at a time. The groups are the micrographs, the
# labels RELION's class numbers, and the pixel size comes from the header.

data = load_particles(folder, folder / "picked.star", box_size=BOX, edge="pad")
print(data.DESCR)
print("pixel size:", np.unique(data.pixel_size.round(3)), data.pixel_size_source[0])
names = {"1": "multilamellar", "2": "unilamellar"}
y = np.array([names[number] for number in data.target])

with mrcfile.open(folder / "micrograph0.mrc") as file:
    micrograph = file.data.copy()
figure, ax = plt.subplots(figsize=(7.5, 6), layout="constrained")
low, high = np.percentile(micrograph, [0.5, 99.5])
ax.imshow(micrograph, cmap="gray", vmin=low, vmax=high)
colours = {"multilamellar": "#E69F00", "unilamellar": "#56B4E9"}
in_first = data.groups == "micrograph0.mrc"
for box, label in zip(data.boxes[in_first], y[in_first], strict=True):
    top, left, height, width = box
    frame = plt.Rectangle((left, top), width, height, fill=False, ec=colours[label])
    ax.add_patch(frame)
bar = 100 / PIXEL_SIZE
ax.plot([20, 20 + bar], [micrograph.shape[0] - 12] * 2, color="white", lw=4)
ax.text(20 + bar / 2, micrograph.shape[0] - 18, "100 nm", color="white", ha="center")
ax.set(xticks=[], yticks=[], title="A simulated micrograph, and the boxes of its table")
handles = [plt.Line2D([], [], color=c, label=name) for name, c in colours.items()]
_ = ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)

# %%
# Benchmark
# ---------
# Micrographs are kept apart: each is in the test set of one fold.

models = {
    "LipNet-4": make_pipeline(
        ResizeImages((32, 32)),
        LipNetClassifier(max_epochs=12, class_weight="balanced", random_state=0),
    ),
    "SVM": svm_baseline(class_weight="balanced", probability=True),
}
result = benchmark_classifiers(
    models, data.images, y, groups=data.groups, cv=StratifiedGroupKFold(3)
)
print(result.summary()[["TPR", "PPV", "F1"]].round(2))

# %%
# The table back
# --------------
# The better model is fitted on four micrographs and labels the particles of the other
# two. `write_star` keeps all columns of the table and adds the label, its probability,
# and the class number by which RELION selects.

new = np.isin(data.groups, ["micrograph4.mrc", "micrograph5.mrc"])
best = models[result.overview()["F1_macro"].idxmax()]
best.fit(data.images[~new], y[~new])

picked = starfile.read(folder / "picked.star")
unlabelled = picked[new].drop(columns="rlnClassNumber")
starfile.write({"particles": unlabelled}, folder / "new.star")

fresh = load_particles(folder, folder / "new.star", box_size=BOX, edge="pad")
labels = best.predict(fresh.images)
scores = best.predict_proba(fresh.images).max(axis=1)
write_star(folder / "sorted.star", fresh, labels, scores, classes=best.classes_)
print((folder / "sorted.star").read_text()[:900])

# %%
# The four that the model is least sure of, with their labels:

figure, axes = plt.subplots(1, 4, figsize=(7.5, 2.3), layout="constrained")
for ax, i in zip(axes, np.argsort(scores)[:4], strict=True):
    ax.imshow(fresh.images[i], cmap="gray", vmin=low, vmax=high)
    ax.set(xticks=[], yticks=[], title=f"{labels[i]}, {scores[i]:.2f}")
    ax.title.set_fontsize(8)
