"""Sections that ask where an evaluation's time goes, piece by piece against the roofline; and training."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.gpu.bench import Bench, picture, to_conv5_1
from benchmarks.gpu.report import Found, Report, filled
from generator.nst import losses, transport
from generator.nst.feedforward.training import LOSSES, Settings, train
from generator.nst.gpu import layers, taps
from generator.nst.gpu.precision import wide
from generator.nst.network import resolve_precision
from generator.nst.optimise.optimisers import Lbfgs, LbfgsB

Piece = tuple[Callable[[], object], float, float]


def pieces(bench: Bench, report: Report) -> Found:
    """Each piece of an evaluation beside the least that its products and its bytes allow by the rates above.

    "In one" is a convolution with its ReLU in one kernel. Layers run forwards and backwards.
    """
    count, size = (2, 32) if bench.tiny else (25, 512)
    dtype = resolve_precision("auto", bench.device)
    found: Found = {}
    for name, make in {**_layers(bench, count, size, dtype), **_losses(bench, count, size, dtype)}.items():
        found[name] = report.told(partial(_timed, bench, make))
    for name, make in _steps(bench, count, size).items():
        found[name] = report.told(partial(_timed, bench, make))
    keys = ("ms", "least ms", "share")
    report.say(f"{count} cells of {size} px, {str(dtype).removeprefix('torch.')}.")
    report.table(("", *keys), [(name, *filled(each, keys)) for name, each in found.items()])
    return found


def _timed(bench: Bench, make: Callable[[], Piece]) -> Found:
    work, flop, size = make()
    seconds = bench.median(work, rounds=5, warm=2)
    rates = bench.rates
    least = max(flop / rates["bf16"] if "bf16" in rates else 0.0, size / rates.get("copy", float("inf")))
    return {"ms": seconds * 1e3, "least ms": least * 1e3, "share": least / seconds}


def _activations(bench: Bench, count: int, channels: int, side: int, dtype: torch.dtype) -> Tensor:
    values = torch.rand(count, channels, side, side, device=bench.device).to(dtype)
    return values.contiguous(memory_format=torch.channels_last)


def _layers(bench: Bench, count: int, size: int, dtype: torch.dtype) -> dict[str, Callable[[], Piece]]:
    """Return each convolution with its ReLU, plain and in one, forwards and backwards; the bytes are each tensor's once."""
    made: dict[str, Callable[[], Piece]] = {}
    side = size
    for number, name in enumerate(to_conv5_1()):
        side //= 2 if number and name.endswith("_1") else 1
        outputs, inputs = bench.weights.tensors[f"{name}.weight"].shape[:2]
        if name != "conv1_1":
            for kind in ("plain", "in one"):
                made[f"{name}, {kind}"] = partial(
                    _layer, bench, name, kind, (count, int(inputs), int(outputs), side), dtype
                )
    return made


def _layer(bench: Bench, name: str, kind: str, shape: tuple[int, int, int, int], dtype: torch.dtype) -> Piece:
    count, inputs, outputs, side = shape
    weight = bench.weights.tensors[f"{name}.weight"].to(bench.device, dtype)
    weight = weight.contiguous(memory_format=torch.channels_last)
    bias = bench.weights.tensors[f"{name}.bias"].to(bench.device, dtype)
    value = _activations(bench, count, inputs, side, dtype).requires_grad_()
    gradient = _activations(bench, count, outputs, side, dtype)

    def work() -> None:
        if kind == "plain":
            found = F.relu(F.conv2d(value, weight, bias, padding=1), inplace=True)
        else:
            found = layers.convolved(value, weight, bias, 1, pool=False)
        torch.autograd.grad(found, value, gradient)

    size = 2 * (value.numel() + 2 * gradient.numel()) * value.element_size()
    return work, 4 * 9 * inputs * outputs * count * side**2, size


