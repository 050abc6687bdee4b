"""
Weights from one task, for another
==================================

There are 60 labelled images of liposomes for the question whether they hold their
cargo, and 600 for another one: how many bilayers they have. Does a network that learnt
on the 600 help with the 60? All images are **simulated**.

With a network that learnt on photographs, as ``weights="pretrained"`` fetches it, the
code is the same; here nothing is downloaded.
"""

# %%
# A network for the first task
# ----------------------------
# A small network of timm, from random weights. They are saved as for any other of its
# networks.

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    BackboneClassifier,
    BackboneExtractor,
    LipNetClassifier,
    make_liposomes,
    svm_baseline,
)

# That random weights are random is known here.
warnings.filterwarnings("ignore", message=".* has random weights")

simulation = {"image_size": 32, "weights": [1, 1, 1], "dose": (30, 60)}
bilayers = make_liposomes(600, task="lamellarity", random_state=0, **simulation)
first = BackboneClassifier(
    "test_resnet",
    weights="random",
    image_size=(32, 32),
    max_epochs=14,
    lr=0.002,
    random_state=0,
).fit(bilayers.images, bilayers.target)

folder = TemporaryDirectory()
path = Path(folder.name) / "bilayers.pth"
torch.save(first.net_.module_.net.backbone.state_dict(), path)

# %%
# The second task
# ---------------
# Three draws of 60 images to learn from, and 300 others to be judged by.


def features(weights):
    """Features of the network as it is, and a logistic regression on them."""
    return make_pipeline(
        BackboneExtractor(
            "test_resnet", weights=weights, image_size=(32, 32), random_state=0
        ),
        StandardScaler(),
        LogisticRegression(C=0.01, max_iter=1000),
    )


models = {
    "features, random weights": features("random"),
    "features, weights of the first task": features(path),
    "fine-tuned weights of the first task": BackboneClassifier(
        "test_resnet",
        weights=path,
        image_size=(32, 32),
        max_epochs=15,
        batch_size=16,
        lr=0.002,
        random_state=0,
    ),
    "LipNet-4 from nothing": LipNetClassifier(
        max_epochs=15, batch_size=16, random_state=0
    ),
    "features of the particle, SVM": svm_baseline(),
}
cargo = {"task": "encapsulation", "filling": 0.45, **simulation}
judged_by = make_liposomes(300, random_state=100, **cargo)
rows = {}
for draw in range(1, 4):
    few = make_liposomes(60, random_state=draw, **cargo)
    rows[draw] = {
        name: f1_score(
            judged_by.target,
            model.fit(few.images, few.target).predict(judged_by.images),
            average="macro",
        )
        for name, model in models.items()
    }
table = pd.DataFrame(rows).T

_, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
for row, name in enumerate(table.columns[::-1]):
    ax.plot(table[name], [row] * len(table), "o", color="C0", alpha=0.5)
    ax.plot(table[name].mean(), row, "|", color="black", markersize=16)
ax.axvline(1 / 3, color="grey", linestyle=":")
ax.set_yticks(range(len(table.columns)), table.columns[::-1])
ax.set(xlabel="macro F1 on 300 other images (dotted: guessing)", xlim=(0.2, 1))
ax.margins(y=0.15)
plt.show()

# %%

table.agg(["mean", "min", "max"]).T.round(2)

# %%
# What it says
# ------------
# What was learnt on the first task is worth much more than random weights. Trained
# further, it comes level with a network made for such images that starts from nothing;
# features that say what the simulator varies are worth more. All three networks had
# fewer epochs than they ask for, as the warnings say. Whether photographs teach more,
# for your images, the same comparison tells.

folder.cleanup()
