from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from generator.nst.network import Vgg, replicated, resolve_precision, seeks_in_bf16
from generator.nst.recipes.errors import LayerError
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = tiny_weights()
IMAGE = picture(24, 20)[None] * 255 - 120


def assert_close(found, expected):
    """Products summed in another order differ in the last digits of values of some hundreds."""
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def by_hand(layer: str, pool=F.max_pool2d):
    """VGG written out once more, to its second block."""
    tensors = WEIGHTS.tensors
    value, found = IMAGE, {}
    for name in ("conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2"):
        if name == "pool1":
            value = pool(value, 2)
            continue
        value = F.conv2d(value, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)
        found[name] = value
        value = F.relu(value)
        found[name.replace("conv", "relu")] = value
    return found[layer]


@pytest.mark.parametrize("tap", ["conv1_1", "relu1_1", "relu1_2", "conv2_2", "relu2_2"])
def test_a_tap_gives_the_activations_of_the_written_out_network(tap):
    assert_close(Vgg(WEIGHTS, [tap])(IMAGE)[tap], by_hand(tap))


def test_values_before_and_after_a_relu_can_be_read_at_once():
    found = Vgg(WEIGHTS, ["conv2_1", "relu2_1"])(IMAGE)
    assert_close(found["conv2_1"], by_hand("conv2_1"))
    assert_close(found["relu2_1"], by_hand("relu2_1"))


def test_average_pooling_averages():
    found = Vgg(WEIGHTS, ["relu2_1"], pooling="average")(IMAGE)["relu2_1"]
    assert_close(found, by_hand("relu2_1", F.avg_pool2d))


def test_it_stops_at_the_deepest_tap():
    assert Vgg(WEIGHTS, ["relu1_2", "relu2_1"]).steps[-1] == "relu2_1"


def test_replicate_padding_repeats_the_border_of_the_first_convolution_only():
    expected = F.pad(IMAGE, (1, 1, 1, 1), mode="replicate")
    assert_close(replicated(IMAGE), expected)
    found = Vgg(WEIGHTS, ["conv1_1", "conv1_2"], padding="replicate")(IMAGE)
    plain = F.conv2d(expected, WEIGHTS.tensors["conv1_1.weight"], WEIGHTS.tensors["conv1_1.bias"])
    assert_close(found["conv1_1"], plain)
    second = F.conv2d(
        F.relu(plain), WEIGHTS.tensors["conv1_2.weight"], WEIGHTS.tensors["conv1_2.bias"], padding=1
    )
    assert_close(found["conv1_2"], second)


def test_a_bfloat16_network_agrees_to_its_precision():
    exact = Vgg(WEIGHTS, ["relu3_1"])(IMAGE)["relu3_1"]
    rough = Vgg(WEIGHTS, ["relu3_1"], dtype=torch.bfloat16)(IMAGE)["relu3_1"]
    assert rough.dtype == torch.bfloat16
    assert float((rough.float() - exact).norm() / exact.norm()) < 0.02


def test_bfloat16_is_chosen_only_on_a_gpu_whose_hardware_has_it(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    monkeypatch.setattr("generator.nst.network.supports_bf16", lambda device: False)
    assert resolve_precision("auto", gpu) is torch.float32
    monkeypatch.setattr("generator.nst.network.supports_bf16", lambda device: True)
    assert resolve_precision("auto", gpu) is torch.bfloat16
    assert resolve_precision("auto", cpu) is torch.float32
    assert resolve_precision("fp32", gpu) is torch.float32
    assert resolve_precision("bf16", cpu) is torch.bfloat16


def test_features_are_sought_in_bfloat16_only_where_hardware_has_it_and_never_by_itself_in_exact_mode(
    monkeypatch,
):
    cpu = torch.device("cpu")
    monkeypatch.setattr("generator.nst.network.supports_bf16", lambda device: False)
    assert not seeks_in_bf16("auto", cpu)
    assert seeks_in_bf16("bf16", cpu)
    monkeypatch.setattr("generator.nst.network.supports_bf16", lambda device: True)
    assert seeks_in_bf16("auto", cpu)
    assert not any(seeks_in_bf16(precision, cpu) for precision in ("fp32", "tf32"))
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    assert not seeks_in_bf16("auto", cpu)


def test_the_weights_are_frozen():
    image = IMAGE.clone().requires_grad_()
    Vgg(WEIGHTS, ["relu3_1"])(image)["relu3_1"].sum().backward()
    assert image.grad is not None
    assert not any(tensor.requires_grad for tensor in WEIGHTS.tensors.values())


def test_a_tap_that_the_network_lacks_is_named():
    with pytest.raises(LayerError, match="vgg16 has no layer conv4_4"):
        Vgg(WEIGHTS, ["conv4_4"])


def test_its_repr_says_what_it_does():
    text = repr(Vgg(WEIGHTS, ["relu2_1"], pooling="average", padding="replicate"))
    assert text == (
        "Vgg(tiny to relu2_1, taps ['relu2_1'], average pooling, replicate padding, float32 on cpu)"
    )


def test_a_forgetful_network_keeps_less_and_gives_the_same_values_and_gradient():
    kept, gradients, values = [], [], []
    for forgetful in (False, True):
        network = Vgg(WEIGHTS, ["relu1_1", "relu2_1", "conv3_2", "relu4_1"])
        network.forgetful = forgetful
        image = IMAGE.clone().requires_grad_()
        sizes: list[int] = []

        def keep(tensor, sizes=sizes):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            found = network(image)
        values.append(found)
        kept.append(sum(sizes))
        loss = torch.stack([each.square().sum() for each in found.values()]).sum()
        gradients.append(torch.autograd.grad(loss, image)[0])
    assert kept[1] < kept[0] / 2
    assert all(torch.equal(values[0][tap], values[1][tap]) for tap in values[0])
    assert torch.equal(gradients[0], gradients[1])
