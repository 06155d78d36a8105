"""The device under test, its clock, and the pictures, weights and cells that every section uses."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import classic
from generator.nst import Cell, Recipe, Style, Weights, prepare, preset, weights_hash
from generator.nst.network import Vgg, resolve_precision
from generator.nst.objective import Objective
from generator.nst.recipes.layers import convolutions
from generator.nst.recipes.networks import TORCH
from generator.nst.targets import Reference
from generator.nst.weights.registry import load

CPU = torch.device("cpu")


@dataclass
class Bench:
    """What is measured with what.

    Attributes:
        device: The device under test.
        weights: Weights of VGG-16, at least to conv5_1.
        tiny: Whether this is a rehearsal with tiny sizes.
        folder: Where results go.
        rates: FLOP/s of a large product by kind ("bf16", "fp32") and bytes/s of a copy ("copy"), once measured.
    """

    device: torch.device
    weights: Weights
    tiny: bool
    folder: Path
    rates: dict[str, float] = field(default_factory=dict)

    @property
    def is_cuda(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.type == "cuda"

    @property
    def networks(self) -> dict[str, Weights]:
        """The weights by the recipes' network names, as `transfer_batch` takes them."""
        return {"vgg16": self.weights}

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def median(self, work: Callable[[], object], rounds: int = 10, warm: int = 3) -> float:
        """Return the median seconds of some work: by events on a GPU, by the clock elsewhere.

        Args:
            work: What to time.
            rounds: Rounds that count.
            warm: Rounds before them that do not.
        """
        rounds, warm = (2, 1) if self.tiny else (rounds, warm)
        for _ in range(warm):
            work()
        self.wait()
        return statistics.median(self._once(work) for _ in range(rounds))

    def _once(self, work: Callable[[], object]) -> float:
        if not self.is_cuda:
            started = time.perf_counter()
            work()
            self.wait()
            return time.perf_counter() - started
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        work()
        last.record()
        last.synchronize()
        return float(first.elapsed_time(last)) / 1e3

    def forget_peak(self) -> None:
        """Start anew to watch the peak of the device's memory."""
        if self.is_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """Return the peak of the device's memory in bytes; 0 on a CPU."""
        return torch.cuda.max_memory_allocated(self.device) if self.is_cuda else 0


def chosen_weights(name: str) -> Weights:
    """Return the network vgg16 of var/weights, a file's weights, or random ones of VGG-16's shapes for "random"."""
    if name == "random":
        return random_weights()
    return load(name, Path("var/weights"))


def random_weights(width: int = 64) -> Weights:
    """Return random weights of VGG-16 to conv5_1.

    Args:
        width: Channels of the first block; VGG-16's are 64.
    """
    generator, tensors, inputs = torch.Generator().manual_seed(0), {}, 3
    for name in to_conv5_1():
        outputs = min(width * 2 ** (int(name[4]) - 1), 8 * width)
        tensors[f"{name}.weight"] = (
            torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
        )
        tensors[f"{name}.bias"] = torch.zeros(outputs)
        inputs = outputs
    return Weights("random", "vgg16", tensors, TORCH, weights_hash(tensors))


def to_conv5_1() -> list[str]:
    """Return the convolutions that every recipe here needs."""
    names = list(convolutions("vgg16"))
    return names[: names.index("conv5_1") + 1]


def picture(seed: int, side: int) -> Tensor:
    """Return a picture 3 x side x side, 0..1, with large, middle and fine structure."""
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.rand(1, 3, *([each] * 2), generator=generator) for each in (6, 24, side)]
    low, middle, fine = (F.interpolate(part, size=(side, side), mode="bicubic") for part in parts)
    return (0.6 * low + 0.3 * middle + 0.1 * fine)[0].clamp(0, 1)


def neural_style(size: int, evaluations: int, **more: object) -> Recipe:
    """Return what `benchmarks.generate` calls neural-style: L-BFGS with 100 pairs.

    Args:
        size: Side of the image in px.
        evaluations: Evaluations of the loss.
        more: Other settings of the recipe.
    """
    settings: dict[str, object] = {
        "network": "vgg16",
        "tv_form": "l1",
        "shape": "square",
        "init": "content",
    } | more
    return preset("neural-style").replace(size=size, evaluations=evaluations, **settings)


def patel(size: int, evaluations: int, **more: object) -> Recipe:
    """Return the preset patel2019, started from the content. Arguments as for `neural_style`."""
    return preset("patel2019").replace(size=size, evaluations=evaluations, **({"init": "content"} | more))


def grid(recipe: Recipe, content: Tensor, style: Tensor, count: int) -> list[Cell]:
    """Return cells that differ in content layer and weight, as the grid of Patel 2019."""
    cells = [Cell(content, style, recipe, 1)]
    for number in range(1, count):
        layer, weight = classic.STYLE_LAYERS[number % 5], recipe.alpha * (1 + number // 5)
        cells.append(Cell(content, style, recipe.replace(content_layers=(layer,), alpha=weight), 1))
    return cells


def objective_of(
    bench: Bench, cells: list[Cell], size: int, device: torch.device, precision: str
) -> tuple[Objective, Tensor]:
    """Return the Objective that a transfer of some cells minimises.

    Args:
        bench: Gives the weights.
        cells: Cells of one recipe but for layers and weights.
        size: Side of the image in px.
        device: Where it runs.
        precision: A recipe's: "auto", "fp32", "tf32" or "bf16".

    Returns:
        The Objective, and the mean that its images lack, 3 x 1 x 1.
    """
    recipe, weights = cells[0].recipe, bench.weights
    taps = {tap for cell in cells for named in cell.recipe.taps for tap in named}
    network = Vgg(
        weights,
        taps,
        pooling=recipe.pooling,
        padding=recipe.padding,
        dtype=resolve_precision(precision, device),
        device=device,
        plain=device == CPU,
    )
    mean, deviation = (
        torch.tensor(values, device=device)[:, None, None]
        for values in (weights.preprocessing.mean, weights.preprocessing.deviation)
    )
    brought: dict[int, Tensor] = {}

    def centred(image: Tensor) -> Tensor:
        if id(image) not in brought:
            brought[id(image)] = prepare.resize(image, (size, size)).to(device) * 255 - mean
        return brought[id(image)]

    references = [
        Reference(
            cell.recipe,
            centred(cell.content),
            tuple(Style(centred(style.image), style.weight) for style in cell.styles),
        )
        for cell in cells
    ]
    return Objective(network, deviation, references), mean


def start_of(bench: Bench, count: int, size: int, mean: Tensor) -> Tensor:
    """Return images to evaluate at, count x 3 x size x size, 0 to 255 less `mean`, on the mean's device."""
    images = torch.stack([picture(20 + number % 3, size) for number in range(count)])
    return images.to(mean.device) * 255 - mean


def apart(found: Tensor, expected: Tensor) -> float:
    """Return the distance of two tensors relative to the second's length."""
    found, expected = (each.detach().cpu().double() for each in (found, expected))
    return float((found - expected).norm() / expected.norm().clamp(min=1e-300))


def flop(weights: Weights, size: int) -> float:
    """Return the nominal FLOP of one evaluation: convolutions to conv5_1 and Gram matrices, forwards and backwards."""
    total, side = 0.0, size
    for number, name in enumerate(to_conv5_1()):
        outputs, inputs = weights.tensors[f"{name}.weight"].shape[:2]
        side //= 2 if number and name.endswith("_1") else 1
        total += 4 * 9 * inputs * outputs * side**2
        if name.endswith("_1"):
            total += 4 * outputs**2 * side**2
    return total
