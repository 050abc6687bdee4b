"""The simulated cells, the folds and the networks of the cell study."""

from functools import cache

from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.utils import Bunch

from emclassify import BackboneClassifier, make_cell_images
from emclassify.model_selection import MultilabelStratifiedGroupKFold
from studies._weights import find_weights

KEPT = ("images", "target", "target_names", "groups")


def simulate(args, *, even=True, **params):
    """Simulate images of 10 or 19 locations; `even` has each equally often.

    Sections share what is simulated alike: don't change it.
    """
    uneven = None if args.locations == 10 else "all"
    told = {
        "n_samples": args.samples,
        "image_size": args.image_size,
        "weights": (1,) * args.locations if even else uneven,
        "random_state": args.seed,
        **params,
    }
    return _simulated(tuple(sorted(told.items())), args.jobs)


@cache
def _simulated(told, n_jobs):
    """Simulate once a run, and keep what models are given."""
    data = make_cell_images(**dict(told), n_jobs=n_jobs)
    return Bunch(**{name: data[name] for name in KEPT})


def by_plate(args, *, multilabel=False):
    """Return the splitter that keeps plates together."""
    kind = MultilabelStratifiedGroupKFold if multilabel else StratifiedGroupKFold
    return kind(args.folds, shuffle=True, random_state=args.seed)


def several(args):
    """Say what the images are, where they have several labels."""
    return f"{args.locations} locations, each equally often, one to three an image"


def out_of_fold(model, data, args, method="predict"):
    """Return what a model says of the images of a set with several labels."""
    return cross_val_predict(
        model,
        data.images,
        data.target,
        groups=data.groups,
        cv=by_plate(args, multilabel=True),
        method=method,
        verbose=2,
    )


def network(args, backbone=None, weights=None, **params):
    """Return a backbone with the recipe that suits its weights."""
    name = backbone or args.backbones[0]
    weights = find_weights(weights or args.weights, name)
    recipe = {"image_size": (args.image_size, args.image_size)}
    if weights == "random":
        recipe["lr"] = 0.003
    recipe |= {"max_epochs": args.epochs, "random_state": args.seed}
    recipe["device"] = args.device
    return BackboneClassifier(
        name,
        weights=weights,
        **(recipe | params),
    )


def from_nothing(classifier, args, **params):
    """Return one of the library's own small networks."""
    return classifier(
        max_epochs=args.epochs,
        batch_size=32,
        device=args.device,
        random_state=args.seed,
        **params,
    )
