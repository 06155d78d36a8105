"""The benchmark's contenders do the same work: or its ratios would compare nothing."""

from __future__ import annotations

import pytest
import torch

from benchmarks import classic, generate_scaling
from benchmarks.generate_peers import of_checkout
from benchmarks.generate_work import NEURAL_STYLE, STYLE_TRANSFER, flops, random_weights, recipe
from generator.nst import losses, transfer
from generator.nst.network import Vgg
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = tiny_weights()


@pytest.mark.slow
@pytest.mark.parametrize("evaluations", [1, 3])
def test_the_classic_loop_minimises_what_this_project_minimises(evaluations):
    content, style = picture(32, 32, seed=1), picture(32, 32, seed=2)
    ticks: list[int] = []
    loss = classic.minimise(
        content, style, WEIGHTS, torch.device("cpu"), evaluations, lambda: ticks.append(1)
    )
    curve = transfer(content, style, recipe(NEURAL_STYLE, 32, evaluations), seed=1, weights=WEIGHTS).curve
    assert len(ticks) == evaluations
    assert loss == pytest.approx(sum(values[-1] for values in curve.values()), rel=0.02)


@pytest.mark.slow
def test_the_work_of_style_transfer_pytorch_has_that_programs_loss():
    """As the program takes it: features of unit scale, an image of 0..1, its layers' weights; the content is met at the start."""
    weights = random_weights("vgg19")
    content, style = (picture(32, 32, seed=seed) for seed in (1, 2))
    mean, deviation = (
        torch.tensor(each)[:, None, None] for each in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    network = Vgg(weights, classic.STYLE_LAYERS, padding="replicate")
    own, target = (network(((image - mean) / deviation)[None]) for image in (content, style))
    expected = sum(
        weight / 341 * float(losses.wasserstein(own[tap], losses.moments(target[tap])))
        for tap, weight in zip(classic.STYLE_LAYERS, (256, 64, 16, 4, 1), strict=True)
    )
    curve = transfer(content, style, recipe(STYLE_TRANSFER, 32, 1), seed=1, weights=weights).curve
    assert curve["style"][0] == pytest.approx(expected, rel=1e-3)
    assert curve["content"][0] == 0
    assert curve["tv"][0] == pytest.approx(
        2 * float(losses.total_variation(content[None], "nine-point")), rel=1e-4
    )


def test_a_folder_that_holds_no_known_program_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"neural-style-pt .* style-transfer-pytorch"):
        of_checkout(tmp_path)
    (tmp_path / "neural_style.py").touch()
    assert of_checkout(tmp_path).name == "neural-style-pt"


def test_the_flop_of_one_convolution_grow_with_the_pixels():
    assert flops(WEIGHTS, 64) == 4 * flops(WEIGHTS, 32)
    # conv1_1: 3 -> 4 channels, 2 * 9 FLOP each, forwards and backwards; its Gram matrix of 4 x 4.
    assert flops(WEIGHTS, 32) > 2 * (2 * 9 * 3 * 4 + 2 * 4 * 4) * 32**2


def test_the_exponent_of_a_power_law_is_found():
    assert generate_scaling.exponent([1, 2, 4, 8], [3, 3 * 2**1.5, 3 * 4**1.5, 3 * 8**1.5]) == pytest.approx(
        1.5
    )
