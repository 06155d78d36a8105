"""The benchmark's contenders do the same work: or its ratios would compare nothing."""

from __future__ import annotations

import pytest
import torch

from benchmarks import classic, generate_scaling
from benchmarks.generate_work import flops, recipe
from generator.nst import transfer
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = tiny_weights()


@pytest.mark.parametrize("evaluations", [1, 3])
def test_the_classic_loop_minimises_what_this_project_minimises(evaluations):
    content, style = picture(32, 32, seed=1), picture(32, 32, seed=2)
    ticks: list[int] = []
    loss = classic.minimise(
        content, style, WEIGHTS, torch.device("cpu"), evaluations, lambda: ticks.append(1)
    )
    curve = transfer(content, style, recipe(32, evaluations), seed=1, weights=WEIGHTS).curve
    assert len(ticks) == evaluations
    assert loss == pytest.approx(sum(values[-1] for values in curve.values()), rel=0.02)


def test_the_flop_of_one_convolution_grow_with_the_pixels():
    assert flops(WEIGHTS, 64) == 4 * flops(WEIGHTS, 32)
    # conv1_1: 3 -> 4 channels, 2 * 9 FLOP each, forwards and backwards; its Gram matrix of 4 x 4.
    assert flops(WEIGHTS, 32) > 2 * (2 * 9 * 3 * 4 + 2 * 4 * 4) * 32**2


def test_the_exponent_of_a_power_law_is_found():
    assert generate_scaling.exponent([1, 2, 4, 8], [3, 3 * 2**1.5, 3 * 4**1.5, 3 * 8**1.5]) == pytest.approx(
        1.5
    )
