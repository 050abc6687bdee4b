"""Weights of a small backbone, drawn once and saved as a user would."""

import safetensors.torch
import timm
import torch


def save_backbone(folder, name="test_resnet", suffix=".safetensors", **settings):
    """Save random weights of a network of timm; return the network and their path."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = timm.create_model(name, **settings).eval()
    path = folder / f"{name}{suffix}"
    save = safetensors.torch.save_file if suffix == ".safetensors" else torch.save
    save(net.state_dict(), path)
    return net, path
