"""What the sources found, on their own images: the column "source" of each study.

Facts only, as the publications, theses and talks give them. Ours are simulated unless
real images are given, so the two columns say whether the same thing shows, and not
whether the same number comes out.
"""

import pandas as pd

__all__ = [
    "CELL_IMAGES",
    "CELL_NAME",
    "CELL_TABLES",
    "DIFFRACTION",
    "DIFFRACTION_SIMULATED",
    "OFF_SAMPLE",
    "OFF_SAMPLE_BASELINE",
    "OFF_SAMPLE_COUNTS",
    "OFF_SAMPLE_NAME",
]

CELL_NAME = "Lee and Bamford, protein localisation in 19 labels"
CELL_IMAGES = 21806


def _micro(rows):
    return pd.DataFrame(rows, index=["micro-F1", "micro recall", "micro precision"]).T


def _macro(rows):
    return pd.DataFrame(rows, index=["macro-F1", "macro precision", "macro recall"]).T


# By section of the study.
CELL_TABLES = {
    "backbone": _micro(
        {
            "ResNet152": [0.77, 0.77, 0.77],
            "ResNet152V2": [0.77, 0.75, 0.70],
            "InceptionResNetV2": [0.80, 0.81, 0.81],
            "EfficientNetB7": [0.81, 0.81, 0.81],
        }
    ),
    "learning-rate": _micro(
        {
            "0.1": [0.19, 0.19, 0.19],
            "0.01": [0.71, 0.62, 0.72],
            "0.001": [0.81, 0.81, 0.81],
            "0.0001": [0.81, 0.75, 0.77],
        }
    ),
    "outputs": _micro(
        {
            "ReLU": [0.15, 0.06, 0.01],
            "tanh": [0.15, 0.06, 0.01],
            "sigmoid": [0.81, 0.81, 0.81],
        }
    ),
    "filtering": _macro(
        {"all images": [0.74, 0.79, 0.72], "filtered": [0.77, 0.79, 0.76]}
    ),
    "class-weight": _macro(
        {"no weights": [0.77, 0.79, 0.76], "complement": [0.79, 0.82, 0.78]}
    ).assign(**{"micro-F1": [0.81, 0.82]}),
}

DIFFRACTION_SIMULATED = 50000
DIFFRACTION = {
    # Accuracy in per cent: trained on, tested on.
    ("ideal", "ideal"): "99.8",
    ("experiment-like", "experiment-like"): "94.6",
    ("ideal", "experiment-like"): "62.0",
    # Accuracy with logistic regression on its features.
    "VGG16": "98.6",
    # False negatives / false positives in per cent.
    "icosahedron": "0 / 0",
    "soccer_ball": "58.7 / 0",
    "torus": "84.8 / 0",
    "depth": "Deeper networks overfit significantly.",
}

OFF_SAMPLE_NAME = "Ovchinnikova et al., BMC Bioinformatics 21:129 (2020)"
OFF_SAMPLE_COUNTS = {"off": 7451, "on": 15665}
# Ten folds by dataset, five trainings averaged, "a couple of epochs".
OFF_SAMPLE = {
    "accuracy": "0.973 ± 0.020",
    "AUC": "0.975 to 1.000",
    "F1": "0.953 ± 0.043",
    "precision": "0.981 ± 0.013",
    "recall": "0.929 ± 0.075",
}
OFF_SAMPLE_BASELINE = {"precision": "0.75", "recall": "0.80"}
