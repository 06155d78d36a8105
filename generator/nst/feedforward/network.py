"""Style transfer in one pass: a network trained for one style, and its files.

The architecture is that of Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
Super-Resolution" (ECCV 2016), supplementary table 1, with the instance normalisation of Ulyanov, Vedaldi and
Lempitsky (arXiv 1607.08022) and, against checkerboards, nearest-neighbour upsampling before a convolution (Odena,
Dumoulin and Olah, Distill 2016) where Johnson has a transposed one; all convolutions pad by reflection.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.nst.cpu import feedforward_cpu
from generator.nst.cpu.feedforward_cpu import upsampled
from generator.nst.gpu.precision import float32_products, on
from generator.nst.network import resolve_precision
from generator.nst.recipes import algorithms, weight_files
from generator.nst.recipes.errors import NstError, WeightsError
from generator.nst.recipes.sizes import FEEDFORWARD_SIDE
from generator.nst.weights.registry import weights_hash

ALGORITHM = algorithms.FEEDFORWARD
LAYOUT = "nstsite feed-forward"
# Two halvings leave 2 px, the least that a 3 x 3 kernel can pad by reflection; the 9 x 9 kernels need 5.
MAX_WIDTH, MAX_BLOCKS = 256, 32


class Layer(nn.Module):
    """Nearest-neighbour upsampling, convolution padded by reflection, instance normalisation, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, upsample: int = 1, relu: bool = True
    ) -> None:
        super().__init__()
        self.upsample, self.relu = upsample, relu
        self.convolution: nn.Module = nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect"
        )
        self.normalisation: nn.Module = nn.InstanceNorm2d(outputs, affine=True)

    def forward(self, value: Tensor) -> Tensor:
        """Return N x outputs x H x W; H and W are multiplied by `upsample`, or divided by `stride` and rounded up."""
        value = self.normalisation(self.convolution(upsampled(value, self.upsample)))
        return F.relu(value, inplace=True) if self.relu else value


