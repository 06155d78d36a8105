"""What the rated things are called in sentences: images in a study, items in a file from elsewhere."""

from __future__ import annotations

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
