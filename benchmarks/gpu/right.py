"""Sections that ask whether a device gives what the CPU gives in float32."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F

from benchmarks.gpu.bench import (
    CPU,
    Bench,
    apart,
    grid,
    neural_style,
    objective_of,
    patel,
    picture,
    start_of,
)
from benchmarks.gpu.report import Found, Report, filled, tidy
from generator.nst import Cell, Recipe, Result, Style, preset, transfer_batch
from generator.nst.feedforward.network import Network, Stylist, TransformNet
from generator.nst.gpu.precision import float32_products
from generator.nst.recipes import footprint

PRECISIONS = ("fp32", "tf32", "bf16")


# How far a gradient may be from the CPU's, relative to its length: roundings add up over 13 layers, a fault is off by more.
_LIMITS = {"fp32": 1e-3, "tf32": 2e-2, "bf16": 1e-1}
# Eigenvalues in float32 are off by up to 5 % themselves.
_WASSERSTEIN_LIMIT = 6e-2


def _limit(recipe: Recipe, precision: str) -> float:
    return max(_LIMITS[precision], _WASSERSTEIN_LIMIT if recipe.style_loss == "wasserstein" else 0.0)


def precisions(bench: Bench) -> tuple[str, ...]:
    """Return those worth a try; on a CPU bfloat16 may take minutes."""
    return PRECISIONS if bench.is_cuda else PRECISIONS[:2]


def gradients(bench: Bench, report: Report) -> Found:
    """Losses and gradients of three cells at one point, beside the CPU's in float32.

    Terms and gradient: distance from the CPU's, relative to its length. Cosine: of the worst cell's gradients.
    """
    size = 48 if bench.tiny else 128
    content, style = picture(1, size), picture(2, size)
    kinds = {
        "gram": patel(size, 10),
        "average pooling, replicated": patel(size, 10, pooling="average", padding="replicate"),
        "wasserstein": patel(size, 10, style_loss="wasserstein"),
        "patches": patel(size, 10, style_loss="patches", style_layers=("conv3_1", "conv4_1")),
    }
    found: Found = {}
    for kind, recipe in kinds.items():
        cells = grid(recipe, content, style, 3)
        reference, mean = objective_of(bench, cells, size, CPU, "fp32")
        terms, gradient = reference(start_of(bench, 3, size, mean))

        def compare(
            precision: str,
            cells: list[Cell] = cells,
            terms=terms,
            gradient: torch.Tensor = gradient,
            recipe: Recipe = recipe,
        ) -> Found:
            with float32_products(precision):
                objective, mean = objective_of(bench, cells, size, bench.device, precision)
                here, slopes = objective(start_of(bench, 3, size, mean))
            cosine = F.cosine_similarity(slopes.cpu().double().flatten(1), gradient.double().flatten(1))
            return {
                "terms": apart(here, terms),
                "gradient": apart(slopes, gradient),
                "cosine": float(cosine.min()),
                "limit": (limit := _limit(recipe, precision)),
                "right": apart(slopes, gradient) <= limit,
            }

        for precision in precisions(bench):
            found[f"{kind}, {precision}"] = report.told(partial(compare, precision))
    _rows(report, found, ("terms", "gradient", "limit", "right", "cosine"))
    return found


def _rows(report: Report, found: Found, keys: Sequence[str]) -> None:
    rows = [(name, *filled(each, keys)) for name, each in found.items()]
    report.table(("", *keys), rows)


def _last(result: Result) -> float:
    return sum(values[-1] for values in result.curve.values())


def images(bench: Bench, report: Report) -> Found:
    """Whole transfers beside the CPU's in float32: the last loss, and the mean difference of the images in grey levels of 255.

    Roundings send an optimiser another way. A few grey levels and percent are chance, a failure is none.
    """
    size, count = (40, 3) if bench.tiny else (96, 40)
    content, style = picture(1, size), picture(2, size)
    mask = torch.zeros(1, size, size)
    mask[:, :, : size // 2] = 1
    masked = (Style(style, 1.0, mask), Style(picture(3, size), 1.0, 1 - mask))
    kinds = {
        "lbfgs-b": Cell(content, style, patel(size, count), 1),
        "lbfgs": Cell(content, style, neural_style(size, count), 1),
        "adam": Cell(content, style, patel(size, count, optimiser="adam", learning_rate=5.0, clamp=True), 1),
        "modern": Cell(
            content, style, preset("modern").replace(size=size, evaluations=count, pyramid_min=size // 2), 1
        ),
        "masks": Cell(content, masked, patel(size, count), 1),
        "wasserstein": Cell(content, style, patel(size, count // 2, style_loss="wasserstein"), 1),
        "patches": Cell(
            content, style, patel(size, count // 2, style_loss="patches", style_layers=("conv3_1",)), 1
        ),
    }
    found: Found = {}
    for kind, cell in kinds.items():
        expected = _made(bench, cell, "fp32", CPU)

        def compare(precision: str, cell: Cell = cell, expected: Result = expected) -> Found:
            here = _made(bench, cell, precision, bench.device)
            return {
                "last loss": f"{_last(here) / _last(expected) - 1:+.2%}",
                "grey levels": float((here.image - expected.image).abs().mean()) * 255,
                "failure": here.failure,
                "seconds": here.seconds,
            }

        for precision in precisions(bench):
            found[f"{kind}, {precision}"] = report.told(partial(compare, precision))
    _rows(report, found, ("last loss", "grey levels", "failure", "seconds"))
    return found


def _made(bench: Bench, cell: Cell, precision: str, device: torch.device) -> Result:
    cell = replace(cell, recipe=cell.recipe.replace(precision=precision))
    return transfer_batch([cell], weights={cell.recipe.network: bench.weights}, device=device)[0]


def exact(bench: Bench, report: Report) -> Found:
    """Each recipe twice, exact and not: whether the bits are the same, and the largest difference in grey levels of 255."""
    size, count = (40, 2) if bench.tiny else (128, 30)
    content, style = picture(1, size), picture(2, size)
    kinds: dict[str, Recipe] = {
        "lbfgs-b, bf16": patel(size, count, precision=precisions(bench)[-1]),
        "lbfgs-b, fp32": patel(size, count, precision="fp32"),
        "replicated, pyramid": preset("modern").replace(
            size=size, evaluations=count, pyramid_min=size // 2, padding="replicate"
        ),
        "average pooling": patel(size, count, pooling="average"),
        "wasserstein": patel(size, max(2, count // 3), style_loss="wasserstein"),
        "patches": patel(size, max(2, count // 3), style_loss="patches", style_layers=("conv3_1",)),
        "adam": patel(size, count, optimiser="adam", clamp=True),
    }
    found: Found = {}
    for kind, recipe in kinds.items():
        for mode in (True, False):
            cells = [Cell(content, style, recipe, 1)]
            found[f"{kind}, exact={mode}"] = report.told(partial(_twice, bench, cells, exact=mode))
    _rows(report, found, ("same bits", "largest difference", "warnings"))
    return found


def _twice(bench: Bench, cells: list[Cell], *, exact: bool) -> Found:
    networks = {cells[0].recipe.network: bench.weights}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first, second = (
            transfer_batch(cells, weights=networks, device=bench.device, exact=exact)[0].image
            for _ in range(2)
        )
    return {
        "same bits": bool(torch.equal(first, second)),
        "largest difference": float((first - second).abs().max()) * 255,
        "warnings": "; ".join(sorted({str(each.message)[:160] for each in caught})),
    }


def out_of_memory(bench: Bench, report: Report) -> Found:
    """Bytes a pixel of a cell, measured and planned; then runs with a share of the memory that they want.

    Loss: beside that of the same run with all memory.
    """
    size, count = (32, 3) if bench.tiny else (512, 9)
    content, style = picture(1, size), picture(2, size)
    found: Found = {}
    for precision in precisions(bench):
        bench.forget_peak()
        recipe = patel(size, 12, precision=precision)
        transfer_batch(grid(recipe, content, style, count), weights=bench.networks, device=bench.device)
        found[precision] = {
            "bytes a pixel": bench.peak() / count / size**2,
            "planned": footprint.bytes_per_pixel(recipe, "bf16" if precision == "bf16" else "fp32", 10),
        }
    _rows(report, found, ("bytes a pixel", "planned"))
    if bench.is_cuda:
        starved = {
            f"{cells} cells, {side} px, {share:.0%}": report.told(
                partial(_starved, bench, cells, side, share)
            )
            for cells, side, share in ((9, 256, 0.5), (9, 256, 0.12), (1, 1024, 0.5), (1, 1024, 0.3))
        }
        _rows(report, starved, ("notes", "loss"))
        found |= starved
    return found


def _starved(bench: Bench, count: int, size: int, share: float) -> Found:
    cells = grid(patel(size, 6), picture(1, size), picture(2, size), count)
    tidy()
    bench.forget_peak()
    free = transfer_batch(cells, weights=bench.networks, device=bench.device)
    need, total = bench.peak(), torch.cuda.get_device_properties(bench.device).total_memory
    tidy()
    torch.cuda.set_per_process_memory_fraction(min(1.0, need * share / total), bench.device)
    try:
        made = transfer_batch(cells, weights=bench.networks, device=bench.device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, bench.device)
    return {"notes": made[0].notes, "loss": f"{_last(made[0]) / _last(free[0]) - 1:+.2%}", "need": need}


def one_pass(bench: Bench, report: Report) -> Found:
    """The one-pass network: the largest difference from the CPU's image in grey levels of 255, and milliseconds."""
    torch.manual_seed(0)
    network = Network("random", _transform(bench).eval().requires_grad_(False), "", {})
    image = picture(5, 64 if bench.tiny else 256)[None]
    expected, found = Stylist(network, CPU, "fp32")(image), {}
    for precision in precisions(bench):
        stylist = Stylist(network, bench.device, precision)
        found[precision] = {"grey levels": float((stylist(image).cpu() - expected).abs().max()) * 255}
        for size, count in ((32, 1),) if bench.tiny else ((512, 1), (512, 8), (1024, 1)):
            batch = torch.rand(count, 3, size, size, device=bench.device)
            seconds = bench.median(partial(stylist, batch), 20)
            found[precision][f"ms, {count} of {size} px"] = seconds * 1e3
    _rows(report, found, list(next(iter(found.values()))))
    return found


def _transform(bench: Bench) -> TransformNet:
    return TransformNet(width=4, blocks=1) if bench.tiny else TransformNet()
