"""Pictures, plans and image sets of a researcher's, with nothing to compute."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from generator.files import images, store
from generator.models import Cell, ImageSet, PlanRun, Source
from generator.sets import uploads
from tests.generator.rows import make_set, mark_done
from tests.survey.factories import png

CURVE = {"evaluation": [1, 2], "content": [4.0, 2.0], "style": [9.0, 3.0], "tv": [0.0, 0.0]}
DRY_RUN = {
    "factors": [["content", ["cat"]], ["ratio", ["0.1", "1"]]],
    "cells": [["cat, ratio 0.1", False], ["cat, ratio 1", True]],
    "to_make": 1,
    "evaluations": 1234,
    "seconds": 83.0,
    "basis": "measured",
    "memory_bytes": 8e8,
    "disk_bytes": 2e6,
    "device": "cpu",
    "warnings": ["a note"],
}


def things_of(owner: User) -> dict[str, Any]:
    """Make one of each for `owner`; return what addresses call them by."""
    image_set = finished_set(owner)
    return {
        "set": image_set.slug,
        "upload": uploads.keep(owner, SimpleUploadedFile("cat.png", png(1))).pk,
        "plan": planned(owner).pk,
    }


def planned(owner: User) -> PlanRun:
    """A plan that was looked through."""
    return PlanRun.objects.create(
        owner=owner,
        state="planned",
        slug="a-plan",
        title="A plan",
        plan='title = "A plan"\n',
        dry_run=DRY_RUN,
    )


def finished_set(owner: User | None, slug: str = "grid", keys: str = "abc", failed: str = "") -> ImageSet:
    """A set whose cells (one for each letter) are done, but for those in `failed`; they differ in `ratio`."""
    image_set = make_set(slug, keys)
    image_set.owner = owner
    image_set.plan = 'title = "Grid"\n'
    image_set.save()
    reference, _ = store.put("sources", png(3), ".png")
    Source.objects.update(file=reference)
    for place, cell in enumerate(image_set.cells.all()):
        if cell.label in failed:
            Cell.objects.filter(pk=cell.pk).update(status="failed", reason="the loss is not finite")
            continue
        picture = Image.new("RGB", (48, 32), (40 * place % 256, 90, 120))
        name, digest = store.put("cells", images.encode_png(picture, {"place": place}), ".png")
        mark_done(
            cell,
            image=name,
            sha256=digest,
            width=48,
            height=32,
            provenance={"seed": 1, "curve": CURVE, "device": {"type": "cpu"}},
        )
    return image_set
