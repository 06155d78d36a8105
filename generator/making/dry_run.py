"""The forecast of a plan: the numbers behind `generate --dry-run`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from generator.files import networks
from generator.making import engine
from generator.making.forecast import forecast
from generator.models import Cell
from generator.plans.plan import Plan
from generator.sets import create

if TYPE_CHECKING:
    from generator.nst import Recipe


@dataclass(frozen=True)
class DryRun:
    """The forecast of a plan, in JSON types.

    Attributes:
        factors: Name and levels (as text) of each factor.
        cells: Label of each cell and whether it is made already, in the order of the plan.
        evaluations: An upper limit.
        seconds, memory_bytes, disk_bytes: Estimates.
        basis: What the estimate of the seconds is based on.
        guided: One line for each pair of images with several styles, masks or maps.
        to_fetch: One line for each network that the cache lacks.
    """

    slug: str
    title: str
    factors: list[tuple[str, list[str]]]
    cells: list[tuple[str, bool]]
    to_make: int
    evaluations: int
    seconds: float
    basis: str
    memory_bytes: float
    disk_bytes: float
    device: str
    warnings: list[str]
    guided: list[str] = field(default_factory=list)
    to_fetch: list[str] = field(default_factory=list)


def look_through(plan: Plan, device: str = "auto", owner: User | None = None) -> DryRun:
    """Read a plan's images and forecast its cost. Nothing is written or fetched.

    Args:
        plan: The plan.
        device: As in `engine.choose_device`.
        owner: Who asks in the browser; None for a command.

    Raises:
        engine.DeviceError: If this machine lacks the device.
        Exception: As in `create.image_set_from_plan`.
    """
    chosen = engine.device_to_forecast(device)
    references = create.read_references(plan)
    keys = create.cell_keys(plan, references, _weights_at_hand)
    slug, _ = create.find_set(plan, keys, owner)
    done = set(Cell.objects.filter(status=Cell.Status.DONE, key__in=keys).values_list("key", flat=True))
    jobs = [
        (cell.recipe, references[cell.pair.content].size)
        for key, cell in zip(keys, plan.cells, strict=True)
        if key not in done
    ]
    takes = forecast(jobs, chosen)
    return DryRun(
        slug=slug,
        title=plan.title,
        factors=[
            (name, list(dict.fromkeys(_text(cell.factors[name]) for cell in plan.cells)))
            for name in plan.factors
        ],
        cells=[(cell.label, key in done) for key, cell in zip(keys, plan.cells, strict=True)],
        to_make=takes.cells,
        evaluations=takes.evaluations,
        seconds=takes.seconds,
        basis=takes.basis,
        memory_bytes=takes.memory_bytes,
        disk_bytes=takes.disk_bytes,
        device=str(chosen),
        warnings=plan.warnings,
        guided=_guided(plan),
        to_fetch=_to_fetch(plan),
    )


def _weights_at_hand(recipe: Recipe) -> str:
    """Return the hash of a recipe's network, or a text that equals no hash if the network must be fetched first."""
    absent = networks.to_fetch(recipe)
    return f"not fetched: {absent.name}" if absent else networks.weights_hash(recipe)


def _to_fetch(plan: Plan) -> list[str]:
    absent = {
        entry.name: entry for cell in plan.cells if (entry := networks.to_fetch(cell.recipe)) is not None
    }
    return [
        f"{entry.name}, {entry.megabytes} MB {'to download' if entry.url else 'from an installed package'}"
        for entry in absent.values()
    ]


def _guided(plan: Plan) -> list[str]:
    """Return one line for each pair with more than two images."""
    pairs = dict.fromkeys(cell.pair for cell in plan.cells if not cell.pair.is_plain)
    return [f"{pair.content_name} × {pair.style_name}: {pair.in_words}" for pair in pairs]


def _text(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
