from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from generator.nst.cpu import winograd, winograd_tiles
from generator.nst.cpu.winograd import Convolution
from generator.nst.network import Vgg
from tests.generator.nst.tiny import tiny_weights


def layer(inputs: int, outputs: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(outputs, inputs, 3, 3, generator=generator) / (3 * inputs**0.5)
    return weight, torch.randn(outputs, generator=generator)


def values(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def written_out(value: Tensor, weight: Tensor, bias: Tensor, *, relu: bool, padding: int = 1) -> Tensor:
    """The plain sum in float64."""
    made = F.conv2d(value.double(), weight.double(), bias.double(), padding=padding)
    return made.relu() if relu else made


def assert_near(found: Tensor, expected: Tensor, tolerance: float = 3e-5) -> None:
    """Within some float32 roundings of the largest value: processors differ in the order of their sums."""
    assert found.shape == expected.shape
    error, largest = (found - expected).detach().abs().max(), expected.detach().abs().max()
    assert float(error) <= tolerance * max(1.0, float(largest))


shapes = st.tuples(
    *(st.integers(least, most) for least, most in ((1, 3), (1, 40), (3, 30), (3, 30), (1, 40)))
)


@given(shapes, st.booleans(), st.integers(0, 1))
@settings(max_examples=60)
def test_values_and_gradient_are_those_of_the_plain_sum_at_any_size(shape, relu, padding):
    images, inputs, height, width, outputs = shape
    weight, bias = layer(inputs, outputs)
    value = values(images, inputs, height, width).requires_grad_()
    found = Convolution(weight, bias, padding)(value, relu=relu)
    expected = written_out(value, weight, bias, relu=relu, padding=padding)
    assert_near(found, expected)
    upstream = values(*found.shape, seed=2)
    if relu:  # where rounding may decide which side of 0 a value lies on
        upstream = upstream * (written_out(value, weight, bias, relu=False, padding=padding).abs() > 1e-4)
    (gradient,) = torch.autograd.grad((found * upstream).sum(), value)
    (expected_gradient,) = torch.autograd.grad((expected * upstream).sum(), value)
    assert_near(gradient, expected_gradient)


def pooled(value: Tensor, pooling: str) -> Tensor:
    return F.max_pool2d(value, 2) if pooling == "max" else F.avg_pool2d(value, 2)


def undecided(value: Tensor) -> Tensor:
    """Say of each 2 x 2 pixels whether rounding may decide which of them is the largest, or on which side of 0 one lies."""
    images, channels, height, width = value.shape
    four = F.unfold(value, 2, stride=2).view(images, channels, 4, height // 2, width // 2)
    first, second = four.topk(2, dim=2).values.unbind(2)
    return (first - second < 1e-3) | (four.abs() < 1e-3).any(2)


@given(shapes, st.sampled_from(["max", "average"]))
@settings(max_examples=40)
def test_pooling_with_it_gives_the_values_and_gradient_of_pooling_after_it(shape, pooling):
    images, inputs, height, width, outputs = shape
    weight, bias = layer(inputs, outputs)
    value = values(images, inputs, height, width).requires_grad_()
    found = Convolution(weight, bias)(value, relu=True, pooling=pooling)
    expected = pooled(written_out(value, weight, bias, relu=True), pooling)
    assert_near(found, expected)
    before = written_out(value, weight, bias, relu=False).detach()
    upstream = values(*found.shape, seed=2) * ~undecided(before)
    (gradient,) = torch.autograd.grad((found * upstream).sum(), value)
    (expected_gradient,) = torch.autograd.grad((expected * upstream).sum(), value)
    assert_near(gradient, expected_gradient)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_with_it_keeps_no_activations_of_the_full_size(pooling):
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        value = values(1, 8, 20, 24).requires_grad_()
        Convolution(*layer(8, 6))(value, relu=True, pooling=pooling)
    assert [tensor.shape[2:] for tensor in kept] == [(10, 12)]


def test_it_takes_and_gives_channels_last_and_leaves_its_input_alone():
    weight, bias = layer(8, 6)
    value = values(2, 8, 13, 18)
    before = value.clone()
    found = Convolution(weight, bias)(value, relu=False)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(value, before)
    last = value.contiguous(memory_format=torch.channels_last)
    assert torch.equal(Convolution(weight, bias)(last, relu=False), found)


def test_images_of_many_strips_have_no_seams(monkeypatch):
    convolution = Convolution(*layer(5, 7))
    value = values(1, 5, 50, 22)
    whole = convolution(value, relu=False)
    monkeypatch.setattr(winograd, "_TILES", 1)
    assert_near(convolution(value, relu=False), whole)


@pytest.mark.parametrize("tiles", [1, 7, 100])
def test_strips_that_span_images_keep_them_apart(monkeypatch, tiles):
    convolution = Convolution(*layer(5, 7))
    value = values(3, 5, 21, 22).requires_grad_()
    alone = torch.cat([convolution(value[n : n + 1], relu=True, pooling="max") for n in range(3)])
    (expected,) = torch.autograd.grad(alone.square().sum(), value)
    monkeypatch.setattr(winograd, "_TILES", tiles)
    together = convolution(value, relu=True, pooling="max")
    (gradient,) = torch.autograd.grad(together.square().sum(), value)
    assert_near(together, alone)
    assert_near(gradient, expected)


@pytest.fixture
def threads():
    """Set PyTorch's threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_one_thread_or_several_share_the_strips_or_the_steps_of_one_with_the_same_result_but_for_rounding(
    threads, monkeypatch
):
    convolution, value = Convolution(*layer(16, 12)), values(1, 16, 21, 30)
    made = []
    for number in (1, 3):
        threads(number)
        for tiles in (128, 4):
            monkeypatch.setattr(winograd, "_TILES", tiles)
            made.append(convolution(value, relu=True))
    for other in made[1:]:
        assert_near(other, made[0])


def test_it_leaves_pytorchs_number_of_threads_as_it_is_for_threads_to_come_too(threads):
    threads(3)
    Convolution(*layer(4, 4))(values(1, 4, 9, 9), relu=False)
    assert torch.get_num_threads() == 3
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 3


def test_without_a_folder_for_compiled_code_it_compiles_for_this_process(monkeypatch):
    njit = numba.njit

    def uncached(*, cache=False, **settings):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**settings)

    monkeypatch.setattr(numba, "njit", uncached)
    compiled = winograd_tiles._compiled(getattr(winograd_tiles._of_output, "py_func"))  # noqa: B009
    assert compiled(*(np.float32(value) for value in range(1, 7))) == (15, -3, 41, -3)


WIDE = tiny_weights(width=64)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("taps", [["relu3_1"], ["conv3_1"], ["relu1_2", "pool2"], ["conv1_2", "relu2_2"]])
def test_a_wide_network_uses_it_and_gives_the_plain_networks_activations_and_gradient(taps, pooling):
    found, gradients = [], []
    for plain in (False, True):
        network = Vgg(WIDE, [*taps, "relu2_1"], plain=plain, pooling=pooling)
        # Rough: in smooth pictures pooling's maxima are near ties, and rounding has a say in which pixel moves.
        image = (values(1, 3, 50, 62) * 100).requires_grad_()
        features = network(image)
        loss = torch.stack([each.square().mean() for each in features.values()]).sum()
        gradients.append(torch.autograd.grad(loss, image)[0])
        found.append(features)
        assert network.convolution == ("plain" if plain else "winograd")
    assert set(found[0]) == {*taps, "relu2_1"}
    for name in found[0]:
        assert_near(found[0][name], found[1][name], 1e-4)
    assert_near(gradients[0], gradients[1], 1e-4)


def test_small_images_and_narrow_layers_are_left_to_pytorch():
    assert not winograd.is_faster(torch.empty(512, 512, 3, 3), 8, 300)
    assert not winograd.is_faster(torch.empty(64, 32, 3, 3), 256, 256)
    assert not winograd.is_faster(torch.empty(512, 512, 3, 3, dtype=torch.bfloat16), 64, 64)
    assert winograd.is_faster(torch.empty(256, 128, 3, 3), 64, 64)
