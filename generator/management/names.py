"""Image sets by name, and command lines to copy, for the messages of commands."""

from __future__ import annotations

import difflib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError

from generator.models import ImageSet

_LISTED = 20


def image_set_named(name: str) -> ImageSet:
    """Return an image set by its name; CommandError (exit 2) with the names of the sets that exist."""
    found = ImageSet.objects.filter(slug=name).first()
    if found is None:
        names = list(ImageSet.objects.values_list("slug", flat=True))
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        there = (
            f"there are: {listed(names)}" if names else "there is none yet: `generate PLAN.toml` makes one"
        )
        raise CommandError(f"no image set {name!r}{hint}; {there}", returncode=2)
    return found


def count(number: int, noun: str) -> str:
    """Return "1 image", "2 images"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Return at most 20 names in one line."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def command_line(*words: str) -> str:
    """Return a command of this project as it can be typed in the current folder."""
    python = Path(sys.executable)
    here = Path.cwd()
    shown = str(python.relative_to(here)) if python.is_relative_to(here) else "python"
    return f"{shown} manage.py {shlex.join(words)}"
