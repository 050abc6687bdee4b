"""Files of weights as trainers leave them: copies of a network, heads, prefixes."""

from collections.abc import Collection, Mapping

from torch import Tensor

__all__ = ["weights_of_backbone"]

# Of two copies of a network, the one that a trainer moves slowly after the other.
_FOLLOWERS = ("encoder_k", "momentum_encoder", "target_encoder", "target_network")


def weights_of_backbone(
    state: Mapping[str, Tensor], names: Collection[str], classifier: Collection[str]
) -> dict[str, Tensor]:
    """Return the weights of one backbone out of what a trainer has saved.

    Self-supervised training saves more than the network: MoCo two copies of it, below
    ``encoder_q.`` and ``encoder_k.``, and a queue; SwAV a projection head and
    prototypes; data-parallel training puts ``module.`` before each name.

    Parameters
    ----------
    state : mapping of str to Tensor
        All weights of the file.
    names : collection of str
        Names of the backbone's weights, those of the classification layer left out.
    classifier : collection of str
        Names of the classification layer, as timm has them: ``fc``.

    Returns
    -------
    dict of str to Tensor
        Weights by the backbone's own names. Of a head, only the weight and bias of the
        classification layer are left. What is missing stays missing, and weights in
        parts of the backbone that it does not have are kept, so that whoever loads them
        can refuse them.

    Raises
    ------
    ValueError
        If the file holds two copies of the network, and it isn't known which is meant.

    Examples
    --------
    >>> import torch
    >>> from emclassify.nets._checkpoint import weights_of_backbone
    >>> zero, one = torch.zeros(1), torch.ones(1)
    >>> state = {"module.encoder_q.conv1.weight": one, "module.queue": zero}
    >>> state |= {"module.encoder_k.conv1.weight": zero}
    >>> weights_of_backbone(state, {"conv1.weight"}, ["fc"])
    {'conv1.weight': tensor([1.])}
    """
    prefix = _find_prefix(state, names)
    parts = {name.partition(".")[0] for name in names}
    heads = {f"{name}.{kind}" for name in classifier for kind in ("weight", "bias")}
    inside = {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.startswith(prefix)
    }
    return {
        name: tensor
        for name, tensor in inside.items()
        if name in heads or name.partition(".")[0] in parts
    }


def _find_prefix(state: Mapping[str, Tensor], names: Collection[str]) -> str:
    """Return what stands before the names of the backbone, "" if nothing does."""
    # One name is enough to find all copies, the longest least likely to be elsewhere.
    probe = max(sorted(names), key=len)
    found = {
        name.removesuffix(probe)
        for name in state
        if name == probe or name.endswith(f".{probe}")
    }
    if not found or "" in found:
        return ""
    if len(found) > 1:
        found = {
            prefix
            for prefix in found
            if not any(follower in prefix for follower in _FOLLOWERS)
        } or found
    if len(found) > 1:
        raise ValueError(
            f"it holds {len(found)} copies of the network, below "
            f"{', '.join(sorted(found))}: save the one that is meant by itself"
        )
    return found.pop()
