"""Weight files in the layouts that people have -> one canonical form.

Canonical: `conv1_1.weight` (out x in x 3 x 3, float32) and `conv1_1.bias` (out), input channels of `conv1_1` in
the order RGB. This is the one place that knows which programs count channels backwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.layers import normalised
from generator.nst.recipes.networks import CAFFE, TORCH, TORCH_FEATURES, Preprocessing

Tensors = dict[str, Tensor]


# File names of torchvision's state dicts that hold other trainings than torchvision's own (hash as in the name).
_CAFFE_STATE_DICTS = {
    "vgg16-00b39a1b": "bgr",
    "vgg19-d01eb7cb": "bgr",
    "vgg16_features-amdegroot-88682ab5": "rgb",
}


@dataclass(frozen=True)
class LoadedWeights:
    """A weight file in canonical form."""

    tensors: Tensors
    preprocessing: Preprocessing
    layout: str


def load_weights(path: Path | str) -> LoadedWeights:
    """Read a weight file: .safetensors, .pth/.pt (torchvision, Gatys, AdaIN's normalised VGG), .h5, .mat.

    Pickles are read weights-only. Raises WeightsError naming the file and what is wrong with it.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path], LoadedWeights]] = {
        ".safetensors": _read_safetensors,
        ".pth": _read_pickle,
        ".pt": _read_pickle,
        ".h5": _read_keras,
        ".hdf5": _read_keras,
        ".mat": _read_matconvnet,
    }
    if path.suffix.lower() not in readers:
        raise WeightsError(
            f"{path}: unknown layout {path.suffix or '(no suffix)'!r}; known: {', '.join(readers)}"
        )
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    try:
        loaded = readers[path.suffix.lower()](path)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except Exception as error:  # each reader has its own; the file is at fault, whatever it raises
        raise WeightsError(f"{path}: cannot be read as {path.suffix}: {_first_line(error)}") from error
    _check(loaded.tensors, path)
    return loaded


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _check(tensors: Tensors, path: Path) -> None:
    if "conv1_1.weight" not in tensors:
        raise WeightsError(f"{path}: holds no convolutions of a VGG under names that are known here")
    for name, tensor in tensors.items():
        rank = 4 if name.endswith("weight") else 1
        if tensor.dim() != rank or (rank == 4 and tensor.shape[2:] != (3, 3)):
            raise WeightsError(f"{path}: {name} has shape {tuple(tensor.shape)}, not that of a VGG")
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{path}: {name} has values that are not finite")
    if tensors["conv1_1.weight"].shape[1] != 3:
        raise WeightsError(f"{path}: conv1_1 takes {tensors['conv1_1.weight'].shape[1]} channels, not 3")
    for name in [key for key in tensors if key.endswith("weight")]:
        if name.replace("weight", "bias") not in tensors:
            raise WeightsError(f"{path}: {name} has no bias beside it")


def _as_rgb(tensors: Tensors) -> Tensors:
    return {**tensors, "conv1_1.weight": tensors["conv1_1.weight"].flip(1).contiguous()}


def _named(state: Mapping[str, Tensor]) -> Tensors:
    """Keep what is called like a layer (`conv1_1.weight`, `block1_conv1.bias`)."""
    found: Tensors = {}
    for key, tensor in state.items():
        stem, _, kind = key.rpartition(".")
        layer = normalised(stem)
        if kind in ("weight", "bias") and re.fullmatch(r"conv\d_\d", layer):
            found[f"{layer}.{kind}"] = tensor.float().contiguous()
    return found


def _numbered(state: Mapping[str, Tensor], prefix: str, step: int) -> Tensors:
    """Name the convolutions of a Sequential by the gaps between them: a gap above `step` holds a pooling."""
    indices = sorted(
        int(match[1])
        for key, tensor in state.items()
        if (match := re.fullmatch(re.escape(prefix) + r"(\d+)\.weight", key)) and tensor.dim() == 4
    )
    found: Tensors = {}
    block, position, previous = 1, 0, None
    for index in indices:
        if previous is not None and index - previous > step:
            block, position = block + 1, 0
        position, previous = position + 1, index
        for kind in ("weight", "bias"):
            if f"{prefix}{index}.{kind}" in state:
                found[f"conv{block}_{position}.{kind}"] = (
                    state[f"{prefix}{index}.{kind}"].float().contiguous()
                )
    return found


