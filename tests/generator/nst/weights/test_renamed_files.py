"""A weight file is known by its content, whatever it is called, and refused by what it really is."""

from __future__ import annotations

import argparse
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from generator.nst.recipes.errors import RecipeError, WeightsError
from generator.nst.recipes.layers import convolutions
from generator.nst.recipes.networks import CAFFE, TORCH, architecture_of
from generator.nst.recipes.recipe import Recipe
from generator.nst.weights import trainings
from generator.nst.weights.layouts import load_weights
from generator.nst.weights.registry import load, verify
from tests.generator.nst.tiny import tiny_tensors
from tests.generator.nst.weights.test_layouts import bgr, sequential

TENSORS = tiny_tensors("vgg19")
STATE = sequential(TENSORS)


class Model(torch.nn.Module):
    """Somebody's own class, pickled whole."""


def saved(path: Path, content: object, **options: bool) -> Path:
    torch.save(content, path, **options)
    return path


def keras_file(path: Path, tensors: dict, spelling: str, beside: str = "", numbered: bool = False) -> Path:
    """spelling: of a kernel's or bias's path; beside: of what an optimiser remembers, all zeros."""
    layers = convolutions("vgg19")
    with h5py.File(path, "w") as file:
        for name, tensor in bgr(tensors).items():
            layer, _, kind = name.partition(".")
            keras = f"block{layer[4]}_conv{layer[6]}"
            if numbered:
                number = layers.index(layer)
                keras = f"conv2d_{number}" if number else "conv2d"
            array = tensor.numpy().transpose(2, 3, 1, 0) if kind == "weight" else tensor.numpy()
            part = {"weight": "kernel:0", "bias": "bias:0"}[kind]
            part = {"weight": "0", "bias": "1"}[kind] if numbered else part
            file[spelling.format(layer=keras, part=part)] = array
            if beside:
                file[beside.format(layer=keras, part=part)] = np.zeros_like(array)
    return path


def assert_read(path: Path, tolerance: float = 0) -> None:
    loaded = load_weights(path)
    assert loaded.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        torch.testing.assert_close(loaded.tensors[name], tensor, rtol=0, atol=tolerance)
    assert architecture_of(str(path)) == load(str(path), path.parent).architecture == "vgg19"


@pytest.mark.parametrize("prefix", ["", "module.features.", "_orig_mod.features.", "net.vgg.features."])
def test_any_prefix_is_taken_off(tmp_path: Path, prefix: str) -> None:
    state = {key.replace("features.", prefix): tensor for key, tensor in STATE.items()}
    assert_read(saved(tmp_path / "pytorch_model.bin", state))


@pytest.mark.parametrize(
    "wrapped",
    [
        {"state_dict": STATE, "epoch": 3},
        {"model": {"state_dict": STATE}, "args": argparse.Namespace(lr=1)},
        {"optimizer": {"state": {0: {"exp_avg": torch.zeros(4, 3, 3, 3)}}}, "model_state_dict": STATE},
    ],
)
def test_a_checkpoint_gives_its_models_state(tmp_path: Path, wrapped: dict) -> None:
    assert_read(saved(tmp_path / "last.ckpt", wrapped))


def test_slices_of_a_perceptual_loss_are_one_network(tmp_path: Path) -> None:
    state = {}
    for key, tensor in STATE.items():
        number = int(key.split(".")[1])
        state[key.replace("features", f"slice{1 + (number > 3) + (number > 8) + (number > 17)}")] = tensor
    assert_read(saved(tmp_path / "lpips.pth", state))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_any_precision_is_read(tmp_path: Path, kind: torch.dtype) -> None:
    assert_read(saved(tmp_path / "half.pth", {key: t.to(kind) for key, t in STATE.items()}), 0.02)


def test_the_old_pickle_format_and_a_wrong_or_no_suffix_are_read(tmp_path: Path) -> None:
    assert_read(saved(tmp_path / "vgg16", STATE))
    assert_read(saved(tmp_path / "vgg16.safetensors", STATE, _use_new_zipfile_serialization=False))


def test_the_file_name_does_not_decide_on_the_architecture(tmp_path: Path) -> None:
    nineteen = saved(tmp_path / "vgg16.pth", STATE)
    assert Recipe(network=str(nineteen), content_layers=("conv3_4",)).content_layers == ("conv3_4",)
    sixteen = saved(tmp_path / "vgg19.pth", sequential(tiny_tensors("vgg16")))
    with pytest.raises(RecipeError, match="vgg16 has no layer 'conv3_4'"):
        Recipe(network=str(sixteen), content_layers=("conv3_4",))


