"""A VGG a few channels wide with random weights: every path of the library in milliseconds."""

from __future__ import annotations

import torch
from torch import Tensor

from generator.nst.recipes.layers import convolutions
from generator.nst.recipes.networks import CAFFE
from generator.nst.weights.registry import Weights, weights_hash


def tiny_tensors(architecture: str = "vgg16", width: int = 4, seed: int = 0) -> dict[str, Tensor]:
    """Return canonical weights; block b has b * width channels. Input of 0..255 gives activations of some tens."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    channels = 3
    for layer in convolutions(architecture):
        wide = width * int(layer[4])
        deviation = (2 / (9 * channels)) ** 0.5
        tensors[f"{layer}.weight"] = torch.randn(wide, channels, 3, 3, generator=generator) * deviation
        tensors[f"{layer}.bias"] = torch.randn(wide, generator=generator)
        channels = wide
    return tensors


def tiny_weights(architecture: str = "vgg16", width: int = 4, seed: int = 0) -> Weights:
    tensors = tiny_tensors(architecture, width, seed)
    return Weights("tiny", architecture, tensors, CAFFE, weights_hash(tensors))


def picture(height: int = 32, width: int = 32, seed: int = 0) -> Tensor:
    """Return a smooth random picture 3 x height x width, 0..1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 5, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
