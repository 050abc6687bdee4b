"""What the liposome study asks, part by part: the data and the models of each."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline

from emclassify import (
    ArtificialImageSampler,
    ImageOverSampler,
    ImageSMOTE,
    ImageUnderSampler,
    LipNetClassifier,
    ParticleCropper,
    ResizeImages,
    make_liposomes,
    svm_baseline,
)
from emclassify.datasets._class_balance import check_weights, share_out
from emclassify.datasets.liposomes._liposomes import CLASS_COUNTS
from emclassify.sampling import generate_liposomes
from emclassify.training import (
    RandomAffine,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from studies._fits import Model

# Pixels of the simulated images, and of what the networks get: the thesis has 52 for
# LipNet-6 and 28 for the others.
IMAGE_SIZE, NET_SIZE, LIPNET_6_SIZE = 64, 28, 52
# For the kinds of input: a field in which 50 px around most particles are left.
WIDE_SIZE, WIDE_PIXEL = 192, 2.0


@dataclass(frozen=True)
class Setting:
    """How large the study is."""

    n_lamellarity: int
    n_encapsulation: int
    n_folds: int
    max_epochs: int
    batch_size: int
    published_epochs: int
    seed: int
    # Shares of the classes; None are the thesis's.
    lamellarity_weights: tuple | None
    encapsulation_weights: tuple | None
    k_neighbors: int
    # Of the networks that the parts on LipNets compare.
    depths: tuple = (2, 4, 6, 8, 10)

    def simulation(self, task):
        """Return what the simulator gets for a task, all but the size of the images."""
        n = getattr(self, f"n_{task}")
        return {
            "n_samples": n,
            "task": task,
            "weights": getattr(self, f"{task}_weights"),
            "n_groups": max(n // 20, min(n, 4 * self.n_folds)),
            "random_state": self.seed,
        }

    def rarest(self, task):
        """Return the number of images of the rarest class of a task."""
        params = self.simulation(task)
        names, weights = CLASS_COUNTS[task], params["weights"]
        shares = check_weights(names if weights is None else weights, list(names), task)
        return int(share_out(params["n_samples"], shares).min())

    def images(self, task, **params):
        """Simulate the images of a task."""
        return make_liposomes(**self.simulation(task), **params)


@dataclass(frozen=True)
class Part:
    """One question of the study, on one task.

    `models` takes the setting and returns models whose inputs are named after their
    size in pixels; `data` takes it too and returns images, labels and groups.
    """

    name: str
    question: str
    task: str
    note: str
    models: Callable
    data: Callable
    # What the thesis says, each with what to look at here: see _summary.
    source: tuple[tuple[str, str], ...] = ()
    shows_confusion: bool = False


def lipnet(setting, depth=4, **params):
    """Return a LipNet with the default recipe, as long as the study's."""
    default = {
        "max_epochs": setting.max_epochs,
        "batch_size": setting.batch_size,
        "random_state": setting.seed,
    }
    return LipNetClassifier(depth, **{**default, **params})


def resized(model, size=NET_SIZE):
    """Return a model that takes images of the size of a network."""
    return Model(model, str(size))


def as_recorded(model):
    """Return a model that takes the images as they are."""
    return Model(model, str(IMAGE_SIZE))


def inputs_for(models, images):
    """Return the images at each size that models take."""
    names = {model.input for model in models.values()}
    return {
        name: images
        if images.shape[1] in (int(name), WIDE_SIZE)
        else ResizeImages((int(name), int(name))).fit_transform(images)
        for name in names
    }


def a_third(y):
    """Return class sizes that raise each class to a third of the largest."""
    sizes = Counter(y)
    least = max(sizes.values()) // 3
    return {name: max(size, least) for name, size in sizes.items()}


def images_of(task):
    """Return a function that simulates (X, y, groups) of a task."""

    def make(setting):
        data = setting.images(task, image_size=IMAGE_SIZE)
        return data.images, data.target, data.groups

    return make


def wide_images(setting):
    """Simulate fields wider than the particle, with its mask as the last channel."""
    data = setting.images("lamellarity", image_size=WIDE_SIZE, pixel_size=WIDE_PIXEL)
    X = np.stack([data.images, data.masks], axis=-1)
    return X, data.target, data.groups


def size_of(depth):
    """Return the pixels that the thesis gives a LipNet."""
    return LIPNET_6_SIZE if depth == 6 else NET_SIZE


def lipnets(setting):
    """LipNets of several depths."""
    return {
        f"LipNet-{depth}": resized(lipnet(setting, depth), size_of(depth))
        for depth in setting.depths
    }


def published_lipnets(setting):
    """Take the thesis's recipe for the same: at most 200 epochs, patience 20."""
    length = {"max_epochs": setting.published_epochs, "random_state": setting.seed}
    return {
        f"LipNet-{depth}": resized(
            LipNetClassifier.as_published(depth, **length), size_of(depth)
        )
        for depth in setting.depths
    }


