"""Writes the models that must load for ever, and what they predict.

    python tests/models/write_models.py

Run once for each version of the format, and never again: a file that is there is left
alone.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import make_pipeline

import emclassify
from emclassify import (
    CNNClassifier,
    FullyConvolutionalClassifier,
    ResizeImages,
    ResNetClassifier,
    SeedEnsembleClassifier,
    nets,
    svm_baseline,
)
from emclassify.persistence._model_file import FORMAT_VERSION

FOLDER = Path(__file__).parent


def images(n=8):
    """Images that need no random numbers, whose streams may change."""
    k, i, j = np.ogrid[:n, :12, :12]
    wave = np.sin(0.3 * i * (1 + k % 3)) * np.cos(0.4 * j * (1 + k % 2)) + k / n
    return (127 + 40 * wave).astype(np.uint8)


def models():
    """Fitted models by name, none of them large."""
    resnet = ResNetClassifier(n=0, m=0, max_epochs=1, optimizer="sgd", random_state=0)
    made = {
        "fully_convolutional": FullyConvolutionalClassifier(
            widths=(4,), max_epochs=3, random_state=0
        ),
        "resnet_in_pipeline": make_pipeline(ResizeImages((6, 6)), resnet),
        "svm": svm_baseline(features=["moments", "histogram", "length"], mask="otsu"),
        "ensemble": SeedEnsembleClassifier(resnet, n_members=2, random_state=0),
        "network_by_name": CNNClassifier(
            partial(nets.ResNet, n=0, m=0),
            max_epochs=1,
            optimizer="sgd",
            random_state=0,
        ),
    }
    labels = np.array(["full", "empty"])[np.arange(8) % 2]
    return {name: model.fit(images(), labels) for name, model in made.items()}


def networks():
    """Networks by name, for images (12, 12, 1), two classes and three features."""
    for_images = {
        name: getattr(nets, name) for name in nets.__all__ if "LipNet" in name
    }
    for_images["ResNet"] = partial(nets.ResNet, n=1, m=1)
    for_images["FullyConvolutionalNet"] = nets.FullyConvolutionalNet
    made = {name: make((12, 12, 1), 2) for name, make in for_images.items()}
    made["FusionNet"] = nets.FusionNet((12, 12, 1), 2, 3)
    return made


def logits(net):
    """What a network says of two images if its weights follow a formula."""
    net.eval()
    for i, (name, weight) in enumerate(net.state_dict().items()):
        if weight.is_floating_point():
            wave = torch.cos(torch.arange(weight.numel()) * (1.0 + 0.1 * i))
            if weight.ndim > 1:
                wave *= 2 / weight[0].numel() ** 0.5
            elif name.endswith(("var", "weight")):
                wave = 1.2 + wave
            weight.copy_(wave.reshape(weight.shape))
    pixels = torch.from_numpy(images(2)).float()[:, None] / 127 - 1
    inputs = [pixels, torch.eye(2, 3)] if isinstance(net, nets.FusionNet) else [pixels]
    with torch.no_grad():
        return net(*inputs).tolist()


def write_layers(path):
    layers = {
        name: {
            "logits": logits(net),
            "shapes": {key: list(w.shape) for key, w in net.state_dict().items()},
        }
        for name, net in networks().items()
    }
    path.write_text(json.dumps(layers, indent=1) + "\n")


def write_model(name, model, path):
    method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    scores = getattr(model, method)(images()).tolist()
    card = {"data": "made by a formula", "method": method, "scores": scores}
    emclassify.save(model, path, card=card)


if __name__ == "__main__":
    for name, model in models().items():
        path = FOLDER / f"{name}.v{FORMAT_VERSION}.emc"
        if not path.exists():
            write_model(name, model, path)
    if not (FOLDER / "layers.json").exists():
        write_layers(FOLDER / "layers.json")
