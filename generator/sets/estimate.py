"""What a plan asks for, told in a moment: without its pictures' pixels, without PyTorch, without another process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from generator.plans import sizes
from generator.plans.plan import Plan, plan_of
from generator.sets import pace

# A stylised image is noisy: its PNG takes nearly 3 bytes a pixel; its provenance some 30 kB in file and row.
BYTES_A_PIXEL: Final = 2.7
PROVENANCE_BYTES: Final = 30_000


@dataclass(frozen=True)
class Estimate:
    """images: in number; disk_bytes: about; seconds: about, None where nothing like it was made yet."""

    images: int
    disk_bytes: float
    seconds: float | None


def plan_among(text: str, pictures: Mapping[str, sizes.Size]) -> Plan:
    """Return the plan of a text that names some of these pictures. Raises PlanError as `plan_of` does."""
    with tempfile.TemporaryDirectory(prefix="plan-") as name:
        for picture in pictures:
            (Path(name) / picture).touch()
        return plan_of(text, "plan", Path(name))


def estimate(plan: Plan, pictures: Mapping[str, sizes.Size]) -> Estimate:
    """Return the cost of a plan. pictures: the size (width, height) of each by its name."""
    work = disk = 0.0
    jobs = [(cell.recipe, pictures[cell.pair.content.name]) for cell in plan.cells]
    known = {job: (pace.pixel_evaluations(*job), sizes.levels(*job)[-1]) for job in set(jobs)}
    for job in jobs:
        evaluated, (width, height) = known[job]
        work += evaluated
        disk += width * height * BYTES_A_PIXEL + PROVENANCE_BYTES
    speed = pace.recent_speed(max((recipe for recipe, _ in known), key=lambda recipe: recipe.size))
    return Estimate(len(jobs), disk, work / speed if speed else None)
