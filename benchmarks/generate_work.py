"""One contender of benchmarks/generate.py in a separate process, to measure its peak memory.

Each compared program has its work (`WORKS`). This project does the same work with the same number of evaluations of
loss and gradient.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from benchmarks import classic, machine
from generator.demo.pictures import gather
from generator.files import images
from generator.nst import Cell, Progress, Recipe, load, preset, transfer, transfer_batch
from generator.nst.recipes.layers import convolutions
from generator.nst.recipes.networks import TORCH
from generator.nst.weights.registry import Weights, weights_hash

CONTENT, STYLE = "content.png", "style.png"
# Warm-up evaluations, which allocate memory and choose kernels.
WARM_UP = 2


@dataclass(frozen=True)
class Measured:
    """What one contender took. evaluation: seconds of one, of one cell; cpu: of all cores; loss: the first cell's last."""

    evaluation: float
    cpu: float
    whole: float
    peak_bytes: int
    loss: float


class Stopwatch:
    """Seconds, and processor seconds of this process, from the end of the warm-up on."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.started = time.perf_counter()
        self.count = 0

    def tick(self) -> None:
        self.count += 1
        if self.count == WARM_UP:
            machine.wait(self.device)
            self.warm, self.warm_cpu = time.perf_counter(), time.process_time()

    def stop(self, cells: int, loss: float) -> Measured:
        machine.wait(self.device)
        now, evaluations = time.perf_counter(), (self.count - WARM_UP) * cells
        return Measured(
            (now - self.warm) / evaluations,
            (time.process_time() - self.warm_cpu) / evaluations,
            now - self.started,
            peak_bytes(self.device),
            loss,
        )


def peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * (1 if sys.platform == "darwin" else 1024)


@dataclass(frozen=True)
class Work:
    """What a program of the field does in one evaluation. network: by name; recipe: of a size in px."""

    name: str
    network: str
    summary: str
    recipe: Callable[[int], Recipe]


def _neural_style(size: int) -> Recipe:
    return preset("neural-style").replace(network="vgg16", tv_form="l1")


def _style_transfer(size: int) -> Recipe:
    """crowsonkb/style-transfer-pytorch (e7e2c71): its defaults, in units of 0..255 and of the whole image."""
    return Recipe(
        network="vgg19",
        content_layers=("relu4_2",),
        style_layers=classic.STYLE_LAYERS,
        style_weights=tuple(weight / 341 for weight in (256, 64, 16, 4, 1)),
        style_loss="wasserstein",
        convention="paper",
        alpha=2 * 0.015 / (512 * (size // 8) ** 2),  # a mean of squares there
        tv_form="nine-point",
        tv_weight=2 / 255**2,
        padding="replicate",
        optimiser="adam",
        learning_rate=0.02 * 255,
        clamp=True,
        averaging=0.99,
    )


NEURAL_STYLE = Work(
    "neural-style",
    "vgg16",
    "VGG-16 to relu5_1, Gram matrices, L1 total variation, L-BFGS with 100 pairs",
    _neural_style,
)
STYLE_TRANSFER = Work(
    "style-transfer-pytorch",
    "vgg19",
    "VGG-19 to relu5_1, Wasserstein distances, nine-point total variation, Adam with averaging",
    _style_transfer,
)
WORKS = {work.name: work for work in (NEURAL_STYLE, STYLE_TRANSFER)}


def recipe(work: Work, size: int, evaluations: int, **settings: object) -> Recipe:
    """Return what this project makes of a work: a square image, from the content image."""
    return work.recipe(size).replace(
        size=size, shape="square", init="content", evaluations=evaluations, **settings
    )


def pair(options: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Return content and style as the files of `save_pair` hold them."""
    content, style = (images.to_tensor(images.read(options.pictures / name)) for name in (CONTENT, STYLE))
    return content, style


def save_pair(folder: Path, size: int) -> None:
    """Squash two of the demonstration's pictures to squares, the same pixels for every contender."""
    gather(folder)
    for source, target in (("palace.jpg", CONTENT), ("brush-strokes.png", STYLE)):
        square = images.read(folder / source).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
        square.save(folder / target)