def lengths(setting):
    """LipNet-4 for a few lengths of training, with and without augmentation, thrice."""
    return {
        f"{name}, {epochs} epochs, seed {seed}": resized(
            lipnet(setting, augmentation=way, max_epochs=epochs, random_state=seed)
        )
        for epochs in sorted({max(1, round(setting.max_epochs * f)) for f in LENGTHS})
        for name, way in (("none", None), ("turns", "dihedral"), ("affine", "affine"))
        for seed in range(setting.seed, setting.seed + 3)
    }


# Lengths of training, as shares of the study's.
LENGTHS = (0.125, 0.25, 0.5, 1, 2, 4)


def augmentations(setting):
    """None, symmetries of the square, and the thesis's maps with three borders."""
    flips = [RandomHorizontalFlip(), RandomVerticalFlip()]
    ways = {
        "none": None,
        "flips": flips,
        "flips and quarter turns": "dihedral",
        "rotation alone": [RandomAffine(translate=(0, 0), scale=(1, 1), shear=0)],
        "as in the thesis": "affine",
        "as in the thesis, black border": [RandomAffine(padding_mode="zeros"), *flips],
    }
    return {
        name: resized(lipnet(setting, augmentation=way)) for name, way in ways.items()
    }


def imbalance(setting):
    """Untreated, the thesis's five ways, focal loss, and combinations."""
    seed, k = setting.seed, setting.k_neighbors
    resize = ResizeImages((NET_SIZE, NET_SIZE))
    more = {"sampling_strategy": a_third, "random_state": seed}
    artificial = ArtificialImageSampler(
        partial(generate_liposomes, task="encapsulation"), **more
    )
    over = ImageOverSampler(**more)
    svm, weighted_svm = (
        svm_baseline(families="thesis", class_weight=None),
        svm_baseline(families="thesis"),
    )
    features, scale, machine = (step for _, step in svm.steps)
    return {
        "untreated": resized(lipnet(setting)),
        "oversampling": resized(make_pipeline(over, lipnet(setting))),
        "undersampling": resized(
            make_pipeline(
                ImageUnderSampler(random_state=seed),
                # Of so few images an epoch is a step or two.
                lipnet(setting, max_epochs=10 * setting.max_epochs),
            )
        ),
        "SMOTE on images": resized(
            make_pipeline(ImageSMOTE(k_neighbors=k, **more), lipnet(setting))
        ),
        # Before the resizing: artificial images are made as the images come.
        "artificial images": as_recorded(
            make_pipeline(artificial, resize, lipnet(setting))
        ),
        "class weights": resized(lipnet(setting, class_weight="balanced")),
        "focal loss": resized(lipnet(setting, loss="focal")),
        "oversampling, affine": resized(
            make_pipeline(over, lipnet(setting, augmentation="affine"))
        ),
        "artificial images, affine": as_recorded(
            make_pipeline(artificial, resize, lipnet(setting, augmentation="affine"))
        ),
        "SVM, untreated": as_recorded(svm),
        "SVM, class weights": as_recorded(weighted_svm),
        "SVM, SMOTE on features": as_recorded(
            make_pipeline(features, scale, SMOTE(k_neighbors=k, **more), machine)
        ),
    }


def inputs(setting):
    """Three kinds of input, from one field, and two with the mask in the network."""
    ways = {
        "with surroundings": {"margin": 50},
        "with surroundings, network masked": {"margin": 50, "keep_mask": True},
        "cropped": {"margin": 0},
        "cropped, network masked": {"margin": 0, "keep_mask": True},
        "cropped and masked": {"margin": 0, "apply_mask": True},
    }
    models = {}
    for name, way in ways.items():
        way = {"keep_mask": False, **way}
        more = {"mask": "last"} if way["keep_mask"] else {}
        pipeline = make_pipeline(
            ParticleCropper(**way),
            ResizeImages((NET_SIZE,) * 2),
            lipnet(setting, **more),
        )
        models[name] = Model(pipeline, str(WIDE_SIZE))
    return models


def regularisation(setting):
    """Nothing, each of five ways by itself, and all of them."""
    off = {
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "dropout": 0.0,
        "dropout_dense": 0.0,
        "early_stopping": False,
        "augmentation": None,
    }
    ways = {
        "weight decay": {"weight_decay": 0.01},
        "label smoothing": {"label_smoothing": 0.1},
        "dropout": {"dropout": 0.25, "dropout_dense": 0.5},
        "early stopping": {"early_stopping": True},
        "augmentation": {"augmentation": "affine"},
    }
    together = {name: value for way in ways.values() for name, value in way.items()}
    cases = {"none": {}, **ways, "all five": together}
    return {
        name: resized(lipnet(setting, **(off | case))) for name, case in cases.items()
    }


def cnn_and_svm(setting):
    """LipNet-4 with three treatments of unequal classes, and what it has to beat."""
    over = ImageOverSampler(sampling_strategy=a_third, random_state=setting.seed)
    affine = lipnet(setting, augmentation="affine")
    return {
        "LipNet-4": resized(lipnet(setting)),
        "LipNet-4, class weights": resized(lipnet(setting, class_weight="balanced")),
        "LipNet-4, oversampling": resized(make_pipeline(over, lipnet(setting))),
        "LipNet-4, oversampling, affine": resized(make_pipeline(over, affine)),
        "SVM": as_recorded(svm_baseline(families="thesis", class_weight=None)),
        "SVM, class weights": as_recorded(svm_baseline(families="thesis")),
    }


