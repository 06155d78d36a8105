"""Removal of an image set, with the files that nothing else needs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction

from generator.models import Cell, CellStyle, ImageSet, Source


def remove_set(image_set: ImageSet) -> None:
    """Delete a set and its images. Sources and images that another set or an upload uses stay.

    Files are deleted after the transaction, because a rollback cannot restore a file.
    """
    with transaction.atomic():
        sources = _sources_of(image_set)
        images = set(image_set.cells.exclude(image="").values_list("image", flat=True))
        image_set.delete()
        remove_unused(Source.objects.filter(pk__in=sources))
        transaction.on_commit(lambda: _remove_files(images))


def remove_unused(sources: Iterable[Source]) -> None:
    """Delete each source that no cell and no upload uses, with its file."""
    for source in sources:
        if source.uploads.exists() or source.is_used:
            continue
        name = str(source.file.name)
        source.delete()
        transaction.on_commit(partial(default_storage.delete, name))


def _sources_of(image_set: ImageSet) -> set[int]:
    cells = image_set.cells.values_list("content", "style", "content_map")
    styles = CellStyle.objects.filter(cell__image_set=image_set).values_list("source", "where", "part", "map")
    return {pk for row in (*cells, *styles) for pk in row if pk is not None}


def _remove_files(names: set[str]) -> None:
    kept = set(Cell.objects.filter(image__in=names).values_list("image", flat=True))
    for name in names - kept:
        default_storage.delete(name)
