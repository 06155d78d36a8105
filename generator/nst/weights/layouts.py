"""From the common layouts of weight files to one canonical form.

Canonical: `conv1_1.weight` (out x in x 3 x 3, float32) and `conv1_1.bias` (out), input channels of `conv1_1` in
the order RGB. Only this module knows which programs use the order BGR.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from generator.nst.recipes import keras_files, weight_files
from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.layers import normalised
from generator.nst.recipes.networks import CAFFE, TORCH, TORCH_FEATURES, Preprocessing
from generator.nst.weights import trainings

Tensors = dict[str, Tensor]
# Published files (by the hash in their names) whose first kernel identifies no training: tiny or trained further.
_NAMED_ORDERS = {"00b39a1b": "bgr", "d01eb7cb": "bgr", "88682ab5": "rgb"}
# Keys under which training programs store a model's state, the likeliest first.
_STATES = ("state_dict", "model_state_dict", "model", "net", "network", "module", "params", "weights")
_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".h5", ".hdf5", ".keras", ".mat", ".npz")


# What a pickle of NumPy arrays needs: functions that build arrays and run no code of the file's.
_NUMPY_GLOBALS: list[Any] = [
    np._core.multiarray._reconstruct,
    np._core.multiarray.scalar,
    np.ndarray,
    np.dtype,
    *(type(np.dtype(name)) for name in ("f2", "f4", "f8", "i4", "i8")),
]


@dataclass(frozen=True)
class LoadedWeights:
    """A weight file in canonical form."""

    tensors: Tensors
    preprocessing: Preprocessing
    layout: str


def load_weights(path: Path | str) -> LoadedWeights:
    """Read a weight file: PyTorch (torchvision, Gatys, AdaIN's normalised VGG), safetensors, Keras or MatConvNet.

    The content decides, not the name. Pickles are read weights-only.

    Raises:
        WeightsError: If the file cannot be used; the message gives the file and the reason.
    """
    path = Path(path)
    if not path.exists():
        if path.suffix.lower() not in _SUFFIXES:
            raise WeightsError(
                f"{path}: unknown layout {path.suffix or '(no suffix)'!r}; known: {', '.join(_SUFFIXES)}"
            )
        raise WeightsError(f"{path}: no such file")
    readers: dict[str, Callable[[Path], LoadedWeights]] = {
        weight_files.SAFETENSORS: _read_safetensors,
        weight_files.TORCH: _read_pickle,
        weight_files.KERAS: _read_keras,
        weight_files.HDF5: _read_keras,
        weight_files.MATLAB: _read_matconvnet,
        weight_files.NUMPY: _read_numpy,
    }
    kind = "weights"
    try:
        kind = weight_files.kind_of(path)
        loaded = readers[kind](path)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except Exception as error:  # each reader has its own; the file is at fault, whatever it raises
        raise WeightsError(f"{path}: cannot be read as {kind}: {_reason(error)}") from error
    _check(loaded.tensors, path)
    return loaded


def _reason(error: Exception) -> str:
    line = str(error).strip().partition("\n")[0] or type(error).__name__
    if "weights only load failed" in line.lower():
        return "it holds objects that are no tensors; where it was made, save only the state_dict()"
    broken = ("weights_only", "truncated", "eof", "not fully covered", "corrupt", "could not read")
    # PyTorch's message would suggest unsafe loading.
    return "it is damaged or cut short" if any(word in line.lower() for word in broken) else line


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
    layers = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    if not weight_files.architecture(layers):
        if other := weight_files.other_architecture(layers):
            raise WeightsError(f"{path}: its convolutions are those of {other}; VGG-16 or VGG-19 is needed")
        raise WeightsError(f"{path}: its convolutions are those of neither VGG-16 nor VGG-19")


def _as_rgb(tensors: Tensors) -> Tensors:
    return {**tensors, "conv1_1.weight": tensors["conv1_1.weight"].flip(1).contiguous()}


def _settled(tensors: Tensors, order: str, preprocessing: Preprocessing, layout: str) -> LoadedWeights:
    """Return tensors in canonical form, by their known training or else by the conventions of `layout`.

    order: "rgb" or "bgr", as usual in the layout.
    """
    if known := trainings.identified(tensors["conv1_1.weight"]):
        training, is_rgb = known
        order = "rgb" if is_rgb else "bgr"
        if (training.preprocessing == CAFFE) != (preprocessing in (CAFFE, TORCH_FEATURES)):
            preprocessing = training.preprocessing
        layout = training.name
    return LoadedWeights(tensors if order == "rgb" else _as_rgb(tensors), preprocessing, layout)


def _picked(state: Mapping[str, Tensor]) -> tuple[Tensors, str]:
    """Return a state dict's convolutions of the VGG by canonical names, and their prefix in the state dict."""
    kernels = [key for key, tensor in state.items() if tensor.dim() == 4 and tensor.shape[2:] != (1, 1)]
    layers = weight_files.layers_of(kernels)
    if not layers:
        raise WeightsError("holds no convolutions of a VGG under names that are known here")
    prefix = next(iter(layers.values())).rpartition(".")[0]
    beside = f"{prefix}." if prefix else ""
    if any(key.startswith(beside) and _normalises(key, tensor) for key, tensor in state.items()):
        raise WeightsError("is a VGG with batch normalisation; a plain VGG is needed")
    convolutions = [state[f"{stem}.weight"] for stem in layers.values()]
    if any(kernel.is_meta for kernel in convolutions):
        raise WeightsError(
            "has the shapes of its weights, but no values: it was saved from the device `meta`"
        )
    if any(kernel.is_complex() for kernel in convolutions):
        raise WeightsError("has complex numbers as weights: not a VGG")
    if not all(kernel.is_floating_point() for kernel in convolutions):
        raise WeightsError(
            "has whole numbers as weights: a quantised network; take the one before quantisation"
        )
    return {
        f"{layer}.{kind}": state[f"{stem}.{kind}"].float().contiguous()
        for layer, stem in layers.items()
        for kind in ("weight", "bias")
        if f"{stem}.{kind}" in state
    }, next(iter(layers.values()))


def _normalises(key: str, tensor: Tensor) -> bool:
    """Return whether a tensor belongs to batch normalisation: one weight for each channel, or its running mean."""
    return key.endswith("running_mean") or (key.endswith(".weight") and tensor.dim() == 1)


def _from_state(state: Mapping[str, Tensor], stem: str) -> LoadedWeights:
    for key, tensor in state.items():
        if key.rpartition("0.weight")[1:] == ("0.weight", "") and tensor.shape == (3, 3, 1, 1):
            return _from_normalised(state, key.removesuffix("0.weight"))
    tensors, first = _picked(state)
    if not first.rpartition(".")[2].isdigit():
        # Gatys's notebook (vgg_conv.pth) names its layers so; it is a copy of Caffe's network.
        return _settled(tensors, "bgr", CAFFE, "named state dict")
    match next((order for name, order in _NAMED_ORDERS.items() if name in stem), ""):
        case "bgr":
            return _settled(tensors, "bgr", CAFFE, "caffe state dict")
        case "rgb":
            return _settled(tensors, "rgb", TORCH_FEATURES, "torchvision features")
    return _settled(tensors, "rgb", TORCH, "torchvision")


def _from_normalised(state: Mapping[str, Tensor], prefix: str) -> LoadedWeights:
    """Gatys's normalised VGG as pytorch-AdaIN ships it: a 1x1 convolution does the pre-processing first.

    prefix: of its tensors' names.
    """
    weight, bias = state[f"{prefix}0.weight"].float().flatten(1), state[f"{prefix}0.bias"].float()
    flipped = torch.eye(3).flip(0) * 255
    if not torch.allclose(weight, flipped, atol=0.5) or not torch.allclose(
        bias, -torch.tensor(CAFFE.mean).flip(0), atol=0.5
    ):
        raise WeightsError(
            "its first 1x1 convolution is not Caffe's pre-processing (RGB 0..1 to BGR 0..255 - mean)"
        )
    tensors, _ = _picked({key: tensor for key, tensor in state.items() if key.startswith(prefix)})
    return LoadedWeights(_as_rgb(tensors), CAFFE, "normalised VGG")


def _read_pickle(path: Path) -> LoadedWeights:
    # Training programs keep their arguments beside the state. By its path, torch.load would look at the suffix.
    with torch.serialization.safe_globals([argparse.Namespace, *_NUMPY_GLOBALS]), path.open("rb") as file:
        content = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise WeightsError(f"holds a {type(content).__name__}, no state dict")
    states = [state for state in _states(content) if weight_files.layers_of(state)]
    if not states:
        raise WeightsError("holds no convolutions of a VGG under names that are known here")
    return _from_state(states[0], path.stem)


def _states(content: Mapping[Any, Any]) -> Iterator[dict[str, Tensor]]:
    """Yield each dictionary of tensors in a checkpoint except optimisers', the likeliest model first."""
    content = {
        key: torch.from_numpy(value) if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" else value
        for key, value in content.items()
    }
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if tensors:
        yield tensors
    inner = [(str(key), value) for key, value in content.items() if isinstance(value, Mapping)]
    inner.sort(key=lambda pair: _STATES.index(pair[0]) if pair[0] in _STATES else len(_STATES))
    for key, value in inner:
        if "optim" not in key.lower():
            yield from _states(value)


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
    """Write canonical weights as safetensors. The file appears whole or not at all."""
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
    """Read a file of Keras (`.h5`, `.keras`): kernels height x width x in x out, usually BGR."""
    import h5py

    found: Tensors = {}
    with (
        weight_files.hdf5_of(path, weight_files.kind_of(path)) as opened,
        h5py.File(opened, "r") as file,
    ):
        for name, dataset in keras_files.datasets(file).items():
            array = np.asarray(dataset, dtype=np.float32)
            if array.ndim == 4 and array.shape[:2] != (3, 3) and array.shape[2:] == (3, 3):
                raise WeightsError(
                    "holds kernels in Theano's order; Keras's `tf_dim_ordering` file is needed"
                )
            array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
            found[name] = torch.from_numpy(np.ascontiguousarray(array))
    if "conv1_1.weight" not in found:
        raise WeightsError("holds no block1_conv1: not a VGG saved by Keras")
    return _settled(found, "bgr", CAFFE, "Keras")


def _read_numpy(path: Path) -> LoadedWeights:
    """Read an archive of NumPy arrays: names as in PyTorch, or conv1_1_W of height x width x in x out."""
    state: Tensors = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            array = archive[name]
            if name.endswith("_W") and array.ndim == 4 and array.shape[:2] == (3, 3):
                array = array.transpose(3, 2, 0, 1)
            state[weight_files.torch_name(name)] = torch.from_numpy(np.ascontiguousarray(array))
    tensors, first = _picked(state)
    is_numbered = first.rpartition(".")[2].isdigit()
    return _settled(tensors, "rgb", TORCH if is_numbered else CAFFE, "NumPy")


def _read_matconvnet(path: Path) -> LoadedWeights:
    """Read MatConvNet's `imagenet-vgg-verydeep-*.mat`: filters height x width x in x out, RGB.

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
    if "conv1_1.weight" not in found:
        raise WeightsError("holds no conv1_1: not a VGG of MatConvNet")
    return _settled(found, "rgb", CAFFE, "MatConvNet")
