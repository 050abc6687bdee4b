"""What the diffraction study asks, part by part: patterns, models and tables."""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy.stats import binomtest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from emclassify import (
    CenterCrop,
    PixelStandardizer,
    ResNetClassifier,
    make_diffraction_patterns,
)
from emclassify.baselines import BackboneExtractor, DiffusionMapClassifier
from emclassify.features import RadialDensity
from emclassify.metrics import operating_point
from emclassify.training import (
    RandomAffine,
    RandomDihedral,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from studies._sources import DIFFRACTION

SIZE, BATCH_SIZE = 128, 64
# No part of the setting: the same study on another device.
DEVICE = {"device": "auto"}
# Ideal are the simulator's defaults.
DOMAINS = {
    "ideal": {},
    "experiment-like": {
        "fluence": (2e10, 2e11),
        "background": 0.05,
        "fluctuation": 0.5,
        "jitter": 2,
        "beam_stop": 6,
        "gap": 6,
    },
}
FLIPS = (RandomHorizontalFlip(), RandomVerticalFlip())
# An affine map of a pattern is the pattern of a particle mapped likewise.
STRETCH = (
    RandomAffine(
        translate=(0, 0), scale=(0.85, 1.2), shear=40, interpolation="bilinear"
    ),
    RandomDihedral(),
)
MORE_SHAPES = ("icosahedron", "sphere", "cube", "shell")
N_LABELLED, N_DRAWS = 5, 5
N_CLUSTERS = (4, 8, 16)
# The part that takes a network with weights.
PHOTOGRAPHS = "photographs"
# Seeds of the sets, which share no pattern.
TRAIN, TEST, VALIDATION = range(3)


@dataclass(frozen=True)
class Setting:
    """How large the study is."""

    n_train: int
    n_test: int
    max_epochs: int
    seed: int


@dataclass(frozen=True)
class Part:
    """One question of the study.

    `run` takes the setting and returns rows; of `PHOTOGRAPHS` a network too.
    """

    name: str
    question: str
    note: str
    run: object


@cache
def simulate(setting, which, shape="icosahedron", domain="ideal"):
    """Return cropped patterns, and whether each is a single hit."""
    data = make_diffraction_patterns(
        setting.n_train if which == TRAIN else setting.n_test,
        shape=shape if isinstance(shape, str) else list(shape),
        random_state=3 * setting.seed + which,
        **DOMAINS[domain],
    )
    cropped = CenterCrop(SIZE).fit_transform(data.images)
    return np.ascontiguousarray(cropped), data.target == "good"


def log_photons(X):
    """Return the logarithm of one more than the photons, in single precision."""
    return np.log1p(X, dtype=np.float32)


def use_device(device):
    """Train networks of this process on a device."""
    DEVICE["device"] = device


def resnet(setting, n=2, m=2, *, published=False, logarithm=False, augmentation=FLIPS):
    """Return ResNet(n, m) behind standardised pixels; patterns are cropped already."""
    steps = [FunctionTransformer(log_photons)] if logarithm else []
    make = ResNetClassifier.as_published if published else ResNetClassifier
    network = make(
        n,
        m,
        **DEVICE,
        max_epochs=setting.max_epochs,
        batch_size=BATCH_SIZE,
        augmentation=list(augmentation),
        random_state=setting.seed,
    )
    return make_pipeline(*steps, PixelStandardizer(), network)


def svm_on_rings():
    """Return an SVM on mean and deviation in rings of the logarithm."""
    return make_pipeline(
        FunctionTransformer(log_photons),
        RadialDensity(64, standardize=False),
        StandardScaler(),
        SVC(C=10),
    )


def diffusion_map_of_rings(n_clusters):
    """Return the semi-automatic classifier, on deviations in rings alone."""
    n_rings = 24
    return make_pipeline(
        FunctionTransformer(log_photons),
        RadialDensity(n_rings, extent=0.8, standardize=False),
        make_column_transformer((StandardScaler(), slice(n_rings, None))),
        DiffusionMapClassifier(
            n_clusters, n_components=6, epsilon=5.0, unlabelled=-1, random_state=0
        ),
    )


def linear_on(extractor):
    """Return the source's second model: features of photographs, and a linear one."""
    return make_pipeline(
        FunctionTransformer(log_photons),
        extractor,
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )


@cache
def trained(setting, recipe, shape, domain):
    """Return a network of one of the recipes, trained; parts share them."""
    print(f"  training: {recipe}, {shape}, {domain}", flush=True)
    settings = {
        "as published": {"published": True},
        "logarithm": {"logarithm": True},
        "stretched": {"logarithm": True, "augmentation": STRETCH},
    }
    model = resnet(setting, **settings[recipe])
    return model.fit(*simulate(setting, TRAIN, shape, domain))


def share(chosen):
    """Return a share of samples as text, with its interval."""
    count, total = int(np.sum(chosen)), len(chosen)
    interval = binomtest(count, total).proportion_ci()
    shown = (f"{100 * value:.1f}" for value in (count / total, *interval))
    return "{} [{}, {}]".format(*shown)


def errors(kept, single):
    """Return FN and FP in per cent."""
    return {"FN (%)": share(~kept[single]), "FP (%)": share(kept[~single])}


def few_labels(single, seed):
    """Return labels 0 and 1 of a few samples of each class, and -1 for the rest."""
    rng = np.random.default_rng(seed)
    few = np.full(len(single), -1)
    for value in (0, 1):
        rows = rng.choice(np.flatnonzero(single == value), N_LABELLED, replace=False)
        few[rows] = value
    return few


def each_domain(models, setting):
    """Return a row for each model and each pair of domains.

    `models` are functions by name, which take a domain and return what was trained on
    it.
    """
    rows = []
    for name, train in models.items():
        for domain in DOMAINS:
            model = train(domain)
            for tested in DOMAINS:
                X, single = simulate(setting, TEST, domain=tested)
                kept = model.predict(X)
                row = {"model": name, "trained on": domain, "tested on": tested}
                row["accuracy (%)"] = share(kept == single)
                rows.append(row | errors(kept, single))
    return rows


def run_domains(setting):
    """Each model on each pair of domains."""
    published = "ResNet(2, 2), as published"
    models = {
        published: partial(trained, setting, "as published", "icosahedron"),
        "ResNet(2, 2), logarithm": partial(
            trained, setting, "logarithm", "icosahedron"
        ),
        "SVM on rings": lambda domain: svm_on_rings().fit(
            *simulate(setting, TRAIN, domain=domain)
        ),
    }
    rows = each_domain(models, setting)
    of_domains = [labelled_by_few(setting, domain) for domain in DOMAINS]
    rows += [row for rows_ in zip(*of_domains, strict=True) for row in rows_]
    for row in rows:
        pair = (row["trained on"], row["tested on"])
        row["source (%)"] = (
            DIFFRACTION.get(pair, "") if row["model"] == published else ""
        )
    return rows


def run_photographs(setting, backbone, weights):
    """Features of a network that was trained on photographs, and a linear model."""
    extractor = BackboneExtractor(backbone, weights=weights, **DEVICE)
    models = {
        f"{backbone}, logistic regression": lambda domain: linear_on(extractor).fit(
            *simulate(setting, TRAIN, domain=domain)
        )
    }
    rows = each_domain(models, setting)
    for row in rows:
        ideal = row["trained on"] == row["tested on"] == "ideal"
        row["source, VGG16 (%)"] = DIFFRACTION["VGG16"] if ideal else ""
    return rows


def labelled_by_few(setting, domain):
    """Return the rows of the diffusion map, one for each number of clusters."""
    X, single = simulate(setting, TRAIN, domain=domain)
    X_test, single_test = simulate(setting, TEST, domain=domain)
    *steps, mapped = diffusion_map_of_rings(N_CLUSTERS[0])
    features = make_pipeline(*steps)
    X, X_test = features.fit_transform(X), features.transform(X_test)
    draws = [few_labels(single, seed) for seed in range(N_DRAWS)]
    # The map is the same for all labels and numbers of clusters: made once, as are the
    # places of the test patterns in it.
    mapped.fit(X, draws[0])
    where = mapped._places(X_test)
    return [
        mean_row(
            domain, n_clusters, single_test, said_at(where, mapped, n_clusters, draws)
        )
        for n_clusters in N_CLUSTERS
    ]


def said_at(where, mapped, n_clusters, draws):
    """Return which test patterns are kept, for each draw of the labelled samples."""
    mapped.set_params(n_clusters=n_clusters)
    mapped._cluster(mapped.map_.embedding_)
    for few in draws:
        mapped._label(few, few >= 0)
        yield mapped._shares_at(where).argmax(axis=1) == 1


def mean_row(domain, n_clusters, single_test, kept_by_draw):
    """Return a row of means over draws, with the least and the most."""
    figures = []
    for kept in kept_by_draw:
        figures.append(
            [
                np.mean(kept == single_test),
                np.mean(~kept[single_test]),
                np.mean(kept[~single_test]),
            ]
        )
    figures = 100 * np.array(figures)
    shown = [
        f"{mean:.1f} [{low:.1f} to {high:.1f}]"
        for mean, low, high in zip(
            figures.mean(0), figures.min(0), figures.max(0), strict=True
        )
    ]
    return {
        "model": f"diffusion map of rings, {n_clusters} clusters",
        "trained on": domain,
        "tested on": domain,
        "accuracy (%)": shown[0],
        "FN (%)": shown[1],
        "FP (%)": shown[2],
    }


def run_shapes(setting):
    """Trained on some shapes, tested on others, at a half and at a working point."""
    recipes = {
        "as published": ("as published", "icosahedron"),
        "+ logarithm": ("logarithm", "icosahedron"),
        "+ sphere, cube, shell": ("logarithm", MORE_SHAPES),
        "+ stretched": ("stretched", MORE_SHAPES),
    }
    rows = []
    for name, (recipe, shape) in recipes.items():
        as_published = name == "as published"
        model = trained(setting, recipe, shape, "ideal")
        X, single = simulate(setting, VALIDATION, shape)
        point = operating_point(single, model.predict_proba(X)[:, 1], max_fpr=0.0)
        for tested in ("icosahedron", "soccer_ball", "torus"):
            X, single = simulate(setting, TEST, tested)
            score = model.predict_proba(X)[:, 1]
            moved = errors(score >= point.threshold, single)
            rows.append(
                {
                    "training": name,
                    "tested on": tested.replace("_", " "),
                    **errors(score >= 0.5, single),
                    "threshold": f"{point.threshold:.2f}",
                    **{f"{key} there": text for key, text in moved.items()},
                    "source FN / FP": DIFFRACTION[tested] if as_published else "",
                }
            )
    return rows


def run_depth(setting):
    """Accuracy on both sides against n and m, with fewer training patterns."""
    X, single = simulate(setting, TRAIN, domain="experiment-like")
    X, single = X[: len(X) // 2], single[: len(single) // 2]
    X_test, single_test = simulate(setting, TEST, domain="experiment-like")
    rows = []
    for n, m in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 2), (3, 3), (4, 4)):
        print(f"  training: ResNet({n}, {m})", flush=True)
        model = resnet(setting, n, m, published=True).fit(X, single)
        weights = model[-1].net_.module_.net.parameters()
        seen, new = model.predict(X) == single, model.predict(X_test) == single_test
        rows.append(
            {
                "n, m": f"{n}, {m}",
                "layers": 2 * n + 2 * m + 2,
                "weights": f"{sum(p.numel() for p in weights):,}",
                "training (%)": share(seen),
                "test (%)": share(new),
                "overfitting": f"{100 * (seen.mean() - new.mean()):.1f}",
            }
        )
    return rows


