"""A feed-forward network keeps the size of any image, and its files say what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from generator.nst.feedforward.network import (
    Network,
    Stylist,
    TransformNet,
    check_size,
    load_network,
    save_network,
)
from generator.nst.optimise import batch
from generator.nst.optimise import transfer as transfers
from generator.nst.recipes.errors import NstError, WeightsError
from tests.generator.nst.tiny import picture


def narrow(seed: int = 0, width: int = 4, blocks: int = 5) -> TransformNet:
    torch.manual_seed(seed)
    return TransformNet(width, blocks).eval()


def public_checkpoint(width: int = 4, seed: int = 0) -> dict[str, Tensor]:
    """A state dict as pytorch/examples' candy.pth has it: images of 0..255, and running statistics nobody uses."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def convolution(name: str, outputs: int, inputs: int, kernel: int, scale: float = 1.0) -> None:
        shape = (outputs, inputs, kernel, kernel)
        state[f"{name}.conv2d.weight"] = torch.randn(shape, generator=generator) * scale
        state[f"{name}.conv2d.bias"] = torch.randn(outputs, generator=generator) * scale

    def normalisation(name: str, channels: int) -> None:
        for kind in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{kind}"] = torch.randn(channels, generator=generator)

    for number, (outputs, inputs, kernel) in enumerate(
        [(width, 3, 9), (2 * width, width, 3), (4 * width, 2 * width, 3)], start=1
    ):
        convolution(f"conv{number}", outputs, inputs, kernel)
        normalisation(f"in{number}", outputs)
    for block in range(1, 6):
        for half in (1, 2):
            convolution(f"res{block}.conv{half}", 4 * width, 4 * width, 3)
            normalisation(f"res{block}.in{half}", 4 * width)
    for number, (outputs, inputs) in enumerate([(2 * width, 4 * width), (width, 2 * width)], start=1):
        convolution(f"deconv{number}", outputs, inputs, 3)
        normalisation(f"in{number + 3}", outputs)
    convolution("deconv3", 3, width, 9, scale=5.0)
    return state