@pytest.mark.parametrize(
    ("spelling", "beside", "numbered"),
    [
        ("model_weights/{layer}/{layer}/{part}", "optimizer_weights/SGD/{layer}/{part}/momentum:0", False),
        ("model_weights/vgg19/{layer}/{part}", "optimizer_weights/training/Adam/{layer}/{part}/m:0", False),
        ("layers/{layer}/vars/{part}", "optimizer/vars/{layer}{part}", True),
        ("layers/functional/layers/{layer}/vars/{part}", "", True),
    ],
)
def test_a_whole_keras_model_gives_its_weights_not_its_optimisers(
    tmp_path: Path, spelling: str, beside: str, numbered: bool
) -> None:
    path = keras_file(tmp_path / "model.h5", TENSORS, spelling, beside, numbered)
    assert_read(path)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(path, "model.weights.h5")
    assert_read(tmp_path / "model.keras")


def test_two_different_networks_in_a_keras_file_are_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "two.h5", TENSORS, "left/{layer}/{part}", "right/{layer}/{part}")
    with pytest.raises(WeightsError, match=r"two\.h5: holds two different conv"):
        load_weights(path)


@pytest.mark.parametrize("training", trainings.TRAININGS, ids=lambda training: training.name)
@pytest.mark.parametrize("is_rgb", [True, False])
@pytest.mark.parametrize("name", ["mine.pth", "vgg16-397923af.pth", "vgg19-d01eb7cb.pth"])
def test_a_known_training_is_known_by_its_values(
    tmp_path: Path, training: trainings.Training, is_rgb: bool, name: str
) -> None:
    tensors = {key: tensor.clone() for key, tensor in TENSORS.items()}
    tensors["conv1_1.weight"][0, training.colour, 0] = torch.tensor(training.row)
    stored = tensors if is_rgb else bgr(tensors)
    halved = {key: tensor.half() for key, tensor in sequential(stored).items()}
    loaded = load_weights(saved(tmp_path / name, halved))
    torch.testing.assert_close(loaded.tensors["conv1_1.weight"], tensors["conv1_1.weight"], rtol=0, atol=1e-3)
    assert (loaded.preprocessing.deviation == TORCH.deviation) == (training.preprocessing == TORCH)


def test_a_browsers_second_copy_is_still_a_caffe_network(tmp_path: Path) -> None:
    path = saved(tmp_path / "vgg19-d01eb7cb (1).pth", sequential(bgr(TENSORS)))
    assert load_weights(path).preprocessing == CAFFE
    assert_read(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "an empty file"),
        (b"\0" * 600, "nothing but zero bytes"),
        (b"\n<!DOCTYPE html><title>404</title>", "an HTML page"),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "a Git LFS pointer"),
        (b'{"architectures": ["VGG"]}', "a JSON text"),
        (b"Not Found", "a text file"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"\x08\x07\x12\x07tf2onnxz\x03", "an ONNX model"),
        (b"\x08\x01\x12\xb3\x05\n\x02\x08\x01", "a saved model of TensorFlow or Core ML"),
        (b"\n\x14VGG_ILSVRC_19_layers\x12\x04data", "a Caffe model"),
        (b"\n\x20\n\x05input\x12\x0bPlaceholder", "a graph of TensorFlow"),
        (b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite model"),
        (b"vgg.pth" + bytes(250) + b"ustar", "a tar archive"),
        (pickle.dumps({"conv1_1": np.zeros(3)}), "a pickle that PyTorch did not write"),
        (b"PK\x03\x04half", "cut short"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".h5", ".safetensors"])
def test_what_is_no_network_is_called_what_it_is(
    tmp_path: Path, content: bytes, what: str, suffix: str
) -> None:
    path = tmp_path / f"vgg{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as raised:
        load_weights(path)
    assert f"{path}: cannot be read as weights: " in str(raised.value)
    assert what in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("new", [True, False])
def test_a_whole_pickled_model_is_refused_without_advice_to_run_it(tmp_path: Path, new: bool) -> None:
    path = saved(tmp_path / "model.pth", Model(), _use_new_zipfile_serialization=new)
    with pytest.raises(WeightsError, match=r"a whole pickled model .*Model.*state_dict") as raised:
        load_weights(path)
    assert "weights_only" not in str(raised.value)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("new", [True, False])
