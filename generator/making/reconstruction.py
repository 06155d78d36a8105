"""Reconstructions of a content and a style image from each layer, as a plan: Gatys, Ecker, Bethge 2015, figure 1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generator.files import images
from generator.plans.images import Pair, StyleFile
from generator.plans.plan import Plan, PlannedCell

ROWS, COLUMNS = "reconstructed", "layer"
BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


def reconstruction_plan(
    content: Path,
    style: Path,
    *,
    layers: Sequence[str] = BLOCKS,
    tv_beta: float | None = None,
    **settings: Any,
) -> Plan:
    """Return a plan of two cells a layer: the content from that layer, the style from it and all layers before it.

    Args:
        content: Content image.
        style: Style image.
        layers: Layers to reconstruct from.
        tv_beta: Smooth the content's pre-images by Σ (dx² + dy²)^(tv_beta/2) (Mahendran and Vedaldi 2015,
            equation 3).
        **settings: Keys of the recipe (`size`, `evaluations`, `network`).

    Raises:
        nst.RecipeError: If a setting is invalid.
        images.ImageError: If an image cannot be read.
    """
    from generator.nst import Recipe, reconstruct

    base = reconstruct.BASE.replace(**settings)
    named = tuple(layers)
    if tv_beta is None:
        contents: list[Recipe] = reconstruct.content_recipes(named, base)
    else:
        contents = reconstruct.preimage_recipes(named, beta=tv_beta, base=base)
    styles = reconstruct.style_recipes(named, base)
    pair = Pair(content, (StyleFile(style),), content.stem, style.stem)
    cells = [
        PlannedCell(f"{term} from {layer}", {ROWS: term, COLUMNS: layer}, recipe, 1, pair)
        for term, recipes in (("content", contents), ("style", styles))
        for layer, recipe in zip(named, recipes, strict=True)
    ]
    title = f"Reconstructions of {content.stem} and {style.stem}"
    return Plan(slug_of("reconstruct", content, style, cells), title, title, cells, [ROWS, COLUMNS])


def slug_of(kind: str, content: Path, style: Path, cells: list[PlannedCell]) -> str:
    """Return a name that is unique for images and settings, so that a second run finds the first run's set."""
    parts = [images.pixel_hash(images.read(path)) for path in (content, style)]
    parts += [cell.recipe.sha256 for cell in cells]
    return f"{kind}-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:12]}"
