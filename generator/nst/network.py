"""VGG as a feature extractor: frozen, cut at the deepest layer that is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from generator.nst import tiles
from generator.nst.cpu import winograd
from generator.nst.gpu import layers, ways
from generator.nst.gpu.precision import multiplies_bf16
from generator.nst.recipes.errors import LayerError
from generator.nst.recipes.layers import names
from generator.nst.recipes.recipe import Recipe
from generator.nst.weights.registry import Weights

Visit = Callable[[str, Tensor], Tensor]


def supports_bf16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 in hardware; without it bfloat16 is tens of times slower."""
    if device.type == "cuda":
        return multiplies_bf16(device)
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """Return the dtype in which the network runs.

    "auto" is float32 on every CPU, so that images keep their bits; with AMX bfloat16 would be faster.

    Args:
        precision: A recipe's: "auto", "fp32", "tf32" or "bf16".
        device: Where the network runs.

    Returns:
        torch.float32 or torch.bfloat16.
    """
    if precision == "auto":
        precision = "bf16" if device.type != "cpu" and supports_bf16(device) else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def seeks_in_bf16(precision: str, device: torch.device) -> bool:
    """Return whether features are compared in bfloat16 where only the choice of the nearest depends on it.

    "auto" does so on every device that multiplies it in hardware, but in exact mode.

    Args:
        precision: A recipe's: "auto", "fp32", "tf32" or "bf16".
        device: Where the features are.
    """
    if precision == "auto":
        return supports_bf16(device) and not torch.are_deterministic_algorithms_enabled()
    return precision == "bf16"


