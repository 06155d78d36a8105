"""A plan in words before it is made: its factors, its cells, what they will take."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from generator import engine, services
from generator.forecast import Forecast, forecast
from generator.models import Cell
from generator.plan import Plan

_SHOWN_CELLS = 50


def dry_run(plan: Plan, device: str) -> str:
    """Return a table of factors, the cells and the forecast of a plan. Reads everything, writes nothing."""
    chosen = engine.choose_device(device)
    references = services.read_references(plan)
    keys = services.cell_keys(plan, references)
    done = set(Cell.objects.filter(status=Cell.Status.DONE, key__in=keys).values_list("key", flat=True))
    jobs = [
        (cell.recipe, references[cell.pair.content].picture.size)
        for key, cell in zip(keys, plan.cells, strict=True)
        if key not in done
    ]
    return "\n".join(
        [*_factors(plan), "", *_cells(plan, keys, done), "", *_forecast(forecast(jobs, chosen), chosen)]
    )


def _factors(plan: Plan) -> list[str]:
    rows = []
    for name in plan.factors:
        levels = list(dict.fromkeys(_text(cell.factors[name]) for cell in plan.cells))
        rows.append((name, str(len(levels)), ", ".join(levels)))
    return [f"{plan.title} ({plan.slug})", "", *_table([("factor", "levels", ""), *rows])]


def _cells(plan: Plan, keys: list[str], done: set[str]) -> list[str]:
    shown = list(zip(keys, plan.cells, strict=True))[:_SHOWN_CELLS]
    rows = [
        (str(number), "made" if key in done else "", cell.label)
        for number, (key, cell) in enumerate(shown, start=1)
    ]
    more = len(plan.cells) - len(shown)
    return [*_table([("cell", "", ""), *rows]), *([f"... and {more} more"] if more else [])]


def _forecast(found: Forecast, device: object) -> list[str]:
    return _table(
        [
            ("cells to make", str(found.cells)),
            ("evaluations", f"{found.evaluations:,} at most"),
            ("time", f"about {timedelta(seconds=round(found.seconds))} on {device}, {found.basis}"),
            ("memory", f"about {found.memory_bytes / 1e9:.1f} GB"),
            ("disk", f"about {found.disk_bytes / 1e6:,.1f} MB"),
        ]
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _text(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
