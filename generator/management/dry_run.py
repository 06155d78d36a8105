"""A dry run as text for the command line."""

from __future__ import annotations

from datetime import timedelta

from generator.making.dry_run import DryRun

_SHOWN_CELLS = 50


def in_words(found: DryRun) -> str:
    """Return a table of factors, the cells and the forecast."""
    guided = [*found.guided, ""] if found.guided else []
    return "\n".join([*_factors(found), "", *guided, *_cells(found), "", *_forecast(found)])


def _factors(found: DryRun) -> list[str]:
    rows = [(name, str(len(levels)), ", ".join(levels)) for name, levels in found.factors]
    return [f"{found.title} ({found.slug})", "", *_table([("factor", "levels", ""), *rows])]


def _cells(found: DryRun) -> list[str]:
    rows = [
        (str(number), "made" if made else "", label)
        for number, (label, made) in enumerate(found.cells[:_SHOWN_CELLS], start=1)
    ]
    more = len(found.cells) - len(rows)
    return [*_table([("cell", "", ""), *rows]), *([f"... and {more} more"] if more else [])]


def _forecast(found: DryRun) -> list[str]:
    return _table(
        [
            ("cells to make", str(found.to_make)),
            ("evaluations", f"{found.evaluations:,} at most"),
            ("time", f"about {timedelta(seconds=round(found.seconds))} on {found.device}, {found.basis}"),
            ("memory", f"about {found.memory_bytes / 1e9:.1f} GB"),
            ("disk", f"about {found.disk_bytes / 1e6:,.1f} MB"),
            *(("network", line) for line in found.to_fetch),
        ]
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