def published_forward(state: dict[str, Tensor], image: Tensor) -> Tensor:
    """The published network written out as functions: an image of 0..255 -> 0..255, not clamped."""

    def convolution(value: Tensor, name: str, stride: int = 1) -> Tensor:
        weight, bias = state[f"{name}.conv2d.weight"], state[f"{name}.conv2d.bias"]
        return F.conv2d(F.pad(value, (weight.shape[-1] // 2,) * 4, mode="reflect"), weight, bias, stride)

    def normalised(value: Tensor, name: str) -> Tensor:
        return F.instance_norm(value, weight=state[f"{name}.weight"], bias=state[f"{name}.bias"])

    value = F.relu(normalised(convolution(image, "conv1"), "in1"))
    for number in (2, 3):
        value = F.relu(normalised(convolution(value, f"conv{number}", 2), f"in{number}"))
    for block in range(1, 6):
        inner = F.relu(normalised(convolution(value, f"res{block}.conv1"), f"res{block}.in1"))
        value = value + normalised(convolution(inner, f"res{block}.conv2"), f"res{block}.in2")
    for number in (1, 2):
        value = F.interpolate(value, scale_factor=2, mode="nearest")
        value = F.relu(normalised(convolution(value, f"deconv{number}"), f"in{number + 3}"))
    return convolution(value, "deconv3")


@settings(max_examples=15)
@given(height=st.integers(8, 41), width=st.integers(8, 41))
def test_it_keeps_the_size_of_any_image(height: int, width: int):
    with torch.no_grad():
        made = narrow()(picture(height, width)[None])
    assert made.shape == (1, 3, height, width)


def test_each_image_of_a_batch_is_made_as_if_alone():
    images = torch.stack([picture(seed=1), picture(seed=2) * 0.3])
    with torch.no_grad():
        together, alone = narrow()(images), narrow()(images[1:])
    torch.testing.assert_close(together[1:], alone)


def test_it_refuses_an_image_too_small_to_be_padded():
    with pytest.raises(NstError, match="7x20 pixels is too small: at least 8"):
        check_size(20, 7)


def test_a_saved_network_comes_back_with_its_provenance(tmp_path: Path):
    model, path = narrow(width=6, blocks=2), tmp_path / "wave.safetensors"
    save_network(path, model, {"style": {"pixels": "ab12"}, "licence": "CC0"})
    loaded = load_network(path)
    assert loaded.provenance == {"style": {"pixels": "ab12"}, "licence": "CC0"}
    assert (loaded.name, loaded.model.width, loaded.model.blocks) == ("wave.safetensors", 6, 2)
    image = picture()[None]
    assert torch.equal(loaded.model(image), model(image))
    assert [file.name for file in tmp_path.iterdir()] == ["wave.safetensors"]


def test_the_hash_follows_the_weights_alone(tmp_path: Path):
    model = narrow()
    save_network(tmp_path / "a.safetensors", model, {})
    save_network(tmp_path / "b.safetensors", model, {"licence": "CC0"})
    save_network(tmp_path / "c.safetensors", narrow(seed=1), {})
    a, b, c = (load_network(tmp_path / f"{name}.safetensors").sha256 for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("suffix", [".pth", ".model"])
def test_it_reads_the_public_checkpoints_and_makes_their_images(tmp_path: Path, suffix: str):
    state, path = public_checkpoint(), tmp_path / f"candy{suffix}"
    torch.save(state, path)
    image = picture(28, 36)[None]
    made = load_network(path).model(image)
    expected = published_forward(state, image * 255) / 255
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)


def test_it_refuses_a_damaged_or_foreign_file_by_name(tmp_path: Path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match=r"net\.safetensors: cannot be read"):
        load_network(path)
    save_file({"conv1_1.weight": torch.zeros(2, 3, 3, 3)}, path)
    with pytest.raises(WeightsError, match="is not a feed-forward network"):
        load_network(path)
    torch.save({"features.0.weight": torch.zeros(2)}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"vgg\.pth: is not a network of pytorch/examples"):
        load_network(tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"none\.pth: no such file"):
        load_network(tmp_path / "none.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("res3.in1.weight"), "lacks residual.2.first.normalisation.weight"),
        (lambda state: state.update({"in5.weight": torch.ones(9)}), "up.1.normalisation.weight has shape"),
        (lambda state: state["conv2.conv2d.bias"].fill_(torch.nan), "down.1.convolution.bias has values"),
    ],
)
def test_it_names_the_tensor_that_is_wrong(tmp_path: Path, change, message: str):
    state, path = public_checkpoint(), tmp_path / "candy.pth"
    change(state)
    torch.save(state, path)
    with pytest.raises(WeightsError, match=message):
        load_network(path)


@pytest.mark.parametrize(("height", "width"), [(66, 75), (200, 150)])
def test_a_wide_network_runs_by_winograds_algorithm_and_gives_the_plain_networks_image(height, width):
    torch.manual_seed(0)
    model = TransformNet(width=32, blocks=1).eval().requires_grad_(False)
    stylise = Stylist(Network("wide", model, "", {}), precision="fp32")
    image = torch.rand(1, 3, height, width)
    assert stylise.convolution == "plain"
    torch.testing.assert_close(stylise(image), model(image).clamp(0, 1), rtol=0, atol=1e-4)
    assert stylise.convolution == "winograd"


def test_a_gpu_takes_no_more_images_at_a_time_than_an_index_counts(monkeypatch):
    network, meta = Network("tiny", TransformNet(width=4, blocks=1), "", {}), torch.device("meta")
    assert transfers._one_pass_at_once(network, meta, (64, 64), 5) == 5
    monkeypatch.setattr(batch, "INDEXED", 2 * 8 * 64 * 64)
    assert transfers._one_pass_at_once(network, meta, (64, 64), 5) == 2
    assert transfers._one_pass_at_once(network, meta, (640, 640), 5) == 1
    assert transfers._one_pass_at_once(network, torch.device("cpu"), (640, 640), 5) == 5
