"""Rows to test with: an image set with cells that nobody has to compute."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from generator.models import Cell, ImageSet, Source


def make_source(name: str = "cat") -> Source:
    pixels = name.ljust(64, "0")
    return Source.objects.get_or_create(pixels=pixels, defaults={"name": name, "width": 8, "height": 8})[0]


def make_set(slug: str = "grid", keys: str = "abc") -> ImageSet:
    """A set with one waiting cell for each letter; cells of different sets with the same letter have the same key."""
    image_set = ImageSet.objects.create(slug=slug, title=slug, plan="", plan_sha256="0" * 64)
    source = make_source()
    for index, letter in enumerate(keys):
        Cell.objects.create(
            image_set=image_set,
            index=index,
            key=letter * 64,
            label=letter,
            factors={"content": "cat", "style": "wave", "ratio": index},
            recipe={},
            seed=1,
            content=source,
            style=source,
            content_name="cat",
            style_name="wave",
            weights="0" * 64,
            algorithm="1",
        )
    return image_set


def made(image: str = "cells/x.png", **more: Any) -> dict[str, Any]:
    """What a finished cell holds."""
    return {"image": image, "sha256": "f" * 64, "width": 8, "height": 8, "provenance": {"seed": 1}, **more}


def mark_done(cell: Cell, **more: Any) -> None:
    fields = made(**more) | {"status": Cell.Status.DONE, "made_at": timezone.now()}
    Cell.objects.filter(pk=cell.pk).update(**fields)
