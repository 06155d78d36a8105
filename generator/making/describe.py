"""Covariates of a whole set: each finished cell is measured once, and near-duplicates are marked."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db.models.fields.files import FieldFile
from PIL import Image

from generator.files import networks
from generator.making import covariates, inputs
from generator.models import Cell, ImageSet
from generator.signals import described

if TYPE_CHECKING:
    import torch

# The network for comparing all images. It is installed with the program.
COMMON_NETWORK = "vgg16"


def describe(image_set: ImageSet, device: torch.device) -> None:
    """Measure the finished cells without measurements of the current version, and mark near-duplicates."""
    cells = list(image_set.cells.filter(status=Cell.Status.DONE).select_related("content", "style"))
    inputs.fetch_styles(cells)
    stale = [cell for cell in cells if cell.covariates.get("version") != covariates.VERSION]
    for cell in stale:
        cell.covariates = _measured(cell, device)
    changed = {cell.pk for cell in stale} | _mark_duplicates(cells)
    Cell.objects.bulk_update([cell for cell in cells if cell.pk in changed], ["covariates"], batch_size=200)
    described.send(sender=ImageSet, image_set=image_set)


def _measured(cell: Cell, device: torch.device) -> dict[str, Any]:
    """Measure a cell; against several styles, each measure is the mean over them by their shares."""
    made, content, weights = _open(cell.image), _open(cell.content.file), networks.weights(COMMON_NETWORK)
    styles = [(style.source, style.weight) for style in cell.styles.all()] or [(cell.style, 1.0)]
    measured: dict[str, float] = defaultdict(float)
    for source, share in styles:
        style = _open(source.file)
        losses = covariates.network_losses(made, content, style, weights, device)
        for name, value in (covariates.measure(made, content, style) | losses).items():
            measured[name] += share * value
    rounded = {name: float(f"{value:.6g}") for name, value in measured.items()}
    return {"version": covariates.VERSION, "network": COMMON_NETWORK, **rounded}


def _mark_duplicates(cells: list[Cell]) -> set[int]:
    """Set each cell's index of the first cell that looks the same, or None; return the changed cells."""
    changed = set()
    for cell, first in zip(
        cells, covariates.near_duplicates([_open(cell.image) for cell in cells]), strict=True
    ):
        place = None if first is None else cells[first].index
        if cell.covariates.get("near_duplicate_of", -1) != place:
            cell.covariates["near_duplicate_of"] = place
            changed.add(cell.pk)
    return changed


def _open(file: FieldFile) -> Image.Image:
    with file.open() as opened, Image.open(opened) as image:
        return image.convert("RGB")