class Residual(nn.Module):
    """Two layers added to their input, without a ReLU after the sum (Gross and Wilber 2016, as Johnson has it)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Layer(channels, channels, 3)
        self.second = Layer(channels, channels, 3, relu=False)

    def forward(self, value: Tensor) -> Tensor:
        """Return N x channels x H x W, the shape of the input."""
        return value + self.second(self.first(value))  # type: ignore[no-any-return]


class TransformNet(nn.Module):
    """RGB images N x 3 x H x W of 0 to 1 -> stylised images of the same size, about 0 to 1 and not clamped.

    Johnson, Alahi, Fei-Fei 2016 (arXiv 1603.08155) with instance normalisation (Ulyanov et al. 2016, arXiv 1607.08022).

    Args:
        width: Channels at full size; twice that at half and four times at quarter size. Johnson's is 32.
        blocks: Residual blocks. Johnson's are 5.
    """

    def __init__(self, width: int = 32, blocks: int = 5) -> None:
        super().__init__()
        self.width, self.blocks = width, blocks
        self.down = nn.Sequential(
            Layer(3, width, 9),
            Layer(width, 2 * width, 3, stride=2),
            Layer(2 * width, 4 * width, 3, stride=2),
        )
        self.residual = nn.Sequential(*(Residual(4 * width) for _ in range(blocks)))
        self.up = nn.Sequential(
            Layer(4 * width, 2 * width, 3, upsample=2), Layer(2 * width, width, 3, upsample=2)
        )
        self.out: nn.Module = nn.Conv2d(width, 3, 9, padding=4, padding_mode="reflect")

    def forward(self, images: Tensor) -> Tensor:
        """Return the stylised images, N x 3 x H x W."""
        height, width = images.shape[-2:]
        # From mid-grey, so that an untrained network's picture is grey and not black. Halving rounds up: cut what is over.
        made: Tensor = 0.5 + 0.5 * self.out(self.up(self.residual(self.down(images))))
        return made[..., :height, :width]


@dataclass(frozen=True)
class Network:
    """A trained network.

    Attributes:
        name: Name of its file.
        model: The network, not to be trained further.
        sha256: Hash of its weights.
        provenance: How it was trained, in JSON's own types; {} where the file tells nothing.
    """

    name: str
    model: TransformNet
    sha256: str
    provenance: dict[str, Any]


def save_network(path: Path, model: TransformNet, provenance: Mapping[str, Any]) -> None:
    """Write a network as safetensors with its provenance. The file appears whole or not at all."""
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    tensors = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    metadata = {
        "layout": LAYOUT,
        "width": str(model.width),
        "blocks": str(model.blocks),
        "provenance": json.dumps(provenance, ensure_ascii=False, sort_keys=True),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_file(tensors, temporary, metadata=metadata)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_network(path: Path | str) -> Network:
    """Read a network: one of `save_network`, or a state dict (.pth, .pt, .model) of pytorch/examples fast_neural_style.

    Pickles are read weights-only.

    Raises:
        WeightsError: If the file cannot be used; the message gives the file and the reason.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; `train_style` makes one")
    try:
        state, metadata = _read(path)
        width, blocks = _dimensions(state, metadata)
        model = TransformNet(width, blocks)
        _fill(model, state)
        provenance = json.loads(metadata.get("provenance", "{}"))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except Exception as error:  # each reader has its own; the file is at fault, whatever it raises
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsError(f"{path}: cannot be read as a feed-forward network: {first}") from error
    model.eval().requires_grad_(False)
    return Network(path.name, model, weights_hash(model.state_dict()), provenance)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if weight_files.kind_of(path, "a feed-forward network") == weight_files.SAFETENSORS:
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 -- not a mapping
            metadata = file.metadata() or {}
        if metadata.get("layout") != LAYOUT:
            raise WeightsError("is not a feed-forward network; `train_style` makes one")
        return tensors, metadata
    # By its path, torch.load would look at the suffix.
    with path.open("rb") as opened:
        state = torch.load(opened, map_location="cpu", weights_only=True)
    if isinstance(state, dict):
        state = state.get("state_dict", state)
        state = {key.removeprefix("module."): tensor for key, tensor in state.items()}
    if not isinstance(state, dict) or "deconv3.conv2d.weight" not in state:
        raise WeightsError(
            "is not a network of pytorch/examples fast_neural_style (no deconv3.conv2d.weight)"
        )
    return _from_pytorch_examples(state), {}


_PYTORCH_EXAMPLES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"conv([123])\.conv2d"), lambda m: f"down.{int(m[1]) - 1}.convolution"),
    (re.compile(r"in([123])"), lambda m: f"down.{int(m[1]) - 1}.normalisation"),
    (re.compile(r"res(\d)\.conv1\.conv2d"), lambda m: f"residual.{int(m[1]) - 1}.first.convolution"),
    (re.compile(r"res(\d)\.in1"), lambda m: f"residual.{int(m[1]) - 1}.first.normalisation"),
    (re.compile(r"res(\d)\.conv2\.conv2d"), lambda m: f"residual.{int(m[1]) - 1}.second.convolution"),
    (re.compile(r"res(\d)\.in2"), lambda m: f"residual.{int(m[1]) - 1}.second.normalisation"),
    (re.compile(r"deconv([12])\.conv2d"), lambda m: f"up.{int(m[1]) - 1}.convolution"),
    (re.compile(r"in([45])"), lambda m: f"up.{int(m[1]) - 4}.normalisation"),
    (re.compile(r"deconv3\.conv2d"), lambda m: "out"),
)


