"""How people saw the images, for the methods paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def door_words(definition: Mapping[str, Any]) -> str:
    """Say how large a window had to be; empty for any."""
    viewing = definition.get("viewing") or {}
    sides = [
        f"{viewing[key]} CSS pixels {word}"
        for key, word in (("min_width", "wide"), ("min_height", "high"))
        if viewing.get(key)
    ]
    if not sides:
        return ""
    return f"Only windows at least {' and '.join(sides)} could take part; images were covered while a window was smaller."
