"""
Which LipNet is best?
=====================

The liposome thesis names five networks, of 2, 4, 6, 8 and 10 convolutions, and
describes the first three; 8 and 10 are continued here from the blocks of LipNet-4, so
they are ours. Does more depth help? All images are **simulated**.
"""

# %%
# Images
# ------
# Is a liposome full or empty? Two classes of equal shares and a high dose make this
# easy enough to learn something in a few epochs. So does the size, 16×16 px: on one
# core the deepest of the five takes several times as long as the first.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from emclassify import LipNetClassifier, benchmark_classifiers, make_liposomes
from emclassify.nets import LipNet2, LipNet4, LipNet6, LipNet8, LipNet10

data = make_liposomes(
    60,
    task="encapsulation",
    filling=0.45,
    image_size=16,
    weights={"full": 0.5, "empty": 0.5},
    dose=(60, 100),
    n_groups=20,
    random_state=0,
)

# %%
# Five networks, three folds
# --------------------------
# ``depth`` is all that differs. No micrograph is on both sides of a fold.

DEPTHS = [2, 4, 6, 8, 10]
result = benchmark_classifiers(
    {
        f"LipNet-{depth}": LipNetClassifier(
            depth, max_epochs=4, batch_size=16, random_state=0
        )
        for depth in DEPTHS
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
# Macro F1 in each fold (circles), its mean (line), and what the network costs.

scores = result.to_frame()
NETS = [LipNet2, LipNet4, LipNet6, LipNet8, LipNet10]
sizes = {
    f"LipNet-{depth}": sum(w.numel() for w in net((16, 16, 1), 2).parameters())
    for depth, net in zip(DEPTHS, NETS, strict=True)
}

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for place, name in enumerate(result.names):
    of_model = scores[scores["estimator"] == name]
    left.plot(
        [place] * len(of_model), of_model["F1_macro"], "o", mfc="none", color="C0"
    )
    left.hlines(of_model["F1_macro"].mean(), place - 0.3, place + 0.3, colors="k")
left.set_xticks(range(len(DEPTHS)), result.names, rotation=30)
left.set(ylabel="macro F1", ylim=(0, 1.03), title="3 folds")
right.bar(result.names, scores.groupby("estimator", sort=False)["fit_time"].mean())
right.tick_params(axis="x", rotation=30)
right.set(ylabel="seconds a fit", title="time on one core")
plt.show()

# %%
# The verdict compares each with the best, and corrects for the number of pairs.

print(result.verdict())

# %%

table = result.overview()[["F1_macro", "F1_macro_sd"]].round(3)
table.assign(weights=pd.Series(sizes))

# %%
# How much to believe
# -------------------
# Little. A network sees some 40 images here, four times each. That shows which one
# starts to learn soonest, not which is best in the end: deep ones start late. And the
# thesis's images have 28×28 px, for LipNet-6 52×52 px. The same at its size, for
# lamellarity:
#
# .. code-block:: bash
#
#     python -m studies.liposomes --out results --full --only lipnets
#
# In the thesis's own training recipe, which takes far longer, each network is
# ``LipNetClassifier.as_published(depth)``.