def _from_state(state: Mapping[str, Tensor], stem: str) -> LoadedWeights:
    if "features.0.weight" in state:
        if "features.1.running_mean" in state:
            raise WeightsError("is a VGG with batch normalisation; a plain VGG is needed")
        tensors = _numbered(state, "features.", step=2)
        match _CAFFE_STATE_DICTS.get(stem):
            case "bgr":
                return LoadedWeights(_as_rgb(tensors), CAFFE, "caffe state dict")
            case "rgb":
                return LoadedWeights(tensors, TORCH_FEATURES, "torchvision features")
        return LoadedWeights(tensors, TORCH, "torchvision")
    if "0.weight" in state and state["0.weight"].shape[-1] == 1:
        return _from_normalised(state)
    tensors = _named(state)
    if not tensors:
        raise WeightsError("holds no convolutions of a VGG under names that are known here")
    # Gatys's notebook (vgg_conv.pth) names its layers so; it is a copy of Caffe's network.
    return LoadedWeights(_as_rgb(tensors), CAFFE, "named state dict")


def _from_normalised(state: Mapping[str, Tensor]) -> LoadedWeights:
    """Gatys's normalised VGG as pytorch-AdaIN ships it: a 1x1 convolution does the pre-processing first."""
    weight, bias = state["0.weight"].float().flatten(1), state["0.bias"].float()
    flipped = torch.eye(3).flip(0) * 255
    if not torch.allclose(weight, flipped, atol=0.5) or not torch.allclose(
        bias, -torch.tensor(CAFFE.mean).flip(0), atol=0.5
    ):
        raise WeightsError(
            "its first 1x1 convolution is not Caffe's pre-processing (RGB 0..1 to BGR 0..255 - mean)"
        )
    rest = {key: tensor for key, tensor in state.items() if not key.startswith("0.")}
    return LoadedWeights(_as_rgb(_numbered(rest, "", step=3)), CAFFE, "normalised VGG")


def _read_pickle(path: Path) -> LoadedWeights:
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict):
        raise WeightsError("holds no state dict")
    return _from_state({str(k): v for k, v in state.items() if isinstance(v, Tensor)}, path.stem)


def _read_safetensors(path: Path) -> LoadedWeights:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 -- not a mapping
    if metadata.get("layout") == "nstsite":
        mean, deviation = (
            tuple(float(value) for value in metadata[key].split()) for key in ("mean", "deviation")
        )
        return LoadedWeights(state, Preprocessing(mean, deviation), "nstsite")  # type: ignore[arg-type]
    return _from_state(state, path.stem)


def save_canonical(loaded: LoadedWeights, path: Path, metadata: Mapping[str, str]) -> None:
    """Write canonical weights as safetensors at once: a reader sees the whole file or none."""
    import os

    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    own = {
        "layout": "nstsite",
        "mean": " ".join(map(repr, loaded.preprocessing.mean)),
        "deviation": " ".join(map(repr, loaded.preprocessing.deviation)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_file(loaded.tensors, temporary, metadata={**metadata, **own})
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read_keras(path: Path) -> LoadedWeights:
    """Keras's `vgg*_weights_tf_dim_ordering*.h5`: kernels height x width x in x out, BGR."""
    import h5py

    found: Tensors = {}

    def visit(name: str, item: Any) -> None:
        match = re.search(r"block(\d)_conv(\d)", name)
        if match is None or not isinstance(item, h5py.Dataset):
            return
        array = np.asarray(item, dtype=np.float32)
        kind = "weight" if array.ndim == 4 else "bias"
        array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
        found[f"conv{match[1]}_{match[2]}.{kind}"] = torch.from_numpy(np.ascontiguousarray(array))

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    if "conv1_1.weight" not in found:
        raise WeightsError("holds no block1_conv1: not a VGG saved by Keras")
    return LoadedWeights(_as_rgb(found), CAFFE, "Keras")


def _read_matconvnet(path: Path) -> LoadedWeights:
    """MatConvNet's `imagenet-vgg-verydeep-*.mat`: filters height x width x in x out, RGB.

    Its manual writes width first, but its images are height x width, and the file classifies better so read
    (anishathalye/neural-style, issue 180).
    """
    from scipy.io import loadmat

    content = loadmat(path, squeeze_me=True, struct_as_record=False)
    net = content.get("net")
    listed = content.get("layers", getattr(net, "layers", None))
    if listed is None:
        raise WeightsError("holds no 'layers': not a MatConvNet network")
    found: Tensors = {}
    for layer in np.atleast_1d(listed):
        name = normalised(str(getattr(layer, "name", "")))
        if not re.fullmatch(r"conv\d_\d", name):
            continue
        pair = getattr(layer, "weights", None)
        filters, biases = pair if pair is not None else (layer.filters, layer.biases)
        kernel = np.asarray(filters, dtype=np.float32).transpose(3, 2, 0, 1)
        found[f"{name}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel))
        found[f"{name}.bias"] = torch.from_numpy(np.array(biases, dtype=np.float32).reshape(-1))
    return LoadedWeights(found, CAFFE, "MatConvNet")
