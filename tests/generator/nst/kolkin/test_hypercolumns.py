from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from generator.nst.kolkin import hypercolumns
from generator.nst.network import Vgg
from generator.nst.recipes.networks import TORCH
from tests.generator.nst.tiny import picture, tiny_weights

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


def test_a_hypercolumn_is_each_layer_enlarged_to_the_image_at_one_pixel() -> None:
    layers = [torch.rand(1, wide, 24 // by, 20 // by) for wide, by in ((3, 1), (4, 1), (6, 2), (8, 4))]
    enlarged = torch.cat([F.interpolate(each, (24, 20), mode="bilinear") for each in layers], dim=1)
    places = torch.cartesian_prod(torch.arange(24), torch.arange(20))
    found = hypercolumns.sampled(layers, (24, 20), places)
    assert torch.allclose(found, hypercolumns.rows(enlarged), atol=1e-6)


def test_columns_lie_at_a_quarter_of_the_size_and_divide_each_layer_by_its_channels() -> None:
    layers = [torch.ones(1, 4, 24, 20), torch.ones(1, 8, 6, 5)]
    found = hypercolumns.columns(layers, (24, 20))
    assert found.shape == (6 * 5, 12)
    assert torch.allclose(found[0], torch.tensor([0.25] * 4 + [0.125] * 8))


def test_a_network_of_grey_levels_gives_the_activations_of_images_of_0_to_1() -> None:
    """The moments of STROTSS would outweigh its other terms."""
    weights = tiny_weights()
    image = picture()[None] * 255
    read = hypercolumns.Reader(Vgg(weights, LAYERS), LAYERS)
    # The same network for images divided by 255: its biases are as much smaller.
    scale = 255.0
    tensors = {name: tensor / scale if "bias" in name else tensor for name, tensor in weights.tensors.items()}
    even = dataclasses.replace(TORCH, mean=weights.preprocessing.mean, deviation=(scale,) * 3)
    divided = dataclasses.replace(weights, tensors=tensors, preprocessing=even)
    other = hypercolumns.Reader(Vgg(divided, LAYERS), LAYERS)
    for one, two in zip(read(image), other(image), strict=True):
        assert torch.allclose(one / read.unit, two / other.unit, rtol=1e-3, atol=1e-4)
        assert float(one.max()) / read.unit == pytest.approx(float(two.max()), rel=1e-3)
