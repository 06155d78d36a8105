"""What a plan would make and take, before anything is made: the numbers behind `generate --dry-run`."""

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
    """A plan looked through; JSON's own types only.

    factors: [name, levels as text]; cells: [label, whether it is made already], in the order of the plan; evaluations:
    at most; seconds, memory_bytes, disk_bytes: about; basis: what the seconds rest on; guided: a line for each pair of
    images that has several styles, masks or maps; to_fetch: a line for each network that is not in the cache yet.
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
    """Read all that a plan names and forecast what it takes; writes and fetches nothing.

    Raises what `create.image_set_from_plan` raises for a plan that cannot be carried out, and engine.DeviceError.
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
    """Return the hash of a recipe's network, or a text that no hash equals where it would have to be fetched."""
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
    """Say in words what the pairs are made of that are more than two images."""
    pairs = dict.fromkeys(cell.pair for cell in plan.cells if not cell.pair.is_plain)
    return [f"{pair.content_name} × {pair.style_name}: {pair.in_words}" for pair in pairs]


def _text(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
