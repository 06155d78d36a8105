"""What a CPU runs is what the network says, at any size: only the order of the sums differs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from generator.nst.cpu import winograd
from generator.nst.cpu.feedforward_cpu import Convolution3x3, LastConvolution, Normalisation


def convolution(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    torch.manual_seed(0)
    made = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode="reflect")
    return made.requires_grad_(False)


def value(channels: int, height: int, width: int, images: int = 2) -> Tensor:
    made = torch.randn(images, channels, height, width, generator=torch.Generator().manual_seed(1))
    return made.contiguous(memory_format=torch.channels_last)


sides = st.integers(5, 21)


@pytest.fixture(autouse=True)
def small_is_enough(monkeypatch):
    """Winograd's algorithm serves small layers too."""
    monkeypatch.setattr(winograd, "_MIN_PRODUCTS", 1)
    monkeypatch.setattr(winograd, "_MIN_SIDE", 2)


@given(sides, sides, st.integers(1, 7), st.integers(1, 5))
@settings(max_examples=30)
def test_an_upsampled_convolution_is_that_of_the_upsampled_image_border_included(
    height, width, inputs, outputs
):
    plain, small = convolution(inputs, outputs, 3), value(inputs, height, width)
    fast = Convolution3x3(plain, upsample=2)
    expected = plain(F.interpolate(small, scale_factor=2, mode="nearest"))
    torch.testing.assert_close(fast(small), expected, rtol=0, atol=1e-4)
    assert fast.has_run


@given(sides, sides)
@settings(max_examples=20)
def test_a_convolution_pads_by_reflection(height, width):
    plain, small = convolution(6, 4, 3), value(6, height, width)
    torch.testing.assert_close(Convolution3x3(plain, upsample=1)(small), plain(small), rtol=0, atol=1e-4)


@pytest.mark.parametrize("upsample", [1, 2])
def test_where_winograds_is_not_faster_the_plain_one_serves(monkeypatch, upsample):
    monkeypatch.setattr(winograd, "_MIN_PRODUCTS", 10**9)
    plain, small = convolution(3, 4, 3), value(3, 7, 9)
    fast = Convolution3x3(plain, upsample)
    large = F.interpolate(small, scale_factor=upsample, mode="nearest")
    torch.testing.assert_close(fast(small), plain(large))
    assert not fast.has_run


@given(sides, sides, st.integers(1, 4))
@settings(max_examples=30)
def test_the_last_convolution_makes_blocks_of_pixels_and_cuts_what_is_over(height, width, outputs):
    plain, small = convolution(5, outputs, 9), value(5, height, width)
    torch.testing.assert_close(LastConvolution(plain)(small), plain(small), rtol=0, atol=1e-4)


def test_normalisation_is_of_each_image_and_channel():
    plain = nn.InstanceNorm2d(6, affine=True).requires_grad_(False)
    plain.weight.uniform_(), plain.bias.uniform_()
    small = value(6, 9, 11) * 5 + 3
    torch.testing.assert_close(Normalisation(plain)(small), plain(small), rtol=1e-5, atol=1e-5)
