"""The forecast of a plan's cost: evaluations, time, memory, disk."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from generator.files import networks
from generator.making import engine
from generator.models import Cell
from generator.nst.recipes.footprint import products_per_pixel
from generator.plans import sizes
from generator.sets import pace
from generator.sets.estimate import BYTES_A_PIXEL, PROVENANCE_BYTES

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from generator.nst import Progress, Recipe

# Small images take more seconds a pixel. From 256 px the rate changes little.
_PROBE_SIDE, _PROBE_EVALUATIONS = 256, 5
# For more cells than this, measuring takes too many seconds and a gigabyte.
_MANY = 500
# Share of the rate of large matrix products, counted as direct convolutions (1.78 in benchmarks/results/generate-cpu.md).
_SHARE_OF_RATE = 1.7


@dataclass(frozen=True)
class Forecast:
    """The forecast of a plan.

    Attributes:
        cells: Number of cells still to be made.
        evaluations: An upper limit.
        seconds, memory_bytes, disk_bytes: Estimates.
        basis: What the estimate of the seconds is based on.
    """

    cells: int
    evaluations: int
    seconds: float
    memory_bytes: float
    disk_bytes: float
    basis: str


def forecast(jobs: Sequence[tuple[Recipe, sizes.Size]], device: torch.device | engine.PlainCpu) -> Forecast:
    """Return the forecast of making these cells.

    The speed is that of the last images on this device, or else measured. For many cells on a CPU without PyTorch
    it is estimated.

    Args:
        jobs: Each cell's recipe and the size (width, height) of its content image.
        device: Where they will be made.
    """
    evaluations, work, disk, memory = 0, 0.0, 0.0, 0.0
    for recipe, content in jobs:
        levels, budgets = sizes.levels(recipe, content), sizes.budgets(recipe, content)
        evaluations += sum(budgets)
        work += pace.pixel_evaluations(recipe, content)
        pixels = levels[-1][0] * levels[-1][1]
        disk += pixels * BYTES_A_PIXEL + PROVENANCE_BYTES
        each = engine.bytes_of_cell(device, recipe, pixels, budgets[-1])
        memory = max(memory, each * min(len(jobs), engine.batch_size(device, each)))
    if not jobs:
        return Forecast(0, 0, 0.0, 0.0, 0.0, "everything is made")
    heaviest = max((recipe for recipe, _ in jobs), key=lambda recipe: recipe.method != "feedforward")
    speed, basis = _known_speed(heaviest, device) or (
        _estimated_speed(heaviest)
        if isinstance(device, engine.PlainCpu) and len(jobs) > _MANY and heaviest.method != "feedforward"
        else _probed_speed(heaviest, device)
    )
    return Forecast(len(jobs), evaluations, work / speed, memory + engine.BYTES_AT_REST, disk, basis)


def _estimated_speed(recipe: Recipe) -> tuple[float, str]:
    """Return this CPU's pixel evaluations a second, estimated from the matrix products of one core."""
    side = 512
    matrix = np.random.default_rng(0).random((side, side), dtype=np.float32)
    seconds = []
    with threadpool_limits(1):
        for _ in range(5):
            started = time.thread_time()
            matrix @ matrix
            seconds.append(time.thread_time() - started)
    rate = 2 * side**3 / max(min(seconds), 1e-6) * (os.cpu_count() or 1)
    return _SHARE_OF_RATE * rate / products_per_pixel(
        recipe
    ), "estimated from this processor's matrix products"


def _known_speed(recipe: Recipe, device: torch.device | engine.PlainCpu) -> tuple[float, str] | None:
    """Return this device's pixel evaluations a second with this network, from the last images made on it."""
    if isinstance(device, engine.PlainCpu):
        name = engine.processor()
    else:
        name = engine.describe_device(device)["device"]["name"]
    recent = Cell.objects.filter(
        status=Cell.Status.DONE,
        provenance__device__name=name,
        provenance__weights__network=recipe.network,
        recipe__method=recipe.method,
        recipe__precision=recipe.precision,
    )
    speed = pace.speed_of(recent.select_related("content").order_by("-made_at")[: pace.COUNTED])
    return (speed, "as fast as the last images on this device") if speed else None


def _probed_speed(recipe: Recipe, plain: torch.device | engine.PlainCpu) -> tuple[float, str]:
    """Return pixel evaluations a second, measured on a few evaluations of noise."""
    import torch

    from generator import nst
    from generator.nst.weights import registry

    device = torch.device(str(plain))
    side = min(_PROBE_SIDE, recipe.size)
    # Two different pictures: with only one, a start from the content would already be at the minimum.
    content, style = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    if recipe.method == "feedforward":
        return _one_pass_speed(recipe.replace(size=side), content, device)
    small = recipe.replace(
        size=side,
        pyramid_min=0,
        evaluations=_PROBE_EVALUATIONS,
        first_evaluations=0,
        round_evaluations=0,
    )
    times: list[float] = []

    def note(at: Progress) -> None:
        at.losses()
        times.append(time.perf_counter())

    absent = networks.to_fetch(recipe)
    network = registry.stand_in(absent.name) if absent else networks.network_of(recipe)
    nst.transfer(content, style, small, seed=0, weights=network, device=device, callback=note)
    # The first evaluations warm up.
    seconds = (times[-1] - times[1]) / (len(times) - 2)
    return side**2 / seconds, f"measured now on {_PROBE_EVALUATIONS} evaluations at {side} px"


def _one_pass_speed(recipe: Recipe, picture: Tensor, device: torch.device) -> tuple[float, str]:
    """Return pixels a second of a trained network, measured on the second of two passes."""
    from generator import nst

    network = networks.network_of(recipe)
    passes = [
        nst.transfer(picture, picture, recipe, seed=0, weights=network, device=device) for _ in range(2)
    ]
    return recipe.size**2 / passes[-1].seconds, f"measured now on one pass at {recipe.size} px"
