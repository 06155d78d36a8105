"""What a plan will take before any of it is made: evaluations, time, memory, disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.files import networks
from generator.making import engine
from generator.models import Cell
from generator.plans import sizes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from generator.nst import Progress, Recipe

# A stylised image is noisy: its PNG takes nearly 3 bytes a pixel; its provenance some 30 kB in file and row.
_BYTES_ON_DISK = 2.7
_PROVENANCE_BYTES = 30_000
# Small images take more seconds a pixel: from 256 px on it changes little.
_PROBE_SIDE, _PROBE_EVALUATIONS = 256, 5


@dataclass(frozen=True)
class Forecast:
    """cells: still to make; evaluations: at most; seconds, memory_bytes, disk_bytes: about; basis: of the seconds."""

    cells: int
    evaluations: int
    seconds: float
    memory_bytes: float
    disk_bytes: float
    basis: str


def forecast(jobs: Sequence[tuple[Recipe, sizes.Size]], device: torch.device) -> Forecast:
    """Say what making these cells takes. jobs: each cell's recipe and the size (width, height) of its content."""
    evaluations, work, disk, memory = 0, 0.0, 0.0, 0.0
    for recipe, content in jobs:
        levels, budgets = sizes.levels(recipe, content), sizes.budgets(recipe, content)
        evaluations += sum(budgets)
        work += sum(width * height * budget for (width, height), budget in zip(levels, budgets, strict=True))
        pixels = levels[-1][0] * levels[-1][1]
        disk += pixels * _BYTES_ON_DISK + _PROVENANCE_BYTES
        each = engine.bytes_of_cell(device, recipe, pixels, budgets[-1])
        memory = max(memory, each * min(len(jobs), engine.batch_size(device, each)))
    if not jobs:
        return Forecast(0, 0, 0.0, 0.0, 0.0, "everything is made")
    heaviest = max((recipe for recipe, _ in jobs), key=lambda recipe: recipe.method == "optimised")
    speed, basis = _known_speed(heaviest, device) or _probed_speed(heaviest, device)
    return Forecast(len(jobs), evaluations, work / speed, memory + engine.BYTES_AT_REST, disk, basis)


def _known_speed(recipe: Recipe, device: torch.device) -> tuple[float, str] | None:
    """Return pixel evaluations a second of this device with this network, from the images last made on it."""
    name = engine.describe_device(device)["device"]["name"]
    work = seconds = 0.0
    recent = Cell.objects.filter(
        status=Cell.Status.DONE,
        provenance__device__name=name,
        provenance__weights__network=recipe.network,
        recipe__precision=recipe.precision,
    )
    for cell in recent.select_related("content").order_by("-made_at")[:20]:
        made = type(recipe).from_dict(cell.recipe)
        content = cell.content.width, cell.content.height
        levels, budgets = sizes.levels(made, content), sizes.budgets(made, content)
        share = cell.provenance["evaluations"] / sum(budgets)
        work += share * sum(w * h * budget for (w, h), budget in zip(levels, budgets, strict=True))
        seconds += cell.provenance["seconds"]
    return (work / seconds, "as fast as the last images on this device") if seconds else None


def _probed_speed(recipe: Recipe, device: torch.device) -> tuple[float, str]:
    """Return pixel evaluations a second, measured on a few evaluations of noise."""
    import torch

    from generator import nst
    from generator.nst.weights import registry

    side = min(_PROBE_SIDE, recipe.size)
    # Two pictures: of one, a start from the content would have nothing to descend.
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
