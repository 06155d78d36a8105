"""The plan file as written: TOML, its keys and types; and the plans shipped with the program."""

from __future__ import annotations

import difflib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError

from generator.nst.recipes.errors import did_you_mean
from generator.nst.recipes.recipe import Recipe
from generator.plans.complaints import in_words, matching, place_of
from generator.plans.toml import TomlError, read_toml, toml_text

_RECIPE_KEYS = {"ratio", "seed", "content_layer", "style_layer", *(key.name for key in fields(Recipe))} - {
    "preset"
}
SHIPPED = Path(__file__).parent
# A factor of more levels is a mistake; a plan has at most 20,000 cells.
Levels = Annotated[list[Any], Field(min_length=1, max_length=1000)]


class PlanError(Exception):
    """A plan that cannot be used; the one-line message gives the location and the fix."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Images(_Table):
    """[images]: file names and globs, relative to the plan's folder."""

    content: list[str] = []
    style: list[str] = []
    pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    maps: dict[str, str] = {}
    licences: dict[str, str] = {}


class BlendedStyle(_Table):
    """One style image of a blend; `where` and `part` name masks over the content and over the style image."""

    file: Annotated[str, Field(min_length=1)]
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    where: str = ""
    part: str = ""


class Blend(_Table):
    """[[blends]]: several style images, or parts of them, under one name. The name replaces a style's file."""

    name: Annotated[
        str, matching(r"[^*?\[/\\]{1,100}", "must have 1 to 100 characters, none of them * ? [ / \\")
    ]
    styles: Annotated[list[BlendedStyle], Field(min_length=1, max_length=16)]


class Document(_Table):
    """The whole file. `recipe`, `factors`, `cells` and `anchors` hold keys of a recipe, checked when it is built."""

    title: Annotated[str, StringConstraints(max_length=200)] = ""
    slug: Annotated[
        str,
        matching(
            "([a-z0-9][a-z0-9_-]{0,99})?",
            "must be small letters, digits, - and _, and begin with a letter or a digit",
        ),
    ] = ""
    preset: str = "modern"
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    images: Images = Images()
    blends: list[Blend] = []
    recipe: dict[str, Any] = {}
    factors: dict[str, Levels] = {}
    cells: list[dict[str, Any]] = []
    exclude: list[Annotated[dict[str, Any], Field(min_length=1)]] = []
    anchors: list[dict[str, Any]] = []
    _bases: dict[str, Recipe] = PrivateAttr(default_factory=dict)

    @property
    def bases(self) -> dict[str, Recipe]:
        """A cache of each preset's recipe with [recipe], filled while the plan is read."""
        return self._bases


def read_document(path: Path) -> Document:
    """Read and check a plan file.

    Raises:
        PlanError: As in `document_of`, and if the file cannot be read.
    """
    return document_of(read_text(path), str(path))


def document_of(text: str, name: str) -> Document:
    """Parse and check a plan's text. If `preset` is a shipped plan, its recipe, factors and cells are included.

    Raises:
        PlanError: For the first mistake; the message begins with `name`.
    """
    document = _parsed(text, name)
    if document.preset in shipped_plans():
        shipped = SHIPPED / f"{document.preset}.toml"
        document = _merged(_parsed(read_text(shipped), str(shipped)), document)
    for key, levels in document.factors.items():
        if _has_twice(levels):
            raise PlanError(f"{name}: factors.{key}: lists a level twice; remove one")
    return document


def shipped_plans() -> list[str]:
    """Return the names of the plans that come with the program, for use as `preset`."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def read_text(path: Path) -> str:
    """Return a plan file's text.

    Raises:
        PlanError: If the file is missing, unreadable or not Unicode text.
    """
    try:
        return toml_text(path.read_bytes())
    except FileNotFoundError:
        raise PlanError(f"{path}: {_missing(path)}") from None
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise PlanError(f"{path}: is not UTF-8 text; a plan is a TOML file") from None


def _parsed(text: str, name: str) -> Document:
    try:
        return Document.model_validate(read_toml(text.removeprefix("\ufeff").replace("\r\n", "\n")))
    except TomlError as error:
        raise PlanError(f"{name}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise PlanError(f"{name}: {_in_words(error)}") from error


def _missing(path: Path) -> str:
    if path.stem in shipped_plans():
        return (
            f"no such file; to use the shipped plan: generate --preset {path.stem} --content FILE --style FILE, "
            f'or write preset = "{path.stem}" into a plan with your [images]'
        )
    near = difflib.get_close_matches(path.name, [other.name for other in path.parent.glob("*.toml")], n=1)
    return f'no such plan; did you mean "{path.with_name(near[0])}"?' if near else "no such plan"


def _merged(shipped: Document, own: Document) -> Document:
    """Return the shipped plan with the user's images, settings and further cells."""
    return own.model_copy(
        update={
            "title": own.title or shipped.title,
            "preset": shipped.preset,
            "repeats": max(own.repeats, shipped.repeats),
            "recipe": shipped.recipe | own.recipe,
            "factors": shipped.factors | own.factors,
            "cells": shipped.cells + own.cells,
            "exclude": shipped.exclude + own.exclude,
            "anchors": shipped.anchors + own.anchors,
        }
    )


def _has_twice(levels: list[Any]) -> bool:
    """Return whether two levels are equal (1 equals 1.0), in linear time."""
    plain = [level for level in levels if not isinstance(level, list | dict)]
    others = [level for level in levels if isinstance(level, list | dict)]
    return len(set(plain)) < len(plain) or any(level in others[:n] for n, level in enumerate(others))


def _in_words(error: ValidationError) -> str:
    """Return pydantic's first error as one line."""
    first = error.errors()[0]
    *parents, last = first["loc"]
    if first["type"] == "extra_forbidden":
        tables = {"images": Images, "blends": BlendedStyle if "styles" in parents else Blend}
        table = tables[str(parents[0])] if parents else Document
        if not parents and last in _RECIPE_KEYS:
            return f"{last} stands above the tables; put it below [recipe]"
        inside = f" in [{parents[0]}]" if parents else ""
        return f"unknown key{inside} {did_you_mean(last, table.model_fields)}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place_of(first)}: {in_words(first)}{more}"