def test_a_file_cut_short_is_said_to_be(tmp_path: Path, part: float, new: bool) -> None:
    path = saved(tmp_path / "vgg.pth", STATE, _use_new_zipfile_serialization=new)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(WeightsError, match="cut short"):
        load_weights(path)


def test_numpy_arrays_are_read(tmp_path: Path) -> None:
    assert_read(saved(tmp_path / "vgg.pth", {name: tensor.numpy() for name, tensor in STATE.items()}))
    arrays: dict[str, Any] = {}
    for name, tensor in TENSORS.items():
        layer, _, kind = name.partition(".")
        is_kernel = kind == "weight"
        arrays[f"{layer}_{'W' if is_kernel else 'b'}"] = (
            tensor.numpy().transpose(2, 3, 1, 0) if is_kernel else tensor.numpy()
        )
    np.savez(tmp_path / "vgg19_weights.npz", **arrays)
    assert_read(tmp_path / "vgg19_weights.npz")
    assert load_weights(tmp_path / "vgg19_weights.npz").preprocessing == CAFFE


def test_a_normalised_vgg_is_known_under_any_prefix(tmp_path: Path) -> None:
    first = {"0.weight": (torch.eye(3).flip(0) * 255)[..., None, None]}
    first["0.bias"] = -torch.tensor(CAFFE.mean).flip(0)
    behind = {
        f"{int(key.split('.')[1]) + 2}.{key.split('.')[2]}": tensor
        for key, tensor in sequential(bgr(TENSORS)).items()
    }
    state = {f"encoder.{key}": tensor for key, tensor in (first | behind).items()}
    path = saved(tmp_path / "adain.pth", state)
    assert load_weights(path).layout == "normalised VGG"
    assert_read(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda key, tensor: (tensor * 127).to(torch.int8), "a quantised network"),
        (lambda key, tensor: tensor.to(torch.complex64), "complex numbers"),
        (lambda key, tensor: tensor.to("meta"), "but no values"),
        (
            lambda key, tensor: tensor.repeat(1, 1, 2, 2)[..., :5, :5] if tensor.dim() == 4 else tensor,
            "shape",
        ),
    ],
)
def test_values_that_are_no_kernels_are_refused_for_that(tmp_path: Path, change, reason: str) -> None:
    state = {key: change(key, tensor) for key, tensor in STATE.items()}
    with pytest.raises(WeightsError, match=reason) as raised:
        load_weights(saved(tmp_path / "vgg.pth", state))
    assert "load failed" not in str(raised.value)


def test_normalisation_without_its_means_is_still_found(tmp_path: Path) -> None:
    state = {**STATE, "features.1.weight": torch.ones(4), "features.1.bias": torch.zeros(4)}
    with pytest.raises(WeightsError, match="batch normalisation"):
        load_weights(saved(tmp_path / "vgg.pth", state))


def test_a_folder_and_a_part_of_a_checkpoint_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a folder"):
        load_weights(tmp_path)
    (tmp_path / "model.ckpt.data-00000-of-00001").write_bytes(b"\x9a\x99" * 400)
    with pytest.raises(WeightsError, match="part of a TensorFlow checkpoint"):
        load_weights(tmp_path / "model.ckpt.data-00000-of-00001")


@pytest.mark.parametrize(("name", "blocks"), [("VGG-11", (1, 1, 2, 2, 2)), ("VGG-13", (2, 2, 2, 2, 2))])
def test_a_smaller_vgg_is_refused_by_its_name(tmp_path: Path, name: str, blocks: tuple[int, ...]) -> None:
    state, number, channels = {}, 0, 3
    for count in blocks:
        for _ in range(count):
            state[f"features.{number}.weight"], state[f"features.{number}.bias"] = (
                torch.ones(4, channels, 3, 3),
                torch.ones(4),
            )
            number, channels = number + 2, 4
        number += 1
    with pytest.raises(WeightsError, match=f"those of {name}"):
        load_weights(saved(tmp_path / "small.pth", state))


def test_another_vgg_is_refused(tmp_path: Path) -> None:
    state = {key: tensor for key, tensor in STATE.items() if not key.startswith("features.5.")}
    with pytest.raises(WeightsError, match="neither VGG-16 nor VGG-19"):
        load_weights(saved(tmp_path / "own.pth", state))


def test_a_file_can_be_verified(tmp_path: Path) -> None:
    checks = verify(str(saved(tmp_path / "mine.pth", STATE)), tmp_path)
    assert len(checks) == 16
    assert {check.status for check in checks} == {"not compared"}
