"""What the rated things are called in sentences: images in a study, items in a file from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Terms:
    """The words for what is rated, and for what several of them have in common; their plurals end with an s."""

    item: str = "image"
    content: str = "photograph"


IMAGES: Final = Terms()
ITEMS: Final = Terms("item", "content")
"""A file may hold ratings of wines as well."""


def listed(parts: Sequence[str], before_last: str = "and") -> str:
    """Return parts of a sentence as "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {before_last} {parts[-1]}"