def random_weights(architecture: str) -> Weights:
    """Return weights that keep the size of activations from layer to layer (He et al. 2015), for torchvision's input."""
    generator = torch.Generator().manual_seed(0)
    tensors, inputs = {}, 3
    for name in convolutions(architecture):
        outputs = min(64 * 2 ** (int(name[4]) - 1), 512)
        scale = (2 / (9 * inputs)) ** 0.5
        tensors[f"{name}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=generator) * scale
        tensors[f"{name}.bias"] = torch.zeros(outputs)
        inputs = outputs
    return Weights(f"random {architecture}", architecture, tensors, TORCH, weights_hash(tensors))


def flops(weights: Weights, size: int) -> float:
    """Return the nominal FLOP of one evaluation: convolutions to conv5_1 and Gram matrices, forwards and backwards."""
    total, side = 0.0, size
    for number, name in enumerate(convolutions(weights.architecture)):
        outputs, inputs = weights.tensors[f"{name}.weight"].shape[:2]
        if number and name.endswith("_1"):
            side //= 2
        total += 2 * 2 * 9 * inputs * outputs * side**2
        if name.endswith("_1"):
            total += 2 * 2 * outputs**2 * side**2
        if name == "conv5_1":
            return total
    raise ValueError("the network has no conv5_1")


def by_cell(weights: Weights, options: argparse.Namespace, precision: str = "auto") -> Measured:
    device = torch.device(options.device)
    watch, last = Stopwatch(device), [0.0]

    def told(at: Progress) -> None:
        watch.tick()
        if at.evaluation == at.evaluations:
            last[0] = at.losses()[0]

    made = recipe(WORKS[options.work], options.size, options.evaluations, precision=precision)
    transfer(*pair(options), made, seed=1, weights=weights, device=device, callback=told)
    return watch.stop(1, last[0])


def in_fp32(weights: Weights, options: argparse.Namespace) -> Measured:
    return by_cell(weights, options, "fp32")


def in_bf16(weights: Weights, options: argparse.Namespace) -> Measured:
    return by_cell(weights, options, "bf16")


def in_batch(weights: Weights, options: argparse.Namespace) -> Measured:
    """Cells that differ in content layer and content weight, as the grid of Patel 2019."""
    device = torch.device(options.device)
    watch, last = Stopwatch(device), [0.0]
    content, style = pair(options)
    made = recipe(WORKS[options.work], options.size, options.evaluations)
    cells = [Cell(content, style, made, 1)]
    for number in range(1, options.cells):
        layer, weight = classic.STYLE_LAYERS[number % 5], made.alpha * (1 + number // 5)
        cells.append(Cell(content, style, made.replace(content_layers=(layer,), alpha=weight), 1))

    def told(at: Progress) -> None:
        watch.tick()
        if at.evaluation == at.evaluations:
            last[0] = at.losses()[0]

    transfer_batch(cells, weights={made.network: weights}, device=device, callback=told)
    return watch.stop(len(cells), last[0])


def classically(weights: Weights, options: argparse.Namespace) -> Measured:
    device = torch.device(options.device)
    watch = Stopwatch(device)
    content, style = pair(options)
    loss = classic.minimise(content, style, weights, device, options.evaluations, watch.tick)
    return watch.stop(1, loss)


WAYS: dict[str, Callable[[Weights, argparse.Namespace], Measured]] = {
    "cell": by_cell,
    "fp32": in_fp32,
    "bf16": in_bf16,
    "batch": in_batch,
    "classic": classically,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--evaluations", type=int, required=True)
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of `save_pair`")
    parser.add_argument("--work", choices=WORKS, required=True)
    parser.add_argument("--weights", required=True, help="name or file of the network")
    parser.add_argument("--weights-dir", type=Path, required=True)
    options = parser.parse_args(arguments)
    from generator.making.engine import keep_freed_memory

    if options.way != "classic":
        keep_freed_memory()
    print(json.dumps(asdict(WAYS[options.way](load(options.weights, options.weights_dir), options))))


if __name__ == "__main__":
    main()
