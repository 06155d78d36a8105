"""One cell of an image set: its image, and all that is known of how it came to be."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from generator.models import Cell, Source
from survey.analysis.covariates.labels import label
from survey.analysis.plots.style import render as draw
from survey.desk.image_set_access import readable_set
from survey.desk.loss_curve import draw_curve, loss_table
from survey.desk.pages.image_sets.pictures import small, whole

#: Longest side in px: twice what the grid shows, for screens of two device pixels to one.
THUMBNAIL: Final = 300
REFERENCE: Final = 480
#: What the page shows elsewhere, or as too long for a table.
_SHOWN_APART: Final = ("recipe", "curve", "covariates", "label", "seed")


@require_safe
def cell(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Show one cell."""
    found = _cell(request, slug, index)
    neighbours = found.image_set.cells
    context = {
        "set": found.image_set,
        "cell": found,
        "factors": [(name, text_of(value)) for name, value in found.factors.items()],
        "recipe": [(name, text_of(value)) for name, value in found.recipe.items()],
        "covariates": [(label(name), text_of(value)) for name, value in found.covariates.items()],
        "alike": found.covariates.get("near_duplicate_of"),
        "provenance": [
            line
            for name, value in found.provenance.items()
            if name not in _SHOWN_APART
            for line in _lines(name, value)
        ],
        "has_curve": not loss_table(found.provenance).empty,
        "before": neighbours.filter(index__lt=index).last(),
        "after": neighbours.filter(index__gt=index).first(),
        "references": references(found),
    }
    return render(request, "survey/researcher/cell.html", context)


@require_safe
def image(request: HttpRequest, slug: str, index: int) -> HttpResponseBase:
    """Return a cell's PNG, provenance inside."""
    return whole(_made(request, slug, index).image)


@require_safe
def thumbnail(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Return a cell's image small enough for the grid."""
    return small(_made(request, slug, index).image, THUMBNAIL)


@require_safe
def reference(request: HttpRequest, slug: str, index: int, place: int) -> HttpResponse:
    """Return one of the images that a cell is made of, as `references` lists them."""
    listed = references(_cell(request, slug, index))
    if place >= len(listed):
        raise Http404(f"no reference {place}")
    return small(listed[place][1].file, REFERENCE)


@require_safe
def curve(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Draw the loss curve (SVG)."""
    table = loss_table(_made(request, slug, index).provenance)
    if table.empty:
        raise Http404("no curve")
    response = HttpResponse(draw(draw_curve, table), content_type="image/svg+xml")
    patch_cache_control(response, private=True, max_age=86400, immutable=True)
    return response


def text_of(value: Any) -> str:
    """Return a value of a recipe or provenance as a person reads it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(text_of, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None or value == "" else str(value)


def references(cell: Cell) -> list[tuple[str, Source]]:
    """Return the images that a cell is made of, each with its role: content, styles, masks and maps."""
    listed: list[tuple[str, Source | None]] = [("content", cell.content)]
    styles = cell.styles.select_related("source", "where", "part", "map")
    for style in styles:
        share = f"style, {100 * style.weight:.0f} %" if len(styles) > 1 else "style"
        listed += [(share, style.source), ("where it goes", style.where), ("part of the style", style.part)]
        listed.append(("map of the style", style.map))
    if not styles:
        listed.append(("style", cell.style))
    return [(role, source) for role, source in listed if source is not None]


def _lines(name: str, value: Any) -> list[tuple[str, str]]:
    """Return a provenance entry as (name, text); a table in it as lines of their own."""
    if isinstance(value, dict):
        return [line for key, part in value.items() for line in _lines(f"{name}.{key}", part)]
    return [(name, text_of(value))]


def _cell(request: HttpRequest, slug: str, index: int) -> Cell:
    cells = readable_set(request.user, slug).cells.select_related("content", "style", "image_set")
    return get_object_or_404(cells, index=index)


def _made(request: HttpRequest, slug: str, index: int) -> Cell:
    found = _cell(request, slug, index)
    if found.status != Cell.Status.DONE:
        raise Http404("not made yet")
    return found