def _from_pytorch_examples(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename to our own keys and rescale from images of 0..255 to 0..1.

    Running statistics, which old releases of PyTorch stored and never used, are left out.
    """
    found: dict[str, Tensor] = {}
    for key, tensor in state.items():
        stem, _, kind = key.rpartition(".")
        for pattern, name in _PYTORCH_EXAMPLES:
            if kind in ("weight", "bias") and (match := pattern.fullmatch(stem)):
                found[f"{name(match)}.{kind}"] = tensor.float()
    found["down.0.convolution.weight"] = found["down.0.convolution.weight"] * 255
    found["out.weight"] = found["out.weight"] / 127.5
    found["out.bias"] = found["out.bias"] / 127.5 - 1
    return found


def _dimensions(state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> tuple[int, int]:
    """Return width and number of residual blocks, by the metadata or else by the tensors. Raises WeightsError."""
    if "out.weight" not in state:
        raise WeightsError("lacks out.weight")
    blocks = len({key.split(".")[1] for key in state if key.startswith("residual.")})
    width, blocks = (
        int(metadata.get("width", state["out.weight"].shape[1])),
        int(metadata.get("blocks", blocks)),
    )
    if not (1 <= width <= MAX_WIDTH and 1 <= blocks <= MAX_BLOCKS):
        raise WeightsError(f"width {width} and {blocks} residual blocks are out of range")
    return width, blocks


def _fill(model: TransformNet, state: Mapping[str, Tensor]) -> None:
    wanted = model.state_dict()
    for key in sorted(wanted.keys() ^ state.keys()):
        raise WeightsError(f"{'lacks' if key in wanted else 'has an unknown'} {key}")
    for key, tensor in state.items():
        if tensor.shape != wanted[key].shape:
            raise WeightsError(f"{key} has shape {tuple(tensor.shape)}, not {tuple(wanted[key].shape)}")
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{key} has values that are not finite")
    model.load_state_dict(dict(state))


def _for_cpu(model: TransformNet) -> None:
    """Replace a model's layers by faster ones for a CPU."""
    for layer in model.modules():
        if isinstance(layer, Layer):
            convolution, normalisation = layer.convolution, layer.normalisation
            assert isinstance(convolution, nn.Conv2d)  # noqa: S101 -- narrows the type
            assert isinstance(normalisation, nn.InstanceNorm2d)  # noqa: S101 -- narrows the type
            if (convolution.kernel_size, convolution.stride) == ((3, 3), (1, 1)):
                layer.convolution = feedforward_cpu.Convolution3x3(convolution, layer.upsample)
                layer.upsample = 1
            layer.normalisation = feedforward_cpu.Normalisation(normalisation)
    assert isinstance(model.out, nn.Conv2d)  # noqa: S101 -- narrows the type
    model.out = feedforward_cpu.LastConvolution(model.out)


class Stylist:
    """A network on a device, ready to run.

    Args:
        network: The trained network, which stays as it is.
        device: Where to run, such as "cpu" or "cuda:1".
        precision: "auto", "fp32", "tf32" or "bf16".
    """

    def __init__(self, network: Network, device: torch.device | str = "cpu", precision: str = "auto") -> None:
        self.device = torch.device(device)
        self.precision, self.dtype = precision, resolve_precision(precision, self.device)
        model = copy.deepcopy(network.model).to(self.device, self.dtype)
        self._model = model.to(memory_format=torch.channels_last)
        if self.device.type == "cpu":
            _for_cpu(self._model)

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Return stylised images, the same for each image whatever N.

        Args:
            images: N x 3 x H x W, 0 to 1.

        Returns:
            N x 3 x H x W, 0 to 1, float32, on the device.

        Raises:
            NstError: If an image is smaller than `FEEDFORWARD_SIDE` px.
        """
        check_size(*images.shape[-2:])
        images = images.to(self.device, self.dtype, memory_format=torch.channels_last)
        with on(self.device), float32_products(self.precision):
            return self._model(images).float().clamp(0, 1)  # type: ignore[no-any-return]

    @property
    def convolution(self) -> str:
        """ "winograd" if any layer has run so, else "plain"."""
        fast = (
            module for module in self._model.modules() if isinstance(module, feedforward_cpu.Convolution3x3)
        )
        return "winograd" if any(module.has_run for module in fast) else "plain"


def check_size(height: int, width: int) -> None:
    """Check that an image is large enough for padding by reflection.

    Raises:
        NstError: If it is too small.
    """
    if min(height, width) < FEEDFORWARD_SIDE:
        raise NstError(
            f"an image of {width}x{height} pixels is too small: at least {FEEDFORWARD_SIDE} a side"
        )
