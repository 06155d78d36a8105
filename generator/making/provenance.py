"""Provenance of an image: everything needed to make it again and to defend it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from PIL import Image

from generator.files import images, networks
from generator.files.origin import FORMAT
from generator.making import engine
from generator.models import Cell, Source
from generator.nst.recipes.conventions import CONVERTED
from generator.nst.recipes.options import KOLKIN

if TYPE_CHECKING:
    import torch

    from generator.nst import Recipe, Result

# Points kept of a loss curve: enough to draw it, few enough for ten thousand rows.
CURVE_POINTS = 200
_DIGITS = 7  # a float32's


def of_cell(
    cell: Cell, recipe: Recipe, result: Result, picture: Image.Image, device: torch.device, *, exact: bool
) -> dict[str, Any]:
    """Return the provenance of one image in JSON types. docs/reference/plans.md lists the keys."""
    return {
        "format": FORMAT,
        "key": cell.key,
        "image_set": cell.image_set.slug,
        "label": cell.label,
        "algorithm": cell.algorithm,
        "recipe": cell.recipe,
        "seed": cell.seed,
        "content": _source(cell.content, cell.content_name),
        "style": _source(cell.style, cell.style_name),
        **_guided(cell),
        "weights": _weights(recipe),
        "coefficients": {
            "inner": dataclasses.asdict(result.coefficients),
            "preset": _weighed(recipe),
        },
        "curve": thinned(result.curve),
        "final": {term: _number(values[-1]) for term, values in result.curve.items() if values},
        "evaluations": result.evaluations,
        "stop": result.stop,
        "seconds": round(result.seconds, 3),
        "batch": result.batch,
        "precision": result.precision,
        "convolution": result.convolution,
        "exact": exact,
        "notes": list(result.notes),
        **engine.describe_device(device),
        "image": {"width": picture.width, "height": picture.height, "pixels": images.pixel_hash(picture)},
        "made_at": timezone.now().isoformat(timespec="seconds"),
    }


def _weighed(recipe: Recipe) -> dict[str, Any]:
    """Return the weights as the recipe states them, and in whose units they are."""
    if recipe.method in KOLKIN:
        return {"convention": recipe.method, "alpha": recipe.alpha, "beta": recipe.beta}
    return {
        "convention": recipe.convention,
        **{key: getattr(recipe, key) for key in CONVERTED},
        "style_weights": list(recipe.relative_style_weights),
    }


def thinned(curve: dict[str, list[float]]) -> dict[str, list[float | None]]:
    """Return evenly spaced points of a loss curve, with the first and the last, and their evaluations from 1.

    An optimiser may try a step after which the loss is not finite: None.
    """
    length = max((len(values) for values in curve.values()), default=0)
    count = min(length, CURVE_POINTS)
    places = sorted({round(step * (length - 1) / max(1, count - 1)) for step in range(count)})
    points = {
        term: [_number(float(f"{values[place]:.{_DIGITS}g}")) for place in places]
        for term, values in curve.items()
    }
    return {"evaluation": [place + 1 for place in places], **points}


def _number(value: float) -> float | None:
    """Return a number as JSON can hold it: None if it is not finite."""
    return value if math.isfinite(value) else None


def _source(source: Source, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "file": source.name,
        "pixels": source.pixels,
        "width": source.width,
        "height": source.height,
        "licence": source.licence,
    }


def _guided(cell: Cell) -> dict[str, Any]:
    """Return the further inputs of a cell: every style image with its share and guides, and the content's map."""
    if not (styles := list(cell.styles.all())):
        return {}

    def known(source: Source | None) -> dict[str, Any] | None:
        return None if source is None else _source(source, source.name)

    return {
        "styles": [
            {
                **_source(style.source, style.source.name),
                "weight": style.weight,
                "where": known(style.where),
                "part": known(style.part),
                "map": known(style.map),
            }
            for style in styles
        ],
        "content_map": known(cell.content_map),
    }


def _weights(recipe: Recipe) -> dict[str, Any]:
    from generator.nst import available

    found: dict[str, Any] = {"network": recipe.network, "sha256": networks.network_of(recipe).sha256}
    if recipe.method == "feedforward":
        # The network's provenance without its long curve.
        trained = networks.trained(recipe.network).provenance
        found["trained"] = {key: value for key, value in trained.items() if key != "curve"}
    for entry in available():
        if entry.name == recipe.network:
            found |= {"origin": entry.origin, "licence": entry.licence, "credit": entry.credit}
    return found