class Vgg:
    """VGG's convolutions up to the deepest of `taps` (Simonyan and Zisserman 2015, arXiv 1409.1556).

    Args:
        weights: Weights of VGG-16 or VGG-19.
        taps: Canonical names of the layers to read: `relu3_1`, `conv4_2`, `pool2`.
        pooling: "max" or "average".
        padding: Of the first convolution, "zero" or "replicate". The latter keeps a frame from growing round the image.
        dtype: float32 or bfloat16. The first convolution reads the image in float32 in either case, or bfloat16's 8 bits
            would round the image itself.
        device: Where it runs.
        plain: Use PyTorch's own convolutions only. Otherwise Winograd's serve where they are faster.

    Attributes:
        forgetful: Keep a block's input only and compute the block again for the gradient (Chen et al. 2016,
            arXiv 1604.06174): the same values with less memory and a third more work.
        tile: Side in px, a multiple of 16, of the tiles in which larger images go through (see `tiles`); 0: whole.
        steps: Names of the layers that run, in order.

    Raises:
        LayerError: If the network has no such layer, or the weights lack one.
    """

    def __init__(
        self,
        weights: Weights,
        taps: Iterable[str],
        *,
        pooling: str = "max",
        padding: str = "zero",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        plain: bool = False,
    ) -> None:
        self.weights, self.pooling, self.padding, self.dtype = weights, pooling, padding, dtype
        self.taps = frozenset(taps)
        self.device, self.plain = torch.device(device), plain
        self.ways = ways.NONE
        self.forgetful = False
        self.tile = 0
        order = names(weights.architecture)
        if unknown := self.taps - set(order):
            raise LayerError(f"{weights.architecture} has no layer {', '.join(sorted(unknown))}")
        self.steps = order[: max((order.index(tap) for tap in self.taps), default=-1) + 1]
        self._kernels: dict[str, tuple[Tensor, Tensor]] = {}
        for step in self.steps:
            if step.startswith("conv"):
                self._kernels[step] = self._kernel(step)
        self._halves: tuple[Tensor, Tensor] | tuple[()] = ()
        self._fast: dict[str, winograd.Convolution] = {}

    def _kernel(self, step: str) -> tuple[Tensor, Tensor]:
        tensors = self.weights.tensors
        if f"{step}.weight" not in tensors:
            raise LayerError(f"the weights {self.weights.name} lack {step}")
        dtype = torch.float32 if step == "conv1_1" else self.dtype
        weight = tensors[f"{step}.weight"].to(self.device, dtype)
        return weight.contiguous(memory_format=torch.channels_last), tensors[f"{step}.bias"].to(
            self.device, dtype
        )

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Return each tap's activations.

        Args:
            image: Pre-processed RGB images, N x 3 x H x W (see `Preprocessing`).

        Returns:
            For each tap N x C x h x w in the network's dtype, h and w being H and W divided by the poolings before it.
        """
        image = image.float()
        if self.tile and max(image.shape[2:]) > self.tile:
            return tiles.features(self._whole, image, tiles.Reach.of(self.steps, self.taps), self.tile)
        return self._whole(image)

    def visited(self, image: Tensor, visit: Visit) -> None:
        """Run through an image as a whole.

        Args:
            image: As for a call.
            visit: Called with each tap's name and activations. What it returns goes on to the next layer.
        """
        self._run(image.float().contiguous(memory_format=torch.channels_last), self.steps, visit)

    def _whole(self, image: Tensor) -> dict[str, Tensor]:
        value = image.contiguous(memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for block in self._blocks() if self.forgetful else [self.steps]:
            if self.forgetful:
                value, read = checkpoint(self._run, value, block, use_reentrant=False)
            else:
                value, read = self._run(value, block)
            found |= read
        return found

    def _blocks(self) -> list[list[str]]:
        """Return the steps, parted after each pooling, where the least is to be kept."""
        ends = [at + 1 for at, step in enumerate(self.steps) if step.startswith("pool")]
        return [self.steps[start:end] for start, end in zip([0, *ends], [*ends, None], strict=True)]

    def _run(
        self, value: Tensor, steps: Sequence[str], visit: Visit | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the output of some steps and their taps."""
        found: dict[str, Tensor] = {}
        left = list(steps)
        while left:
            value, done = self._step(value, left)
            if done[-1] in self.taps:
                value = value if visit is None else visit(done[-1], value)
                found[done[-1]] = value
            del left[: len(done)]
        return value, found

    def _step(self, value: Tensor, left: Sequence[str]) -> tuple[Tensor, Sequence[str]]:
        """Return what the next step makes of a value, or the next steps where one function does them all; and which they are."""
        step = left[0]
        if step.startswith("conv") and ways.FUSED in self.ways and self._is_fusible(left):
            return self._fused_step(value, left)
        if (
            step.startswith("relu")
            and self.pooling == "max"
            and step not in self.taps
            and _is_pool(left[1:2])
        ):
            # The largest value rectified is the largest of rectified ones: the same bits, and a quarter of the work.
            value = F.max_pool2d(value, 2).relu_()
            return value, left[:2]
        if step.startswith("relu"):
            # In place unless the value before it is asked for too.
            value = F.relu(value, inplace=step.replace("relu", "conv") not in self.taps)
        elif step.startswith("pool"):
            value = F.max_pool2d(value, 2) if self.pooling == "max" else F.avg_pool2d(value, 2)
        elif (
            step == "conv1_1"
            or self.plain
            or not winograd.is_faster(self._kernels[step][0], *value.shape[2:])
        ):
            value = self._convolve(step, value)
        else:
            return self._fast_step(value, left)
        return value, left[:1]

    def _is_fusible(self, left: Sequence[str]) -> bool:
        """Return whether a convolution goes to its ReLU and nowhere else, in the network's precision."""
        same = left[0] != "conv1_1" or self.dtype == torch.float32 or ways.HALVES in self.ways
        return same and left[0] not in self.taps and bool(left[1:]) and left[1].startswith("relu")

    def _fused_step(self, value: Tensor, left: Sequence[str]) -> tuple[Tensor, Sequence[str]]:
        """Convolve with the ReLU, and with the largest of 2 x 2 after it where nothing between them is asked for."""
        pools = left[1] not in self.taps and self.pooling == "max" and _is_pool(left[2:3])
        value, weight, bias, padding = (
            self._first(value) if left[0] == "conv1_1" else self._other(left[0], value)
        )
        made = layers.convolved(value, weight, bias, padding, pool=pools)
        return made, left[: 3 if pools else 2]

    def _other(self, step: str, value: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        return value, *self._kernels[step], 1

    def _first(self, value: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        """Return what the first convolution reads, its kernel and bias, and the zeros on each side."""
        weight, bias = self._kernels["conv1_1"]
        padding = 1
        if self.padding == "replicate":
            value, padding = replicated(value), 0
        if ways.HALVES not in self.ways:
            return value, weight, bias, padding
        if not self._halves:
            self._halves = (layers.for_halves(weight), bias.to(torch.bfloat16))
        return layers.halves(value), *self._halves, padding

    def _convolve(self, step: str, value: Tensor) -> Tensor:
        weight, bias = self._kernels[step]
        if step == "conv1_1":
            value, weight, bias, padding = self._first(value)
            return F.conv2d(value, weight, bias, padding=padding).to(self.dtype)
        return F.conv2d(value, weight, bias, padding=1)

    def _fast_step(self, value: Tensor, left: Sequence[str]) -> tuple[Tensor, Sequence[str]]:
        """Convolve by Winograd's algorithm; with the ReLU and the pooling after it where nothing between them is asked for."""
        step = left[0]
        if step not in self._fast:
            self._fast[step] = winograd.Convolution(*self._kernels[step])
        done = [step]
        for after in left[1:3]:
            if done[-1] in self.taps or after.startswith("conv"):
                break
            done.append(after)
        pooling = self.pooling if done[-1].startswith("pool") else ""
        return self._fast[step](value, relu=len(done) > 1, pooling=pooling), done

    def bits(self, images: int, height: int, width: int) -> str:
        """Return a hash of the gradient of fixed images: it tells whether the same kernels run as before."""
        generator = torch.Generator().manual_seed(0)
        noise = torch.rand(images, 3, height, width, generator=generator) * 255 - 128
        image = noise.to(self.device).requires_grad_()
        found = self._whole(image)
        (gradient,) = torch.autograd.grad([value.float().sum() for value in found.values()], image)
        return hashlib.sha256(gradient.cpu().numpy().tobytes()).hexdigest()

    @property
    def convolution(self) -> str:
        """ "winograd" if any layer has run so, else "plain"."""
        return "winograd" if self._fast else "plain"

    def __repr__(self) -> str:
        last = self.steps[-1] if self.steps else "nothing"
        return (
            f"Vgg({self.weights.name} to {last}, taps {sorted(self.taps)}, {self.pooling} pooling,"
            f" {self.padding} padding, {str(self.dtype).removeprefix('torch.')} on {self.device})"
        )


def network_of(
    recipe: Recipe, weights: Weights, taps: Iterable[str], dtype: torch.dtype, device: torch.device
) -> Vgg:
    """Return the network of a recipe; in exact mode with PyTorch's own convolutions."""
    return Vgg(
        weights,
        taps,
        pooling=recipe.pooling,
        padding=recipe.padding,
        dtype=dtype,
        device=device,
        plain=torch.are_deterministic_algorithms_enabled(),
    )


def _is_pool(after: Sequence[str]) -> bool:
    return bool(after) and after[0].startswith("pool")


def replicated(image: Tensor) -> Tensor:
    """Return an image with its border repeated once on each side.

    It is built of slices, so its gradient is deterministic.

    Args:
        image: N x C x H x W.

    Returns:
        N x C x (H + 2) x (W + 2).
    """
    wide = torch.cat([image[..., :1], image, image[..., -1:]], dim=-1)
    return torch.cat([wide[..., :1, :], wide, wide[..., -1:, :]], dim=-2)