SAME_SIMULATOR = (
    "The artificial images come from the simulator that made the data, which no "
    "generator for real images can match: what they gain here is an upper bound."
)

CNN_NOTE = (
    "Oversampling raises each class to a third of the largest. The SVM gets the images "
    "at full size."
)
LIPNET_NOTE = (
    "LipNet-6 gets 52×52 px, the others 28×28. LipNet-8 and LipNet-10 are ours."
)
PUBLISHED_NOTE = (
    LIPNET_NOTE + " The thesis's recipe: SGD at 0.01, its augmentation, at most 200 "
    "epochs, stopped after 20 without a gain on a tenth that is held out (epochs in "
    "the line above are the other parts')."
)

PARTS = [
    Part(
        "lipnets-lamellarity",
        "Which LipNet is best for lamellarity?",
        "lamellarity",
        LIPNET_NOTE,
        lipnets,
        images_of("lamellarity"),
        (("LipNet-4 is the best of five by F1 over 5 folds", "best"),),
    ),
    Part(
        "lipnets-encapsulation",
        "Which LipNet is best for encapsulation?",
        "encapsulation",
        LIPNET_NOTE,
        lipnets,
        images_of("encapsulation"),
        (("No clear leader", "best"),),
    ),
    Part(
        "published-lamellarity",
        "Which LipNet, trained as in the thesis, is best for lamellarity?",
        "lamellarity",
        PUBLISHED_NOTE,
        published_lipnets,
        images_of("lamellarity"),
        (("LipNet-4 is the best of five by F1 over 5 folds", "best"),),
    ),
    Part(
        "published-encapsulation",
        "Which LipNet, trained as in the thesis, is best for encapsulation?",
        "encapsulation",
        PUBLISHED_NOTE,
        published_lipnets,
        images_of("encapsulation"),
        (("No clear leader", "best"),),
    ),
    Part(
        "length",
        "What is augmentation worth, and when?",
        "lamellarity",
        "LipNet-4 for an eighth of the study's epochs to four times as many; the names "
        "say how many, and the seed of the network. Turns are flips and quarter turns, "
        "affine the thesis's maps.",
        lengths,
        images_of("lamellarity"),
    ),
    Part(
        "augmentation",
        "What is augmentation worth?",
        "lamellarity",
        "LipNet-4. The thesis's maps draw in mirrored pixels at the border, except "
        "in the last row.",
        augmentations,
        images_of("lamellarity"),
    ),
    Part(
        "imbalance",
        "What helps against unequal classes?",
        "encapsulation",
        "LipNet-4 where the name does not say SVM. Oversampling, SMOTE and artificial "
        "images raise each class to a third of the largest; undersampling cuts all to "
        "the smallest and trains ten times as many epochs. " + SAME_SIMULATOR,
        imbalance,
        images_of("encapsulation"),
    ),
    Part(
        "inputs",
        "How much of its surroundings should the network see?",
        "lamellarity",
        f"LipNet-4. Fields of {WIDE_SIZE}×{WIDE_SIZE} px at {WIDE_PIXEL:g} nm/px; the "
        "surroundings are 50 px on each side.",
        inputs,
        wide_images,
    ),
    Part(
        "regularisation",
        "What is each way of regularisation worth?",
        "lamellarity",
        "LipNet-4. Early stopping holds out a tenth of the training side, with a "
        "patience of 10 epochs.",
        regularisation,
        images_of("lamellarity"),
    ),
    Part(
        "cnn-vs-svm-lamellarity",
        "Is LipNet-4 better than an SVM on features, for lamellarity?",
        "lamellarity",
        CNN_NOTE,
        cnn_and_svm,
        images_of("lamellarity"),
        (
            ("The network is slightly better than the SVM", "best"),
            ("The network has fewer false negative unilamellar ones", "FN unilamellar"),
            (
                "The network has fewer false positive multilamellar ones",
                "FP multilamellar",
            ),
            ("Many are taken for uncertain", "FP uncertain"),
        ),
        shows_confusion=True,
    ),
    Part(
        "cnn-vs-svm-encapsulation",
        "Is LipNet-4 better than an SVM on features, for encapsulation?",
        "encapsulation",
        CNN_NOTE,
        cnn_and_svm,
        images_of("encapsulation"),
        (
            ("Network and SVM are nearly equal", "best"),
            ("NPV of full is low", "NPV full"),
            ("PPV of empty is poor", "PPV empty"),
            ("PPV of uncertain is poor", "PPV uncertain"),
            ("PPV of full is near 1", "PPV full"),
            ("NPV of empty is near 1", "NPV empty"),
            ("NPV of uncertain is near 1", "NPV uncertain"),
        ),
        shows_confusion=True,
    ),
]
