from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.nst.network import Vgg
from generator.nst.tiles import Reach
from tests.generator.nst.tiny import tiny_weights

WEIGHTS = tiny_weights(width=2)


def read(taps: list[str], tile: int, height: int, width: int, padding: str = "zero"):
    """Return a network's taps, and the gradient of a loss that weighs every position differently."""
    network = Vgg(WEIGHTS, taps, padding=padding)
    network.tile = tile
    # Noise: in even areas rounding would decide which of equal values a maximum takes.
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 255 - 120
    image.requires_grad_()
    found = network(image)
    weighed = [(each * torch.linspace(-1, 1, each.numel()).view(each.shape)).sum() for each in found.values()]
    (gradient,) = torch.autograd.grad(torch.stack(weighed).sum(), image)
    return found, gradient


def assert_same(found, expected):
    scale = float(expected.detach().abs().max())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * scale)


@given(st.integers(20, 130), st.integers(20, 130), st.sampled_from(["zero", "replicate"]))
@settings(max_examples=15)
def test_tiles_give_the_activations_and_the_gradient_of_the_whole_image(height, width, padding):
    taps = ["relu1_1", "conv2_2", "pool2", "relu3_1", "relu4_1"]
    whole, expected = read(taps, 0, height, width, padding)
    found, gradient = read(taps, 32, height, width, padding)
    for tap in taps:
        assert_same(found[tap], whole[tap])
    assert_same(gradient, expected)


@pytest.mark.parametrize(("tap", "margin"), [("relu1_1", 1), ("relu2_1", 6), ("relu5_1", 80)])
def test_the_margin_is_what_the_deepest_tap_sees_rounded_up_to_its_stride(tap, margin):
    network = Vgg(WEIGHTS, [tap])
    assert Reach.of(network.steps, network.taps).margin == margin