PARTS = [
    Part(
        "domains",
        "How do models trained in one domain do in another?",
        "{n_train:,} training and {n_test:,} test patterns of icosahedra in each "
        "domain, half of them single hits; {max_epochs} epochs, seed {seed}. “As "
        "published”: photon counts, pixels standardised, flips, Adam at a constant "
        "rate, no label smoothing or weight decay. “Logarithm”: of counts + 1, with "
        "the library's recipe. The SVM gets mean and standard deviation of that "
        "logarithm in 64 rings, the diffusion map the standard deviations in 24 rings, "
        "and labels of "
        f"{N_LABELLED} training patterns of each class: means over {N_DRAWS} draws of "
        "these, in brackets the least and the most.",
        run_domains,
    ),
    Part(
        PHOTOGRAPHS,
        "Are features from photographs enough?",
        "A network that was trained on photographs, as it is, and logistic regression "
        "on its features of the logarithm of counts + 1: for VGG16, the source's, both "
        "hidden dense layers, for others what they pool. {n_train:,} training and "
        "{n_test:,} test patterns, the same as above, seed {seed}.",
        run_photographs,
    ),
    Part(
        "shapes",
        "Does a network know single particles of shapes it has not seen?",
        "ResNet(2, 2), the ResNet10 of the source. {n_train:,} training patterns, "
        "{n_test:,} test patterns of each shape, ideal; {max_epochs} epochs, seed "
        "{seed}. Each recipe adds to the one before; none sees soccer balls or "
        "tori. “Stretched”: rotated, scaled and sheared at random. Single hits are "
        "kept from a probability of 0.5, and (“there”) from the threshold that keeps "
        "most of {n_test:,} validation patterns of the training shapes without a false "
        "positive.",
        run_shapes,
    ),
    Part(
        "depth",
        "How deep should the network be?",
        "ResNet(n, m) as published on experiment-like icosahedra, half of the "
        "{n_train:,} training patterns, {n_test:,} test patterns, {max_epochs} epochs, "
        "seed {seed}. Overfitting is the difference of the two accuracies, in points. "
        f"The source: “{DIFFRACTION['depth']}”",
        run_depth,
    ),
]
