"""Networks that were pretrained on micrographs: where they are, whose they are."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import torch

__all__ = ["MICROGRAPH_WEIGHTS", "MicrographWeights", "find_micrograph_weights"]


@dataclass(frozen=True)
class MicrographWeights:
    """A file of weights in the net.

    Parameters
    ----------
    backbone : str
        The network of timm that they are for.
    address : str
        Of the file.
    licence, citation : str
    """

    backbone: str
    address: str
    licence: str
    citation: str

    @property
    def path(self) -> Path:
        """Where the file lies once it was downloaded: torch's folder for such."""
        name = Path(urlsplit(self.address).path).name
        return Path(torch.hub.get_dir(), "checkpoints", name)


_MICRONET = (
    "https://nasa-public-data.s3.amazonaws.com/microscopy_segmentation_models/"
    "resnet50_pretrained_{}.pth.tar"
)
_STUCKNER = (
    "J. Stuckner, B. Harder and T. M. Smith, Microstructure segmentation with deep "
    "learning encoders pre-trained on a large microscopy dataset, npj Computational "
    "Materials 8, 200, 2022"
)
_CONRAD = (
    "R. Conrad and K. Narayan, CEM500K, a large-scale heterogeneous unlabeled cellular "
    "electron microscopy image dataset for deep learning, eLife 10, e65894, 2021"
)
_CONRAD_2023 = (
    "R. Conrad and K. Narayan, Instance segmentation of mitochondria in electron "
    "microscopy images with a generalist deep learning model trained on a diverse "
    "dataset, Cell Systems 14, 58-71, 2023"
)
_NOT_CHECKED = "see {}: not checked by us"

MICROGRAPH_WEIGHTS = {
    "micronet": MicrographWeights(
        "resnet50",
        _MICRONET.format("microscopynet_v1.1"),
        _NOT_CHECKED.format("github.com/nasa/pretrained-microscopy-models"),
        _STUCKNER,
    ),
    "imagenet-micronet": MicrographWeights(
        "resnet50",
        _MICRONET.format("imagenet-microscopynet_v1.0"),
        _NOT_CHECKED.format("github.com/nasa/pretrained-microscopy-models"),
        _STUCKNER,
    ),
    "cem500k": MicrographWeights(
        "resnet50",
        "https://zenodo.org/record/6453140/files/cem500k_mocov2_resnet50_200ep.pth.tar",
        "code BSD-3-Clause; weights: "
        + _NOT_CHECKED.format("zenodo.org/record/6453140"),
        _CONRAD,
    ),
    "cem1.5m": MicrographWeights(
        "resnet50",
        "https://zenodo.org/record/6453160/files/"
        "cem1.5m_swav_resnet50_200ep_balanced.pth.tar",
        "code BSD-3-Clause; weights: "
        + _NOT_CHECKED.format("zenodo.org/record/6453160"),
        _CONRAD_2023,
    ),
}


def find_micrograph_weights(name: str, backbone: str) -> Path:
    """Return the file of weights of a name; download it if it isn't there.

    No hash of these files is known to us, so that a file is checked by what is in it:
    `load_backbone` refuses weights whose names or sizes are not those of the network,
    or that are not finite.

    Parameters
    ----------
    name : str
        Of `MICROGRAPH_WEIGHTS`.
    backbone : str
        Network of timm that they are to be loaded into.

    Raises
    ------
    ValueError
        If they are for another network.
    ConnectionError
        If they are not on this machine, and their server can't be reached.
    """
    weights = MICROGRAPH_WEIGHTS[name]
    if backbone.partition(".")[0] != weights.backbone:
        raise ValueError(
            f"weights={name!r} are for backbone={weights.backbone!r}; got "
            f"backbone={backbone!r}."
        )
    if not weights.path.is_file():
        weights.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(
                weights.address, str(weights.path), progress=False
            )
        except OSError as error:
            raise ConnectionError(
                f"weights={name!r} are not on this machine, and {weights.address} "
                f"can't be fetched ({error}). Where it can, download it, and put it at "
                f"{weights.path} or give its path as weights."
            ) from error
    return weights.path
