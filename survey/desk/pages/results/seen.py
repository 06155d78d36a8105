"""How people saw the images, on the pages of results: in sentences, and as a strip with a point for each person."""

from __future__ import annotations

from typing import Any, Final

from survey.exports.viewing import viewing_sentences
from survey.results.seen import Seen

#: Of the drawing, in its own units: its width, the margin at both ends, and rows of points.
_WIDTH: Final = 640
_MARGIN: Final = 24
_ROWS: Final = 5


def seen(found: Seen | None) -> dict[str, Any]:
    """Return what a page says of how people saw the images: `seen` and `strip`, empty where it is not known."""
    if found is None:
        return {"seen": [], "strip": None}
    values = found.pixels
    low, high = float(values[0]), float(values[-1])
    reach = (high - low) or 1.0

    def place(value: float) -> float:
        return round(_MARGIN + (_WIDTH - 2 * _MARGIN) * (value - low) / reach, 1)

    return {
        "seen": viewing_sentences(found.viewing),
        "strip": {
            "points": [(place(value), 20 + 9 * (number % _ROWS)) for number, value in enumerate(values)],
            "median": place(found.viewing.median),
            "band": _band(*map(place, found.viewing.interval)) if found.viewing.interval else None,
            "ends": [(place(low), f"{low:.3g}")] + ([(place(high), f"{high:.3g}")] if high > low else []),
        },
    }


def _band(low: float, high: float) -> tuple[float, float]:
    """Return where a band begins, and how wide it is: never too thin to be seen."""
    return low, max(round(high - low, 1), 1.0)
