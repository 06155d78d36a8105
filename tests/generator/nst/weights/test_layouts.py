"""Every layout that people have reads back as the same canonical weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.layers import names
from generator.nst.recipes.networks import CAFFE, TORCH, TORCH_FEATURES
from generator.nst.weights.layouts import LoadedWeights, load_weights, save_canonical
from tests.generator.nst.tiny import tiny_tensors

TENSORS = tiny_tensors("vgg19")


def bgr(tensors):
    return {**tensors, "conv1_1.weight": tensors["conv1_1.weight"].flip(1)}


def sequential(tensors, prefix="features."):
    """torchvision's numbering: convolution, ReLU and pooling each take an index."""
    state = {}
    for index, name in enumerate(names("vgg19")):
        for kind in ("weight", "bias"):
            if f"{name}.{kind}" in tensors:
                state[f"{prefix}{index}.{kind}"] = tensors[f"{name}.{kind}"]
    return state


def assert_canonical(loaded, preprocessing):
    assert loaded.preprocessing == preprocessing
    assert loaded.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        torch.testing.assert_close(loaded.tensors[name], tensor, rtol=0, atol=0)


def test_torchvision_state_dict(tmp_path):
    torch.save(sequential(TENSORS), tmp_path / "vgg19-dcbb9e9d.pth")
    assert_canonical(load_weights(tmp_path / "vgg19-dcbb9e9d.pth"), TORCH)


def test_torchvision_copy_of_the_original_vgg16(tmp_path):
    path = tmp_path / "vgg16_features-amdegroot-88682ab5.pth"
    torch.save(sequential(TENSORS), path)
    assert_canonical(load_weights(path), TORCH_FEATURES)


def test_caffe_weights_under_torchvision_names_are_bgr(tmp_path):
    torch.save(sequential(bgr(TENSORS)), tmp_path / "vgg19-d01eb7cb.pth")
    assert_canonical(load_weights(tmp_path / "vgg19-d01eb7cb.pth"), CAFFE)


def test_named_state_dict_of_gatys_notebook(tmp_path):
    torch.save(bgr(TENSORS), tmp_path / "vgg_conv.pth")
    assert_canonical(load_weights(tmp_path / "vgg_conv.pth"), CAFFE)


def test_normalised_vgg_with_its_preprocessing_convolution(tmp_path):
    tensors = bgr(TENSORS)
    state = {
        "0.weight": (torch.eye(3).flip(0) * 255).reshape(3, 3, 1, 1),
        "0.bias": -torch.tensor(CAFFE.mean).flip(0),
    }
    index = 1
    for name in names("vgg19"):
        # A padding stands before each convolution: pad, convolution, ReLU.
        index += name.startswith("conv")
        for kind in ("weight", "bias"):
            if f"{name}.{kind}" in tensors:
                state[f"{index}.{kind}"] = tensors[f"{name}.{kind}"]
        index += 1
    torch.save(state, tmp_path / "vgg_normalised.pth")
    assert_canonical(load_weights(tmp_path / "vgg_normalised.pth"), CAFFE)


def test_a_normalised_vgg_with_other_preprocessing_is_refused(tmp_path):
    torch.save({"0.weight": torch.eye(3).reshape(3, 3, 1, 1), "0.bias": torch.zeros(3)}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"odd\.pth: its first 1x1 convolution"):
        load_weights(tmp_path / "odd.pth")


def test_safetensors_with_torchvision_names(tmp_path):
    from safetensors.torch import save_file

    save_file(sequential(TENSORS), tmp_path / "vgg19.safetensors")
    assert_canonical(load_weights(tmp_path / "vgg19.safetensors"), TORCH)


def test_own_safetensors_keep_the_preprocessing(tmp_path):
    path = tmp_path / "sub" / "own.safetensors"
    save_canonical(LoadedWeights(TENSORS, TORCH_FEATURES, "test"), path, {"source": "a test"})
    assert_canonical(load_weights(path), TORCH_FEATURES)
    assert [entry.name for entry in path.parent.iterdir()] == ["own.safetensors"]


@pytest.mark.parametrize(
    "spelling", ["block{}_conv{}/block{}_conv{}_{}_1:0", "block{}_conv{}/block{}_conv{}/{}:0"]
)
def test_keras_h5(tmp_path, spelling):
    import h5py

    with h5py.File(tmp_path / "vgg19_weights.h5", "w") as file:
        for name, tensor in bgr(TENSORS).items():
            block, number = name[4], name[6]
            kind = "W" if name.endswith("weight") else "b"
            array = tensor.numpy().transpose(2, 3, 1, 0) if kind == "W" else tensor.numpy()
            file[spelling.format(block, number, block, number, kind)] = array
        file["predictions/predictions_W_1:0"] = np.zeros((4, 4), np.float32)
    assert_canonical(load_weights(tmp_path / "vgg19_weights.h5"), CAFFE)


@pytest.mark.parametrize("fields", ["weights", "filters"])
def test_matconvnet_mat(tmp_path, fields):
    from scipy.io import savemat

    listed = np.empty((1, len(names("vgg19"))), dtype=object)
    for place, name in enumerate(names("vgg19")):
        layer: dict[str, object] = {"name": name, "type": name[:4]}
        if name.startswith("conv"):
            kernel = TENSORS[f"{name}.weight"].numpy().transpose(2, 3, 1, 0)
            bias = TENSORS[f"{name}.bias"].numpy()[:, None]
            if fields == "weights":
                cell = np.empty((1, 2), dtype=object)
                cell[0, 0], cell[0, 1] = kernel, bias
                layer["weights"] = cell
            else:
                layer |= {"filters": kernel, "biases": bias}
        listed[0, place] = layer
    savemat(tmp_path / "imagenet-vgg-verydeep-19.mat", {"layers": listed})
    assert_canonical(load_weights(tmp_path / "imagenet-vgg-verydeep-19.mat"), CAFFE)


@pytest.mark.parametrize("suffix", [".pth", ".h5", ".mat", ".safetensors"])
def test_a_saved_web_page_is_not_a_network(tmp_path, suffix):
    path = tmp_path / f"vgg{suffix}"
    path.write_text("<html>404 Not Found</html>")
    with pytest.raises(WeightsError, match=rf"vgg\{suffix}: cannot be read as") as raised:
        load_weights(path)
    assert "\n" not in str(raised.value)


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return (print, ("harm",))

    torch.save({"features.0.weight": Harm()}, tmp_path / "harm.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_weights(tmp_path / "harm.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv2_1.weight": torch.full((8, 4, 3, 3), torch.nan)}, "not finite"),
        ({"conv2_1.weight": torch.zeros(8, 4, 5, 5)}, "not that of a VGG"),
        ({"conv1_1.weight": torch.zeros(4, 1, 3, 3)}, "takes 1 channels, not 3"),
    ],
)
def test_damaged_weights_are_refused(tmp_path, change, message):
    torch.save({**TENSORS, **change}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=message):
        load_weights(tmp_path / "vgg.pth")


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(WeightsError, match=r"unknown layout '\.caffemodel'; known: \.safetensors, \.pth"):
        load_weights(tmp_path / "vgg.caffemodel")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pth: no such file"):
        load_weights(tmp_path / "nowhere.pth")


def test_a_vgg_with_batch_normalisation_is_refused(tmp_path):
    torch.save({**sequential(TENSORS), "features.1.running_mean": torch.zeros(4)}, tmp_path / "vgg16_bn.pth")
    with pytest.raises(WeightsError, match="batch normalisation"):
        load_weights(tmp_path / "vgg16_bn.pth")
