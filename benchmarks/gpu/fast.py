"""Sections that ask how fast a device is, beside the classic loop and beside its own matrix product."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from benchmarks import classic, counts
from benchmarks.gpu.bench import Bench, flop, grid, neural_style, objective_of, patel, picture, start_of
from benchmarks.gpu.report import Found, Report, filled, tidy
from generator.nst import Recipe, transfer_batch
from generator.nst.gpu import graphs, ways
from generator.nst.network import Vgg, resolve_precision
from generator.nst.objective import Objective

# Evaluations of a usual image, for images an hour.
_EVALUATIONS = 200


def machine(bench: Bench, report: Report) -> Found:
    """Hardware and software."""
    found: Found = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "device": str(bench.device),
        "cores": os.cpu_count(),
        "weights": f"{bench.weights.name}, {bench.weights.sha256[:16]}",
        "auto precision": str(resolve_precision("auto", bench.device)),
    }
    if bench.is_cuda:
        card = torch.cuda.get_device_properties(bench.device)
        found |= {
            "name": card.name,
            "capability": f"{card.major}.{card.minor}",
            "multiprocessors": card.multi_processor_count,
            "memory": card.total_memory,
            "cudnn": torch.backends.cudnn.version(),
        }
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            asked = ["nvidia-smi", "--query-gpu=driver_version,clocks.sm,clocks.mem", "--format=csv,noheader"]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
            found["nvidia-smi"] = done.stdout.strip()
    report.say(*(f"- {key}: {value}" for key, value in found.items()))
    return found


def ceilings(bench: Bench, report: Report) -> Found:
    """Rates of a large matrix product and of a copy, and what a launch costs the host. Shares below refer to them."""
    side = 256 if bench.tiny else 8192
    for kind in ("bf16", "fp32"):
        left, right = (
            torch.randn(side, side, device=bench.device).to(
                torch.bfloat16 if kind == "bf16" else torch.float32
            )
            for _ in range(2)
        )
        seconds = bench.median(partial(torch.matmul, left, right), 5)
        bench.rates[kind] = 2 * side**3 / seconds
    source = torch.randn(2**18 if bench.tiny else 2**29, device=bench.device)
    target = torch.empty_like(source)
    bench.rates["copy"] = 8 * source.numel() / bench.median(lambda: target.copy_(source))
    small = torch.zeros(16, device=bench.device)
    bench.wait()
    started = time.perf_counter()
    for _ in range(1000):
        small.add_(1)
    launch = time.perf_counter() - started
    bench.wait()
    found = {**bench.rates, "microseconds a launch": launch * 1e3}
    report.say(
        *(
            f"- matrix product of {side} x {side}, {kind}: {bench.rates[kind] / 1e12:.3g} TFLOP/s"
            for kind in ("bf16", "fp32")
        ),
        f"- copy: {bench.rates['copy'] / 1e12:.3g} TB/s, read and written",
        f"- launch: {launch * 1e3:.3g} microseconds",
    )
    return found


def speed(bench: Bench, report: Report) -> Found:
    """Evaluations with their optimiser: milliseconds of one cell's, and images an hour at 200 evaluations each.

    The classic loop is `torch.optim.LBFGS` with 100 pairs, one image at a time, in float32.
    The share is that of the bfloat16 matrix rate above, by nominal FLOP of convolutions and Gram matrices.
    Peak GB is what PyTorch's tensors took.
    """
    found: Found = {}
    sizes = ((32, 3, 4),) if bench.tiny else ((512, 25, 60), (256, 25, 60))
    for size, cells, evaluations in sizes:
        for name, count, work in _contenders(bench, size, cells, evaluations):
            found[f"{size} px, {name}"] = report.told(partial(_race, bench, size, count, work))
            tidy()
    _speed_table(report, found)
    return found


def large(bench: Bench, report: Report) -> Found:
    """As "speed", at 1024 px."""
    size, cells, evaluations = (40, 2, 4) if bench.tiny else (1024, 25, 24)
    found = {
        f"{size} px, {name}": report.told(partial(_race, bench, size, count, work))
        for name, count, work in _contenders(bench, size, cells, evaluations)
        if "10 pairs" in name or "classic" in name
    }
    _speed_table(report, found)
    return found


def _speed_table(report: Report, found: Found) -> None:
    keys = ("ms", "times classic", "images/hour", "share of the matrix rate", "peak GB")
    for name, each in found.items():
        first = found.get(f"{name.partition(',')[0]}, classic loop", {})
        if "ms" in each and "ms" in first:
            each["times classic"] = first["ms"] / each["ms"]
    rows = [(name, *filled(each, keys)) for name, each in found.items()]
    report.table(("", "ms", *keys[1:]), rows)


Work = Callable[[Callable[..., None]], object]


def _contenders(bench: Bench, size: int, cells: int, evaluations: int) -> Iterator[tuple[str, int, Work]]:
    content, style = picture(1, size), picture(2, size)

    def made(recipe: Recipe, count: int) -> Work:
        batch = grid(recipe, content, style, count)
        return lambda tick: transfer_batch(batch, weights=bench.networks, device=bench.device, callback=tick)

    yield (
        "classic loop",
        1,
        lambda tick: classic.minimise(content, style, bench.weights, bench.device, evaluations, tick),
    )
    yield "cell by cell, fp32, 100 pairs", 1, made(neural_style(size, evaluations, precision="fp32"), 1)
    yield "cell by cell, 100 pairs", 1, made(neural_style(size, evaluations), 1)
    yield "cell by cell, 10 pairs", 1, made(patel(size, evaluations), 1)
    yield "cell by cell, 10 pairs, no CUDA graph", 1, _without_graphs(made(patel(size, evaluations), 1))
    yield f"{cells} cells, 100 pairs", cells, made(neural_style(size, evaluations), cells)
    yield f"{cells} cells, 10 pairs", cells, made(patel(size, evaluations), cells)
    few = max(4, evaluations // 4)
    for loss, more in (("wasserstein", {}), ("patches", {"style_layers": ("conv3_1", "conv4_1")})):
        yield f"{loss}, one cell", 1, made(patel(size, few, style_loss=loss, **more), 1)
    yield f"wasserstein, {cells} cells", cells, made(patel(size, few, style_loss="wasserstein"), cells)


def _without_graphs(work: Work) -> Work:
    def run(tick: Callable[..., None]) -> object:
        with patch.object(graphs, "are_possible", lambda device: False):
            return work(tick)

    return run


def _race(bench: Bench, size: int, count: int, work: Work) -> Found:
    """Time evaluations after a warm-up; a batch that loses cells is counted by those that it has."""
    warm, seen, began = (2 if bench.tiny else 10), [], [0.0]

    def tick(*at: Any) -> None:
        seen.append(len(at[0].cells) if at else 1)
        if len(seen) == warm:
            bench.wait()
            began[0] = time.perf_counter()

    bench.forget_peak()
    work(tick)
    bench.wait()
    seconds = (time.perf_counter() - began[0]) / max(1, sum(seen[warm:]))
    rate = flop(bench.weights, size) / seconds
    return {
        "ms": seconds * 1e3,
        "images/hour": 3600 / (seconds * _EVALUATIONS),
        "share of the matrix rate": rate / bench.rates.get("bf16", math.inf),
        "peak GB": bench.peak() / 1e9,
        "cells": count,
        "evaluations": len(seen),
    }


def steps(bench: Bench, report: Report) -> Found:
    """What each fast way brings to losses and gradients alone, without the optimiser.

    ms: of all cells. Gradient off: distance from the plain gradient, relative to its length.
    """
    found: Found = {}
    for size, cells in ((32, 2),) if bench.tiny else ((512, 25), (512, 1), (256, 25), (256, 1)):
        content, style = picture(1, size), picture(2, size)
        batch = grid(neural_style(size, 10), content, style, cells)
        for name, way in _ways(bench).items():
            found[f"{cells} of {size} px, {name}"] = report.told(partial(way, batch, size))
            tidy()
    rows = [(name, *filled(each, ("ms", "share", "gradient off"))) for name, each in found.items()]
    report.table(("", "ms", "share of the matrix rate", "gradient off"), rows)
    return found


def _ways(bench: Bench) -> dict[str, Callable[..., Found]]:
    """Return what is timed: each fast way alone, all together and all but each; then what is not used."""

    def forced(chosen: ways.Ways, batch: list, size: int) -> Found:
        with _forced(chosen):
            return _timed(bench, batch, size, lambda run: run)

    def compiled(batch: list, size: int) -> Found:
        whole = Vgg._whole
        setattr(Vgg, "_whole", torch.compile(whole, dynamic=False))  # noqa: B010 -- mypy minds methods
        try:
            return forced(ways.NONE, batch, size)
        finally:
            setattr(Vgg, "_whole", whole)  # noqa: B010

    def graphed(batch: list, size: int) -> Found:
        with _forced(every):
            return _timed(bench, batch, size, _graphed)

    # bfloat16's halves are for a network in bfloat16; the roots are for another loss (section "speed").
    is_bf16 = resolve_precision("auto", bench.device) == torch.bfloat16
    every = frozenset(ways.ORDER) - {ways.ROOTS, *(() if is_bf16 else (ways.HALVES,))}
    rows: dict[str, Callable[..., Found]] = {
        "as it proves itself": lambda batch, size: _timed(bench, batch, size, lambda run: run),
        "plain": partial(forced, ways.NONE),
        "every way": partial(forced, every),
    }
    for way in ways.ORDER:
        if way in every:
            rows[f"only: {way}"] = partial(forced, frozenset({way}))
            rows[f"all but: {way}"] = partial(forced, every - {way})
    if bench.is_cuda:
        rows |= {"every way, CUDA graph": graphed, "torch.compile of the network": compiled}
    return rows


@contextlib.contextmanager
def _forced(chosen: ways.Ways) -> Iterator[None]:
    """Have every Objective take some ways untried."""

    def taken(self: Objective, number: int, images: Tensor) -> ways.Ways:
        if not self._passing:
            # On a CPU, where no way is tried, nothing is made ready for them.
            self._passing = [self._way_in_passing(each) for each in range(len(self._chunks))]
        return chosen if self._passing[number] else chosen - {ways.PASSING}

    with patch.object(Objective, "_ways", taken):
        yield


Run = Callable[[], tuple[Tensor, Tensor]]


def _timed(bench: Bench, batch: list, size: int, wrapped: Callable[[Run], Run]) -> Found:
    objective, mean = objective_of(bench, batch, size, bench.device, "auto")
    images = start_of(bench, len(batch), size, mean)
    with _forced(ways.NONE):
        expected = objective(images)[1]
    run = wrapped(lambda: objective(images))
    gradient = run()[1]
    seconds = bench.median(run)
    share = flop(bench.weights, size) * len(batch) / seconds / bench.rates.get("bf16", math.inf)
    off = float((gradient - expected).norm() / expected.norm())
    return {"ms": seconds * 1e3, "share": share, "gradient off": off, "taken": sorted(objective.taken)}


def _graphed(run: Run) -> Run:
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = run()

    def replay() -> tuple[Tensor, Tensor]:
        graph.replay()
        return made

    return replay


def profiles(bench: Bench, report: Report) -> Found:
    """The kernels of an evaluation that take the most time. profile-*.txt beside this file have them all."""
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if bench.is_cuda else [])]
    found: Found = {}
    for size, cells in ((32, 2),) if bench.tiny else ((512, 25), (512, 1)):
        content, style = picture(1, size), picture(2, size)
        objective, mean = objective_of(
            bench, grid(patel(size, 10), content, style, cells), size, bench.device, "auto"
        )
        images = start_of(bench, cells, size, mean)
        for _ in range(3):
            objective(images)
        bench.wait()
        with profile(activities=kinds) as seen:
            objective(images)
            bench.wait()
        key = "self_device_time_total" if bench.is_cuda else "self_cpu_time_total"
        averages = seen.key_averages()
        (bench.folder / f"profile-{cells}-{size}.txt").write_text(averages.table(sort_by=key, row_limit=60))
        most = sorted(averages, key=lambda each: -getattr(each, key, 0))[:15]
        rows = [(each.key[:80], getattr(each, key, 0) / 1e3, each.count) for each in most]
        report.table((f"{cells} of {size} px: kernel", "ms", "calls"), rows)
        found[f"{cells} of {size} px"] = rows
    return found


def asked(bench: Bench, report: Report) -> Found:
    """What an evaluation asks of any device, counted without a clock: operations, and the GB that they read and write."""
    size = 32 if bench.tiny else 512
    content, style, meta = picture(1, size), picture(2, size), torch.device("meta")
    found: Found = {}
    for cells in (1, 3 if bench.tiny else 25):
        batch = grid(patel(size, 30, precision="bf16"), content, style, cells)

        def run(told: Callable[[object], None], batch: list = batch) -> object:
            return transfer_batch(batch, weights=bench.networks, device=meta, callback=told)

        seen = counts.evaluation(run, after=8, device=meta)
        outside = seen.bytes_outside_convolutions() / 1e9
        found[f"{cells} cells"] = {"operations": seen.launches, "GB outside convolutions": outside}
        report.say(
            "", f"{cells} of {size} px: {seen.launches} operations, {outside:.3g} GB outside convolutions."
        )
        report.table((f"{cells} of {size} px: operation", "times", "GB"), seen.table()[:12])
    return found