def _losses(bench: Bench, count: int, size: int, dtype: torch.dtype) -> dict[str, Callable[[], Piece]]:
    made: dict[str, Callable[[], Piece]] = {}
    for block, channels in enumerate((64, 128, 256, 512)):
        wide = bench.weights.tensors[f"conv{block + 1}_1.weight"].shape[0]
        made[f"Gram of {channels} channels"] = partial(_gram, bench, count, int(wide), size >> block, dtype)
    for roots in (transport.by_eigenvalues, transport.by_iteration):
        made[f"roots of 512 channels, {roots.__name__}"] = partial(_roots, bench, count, roots)
    return made


def _gram(bench: Bench, count: int, channels: int, side: int, dtype: torch.dtype) -> Piece:
    value = _activations(bench, count, channels, side, dtype)
    return partial(taps.gram, value), 2 * channels**2 * count * side**2, value.numel() * value.element_size()


def _roots(bench: Bench, count: int, roots: transport.Roots) -> Piece:
    channels = 16 if bench.tiny else 512
    value = torch.randn(count, channels, 2 * channels, device=bench.device)
    matrix = value @ value.transpose(1, 2)
    flop = count * 2 * channels**3 * (3 * len(transport.STEPS) + 2)
    return partial(roots, matrix, matrix), flop, 8 * matrix.numel()


def _steps(bench: Bench, count: int, size: int) -> dict[str, Callable[[], Piece]]:
    def step(make: Callable[..., Lbfgs | LbfgsB], pairs: int) -> Piece:
        start = torch.rand(count, 3 * size**2, device=bench.device)
        optimiser = make(start, memory=pairs)

        def work() -> None:
            optimiser.tell(
                (optimiser.x.to(wide(bench.device)) ** 2).sum(1), 2 * optimiser.x + torch.rand_like(start)
            )

        for _ in range(pairs + 2):
            work()
        return work, 0.0, 4 * start.numel() * (4 * pairs + 10)

    images = picture(1, size).to(bench.device)[None].repeat(count, 1, 1, 1) * 255

    def variation() -> Piece:
        value = images.clone().requires_grad_()

        def work() -> None:
            torch.autograd.grad(losses.total_variation(value, "keras").sum(), value)

        return work, 0.0, 8 * value.numel()

    return {
        "L-BFGS-B, 10 pairs": partial(step, LbfgsB, 3 if bench.tiny else 10),
        "L-BFGS, 10 pairs": partial(step, Lbfgs, 3 if bench.tiny else 10),
        "total variation": variation,
    }


def training(bench: Bench, report: Report) -> Found:
    """Milliseconds of a step of training a one-pass network, photographs read from memory."""
    found: Found = {}
    for crop, batch, width in ((32, 1, 4),) if bench.tiny else ((256, 4, 32), (256, 16, 32)):
        found[f"{batch} of {crop} px"] = report.told(partial(_trained, bench, crop, batch, width))
    keys = ("ms a step", "images/s", "peak GB")
    report.table(("", *keys), [(name, *filled(each, keys)) for name, each in found.items()])
    return found


def _trained(bench: Bench, crop: int, batch: int, width: int) -> Found:
    steps = 4 if bench.tiny else 40
    photograph = (picture(3, 2 * crop) * 255).to(torch.uint8)
    settings = Settings(
        losses=LOSSES, crop=crop, steps=steps, batch=batch, width=width, blocks=1 if bench.tiny else 5
    )
    seen: list[float] = []
    bench.forget_peak()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        _, curve = train(
            picture(2, crop),
            [Path("photograph")],
            lambda path: photograph,
            settings,
            weights=bench.weights,
            checkpoint=Path(folder) / "checkpoint",
            identity="benchmark",
            device=bench.device,
            checkpoint_every=steps,
            loaders=0,
            callback=lambda at: seen.append(time.perf_counter()),
        )
    # Every tenth step is looked at, and the last: the first ones warm up.
    first, last = (started, seen[-1]) if len(seen) < 2 else (seen[0], seen[-1])
    done = steps if len(seen) < 2 else steps - 10
    seconds = (last - first) / done
    return {
        "ms a step": seconds * 1e3,
        "images/s": batch / seconds,
        "peak GB": bench.peak() / 1e9,
        "loss": curve.style[-1],
    }
