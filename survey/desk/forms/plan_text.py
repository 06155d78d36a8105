"""A plan as the form writes it, in TOML, and the form's fields of such a plan."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.http import QueryDict

from generator.nst.recipes.presets import DEFAULT


def write(
    title: str,
    preset: str,
    content: list[str],
    style: list[str],
    recipe: dict[str, Any],
    factors: dict[str, list[Any]],
    *,
    repeats: int = 0,
) -> str:
    """Return a plan as TOML. A JSON string, number or list of such is one of TOML, too."""
    lines = [f"title = {toml_value(title)}", f"preset = {toml_value(preset)}"]
    lines += [f"repeats = {repeats}"] if repeats else []
    lines += ["", "[images]", f"content = {toml_value(content)}", f"style = {toml_value(style)}"]
    for name, table in (("recipe", recipe), ("factors", factors)):
        if table:
            lines += ["", f"[{name}]", *(f"{key} = {toml_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def fields_of(told: Mapping[str, Any]) -> QueryDict:
    """Return the fields of the form that would write such a plan; further keys of the plan are left out."""
    data = QueryDict(mutable=True)
    data["title"] = told.get("title", "")
    data["preset"] = told.get("preset", DEFAULT)
    for role in ("content", "style"):
        data.setlist(role, told["images"].get(role, []) if "images" in told else [])
    single = {key: [value] for key, value in told.get("recipe", {}).items() if key != "first_evaluations"}
    for key, values in {**single, **told.get("factors", {})}.items():
        data.setlist(f"vary_{key}", [str(value) for value in values])
    if "repeats" in told:
        data["vary_repeats_other"] = str(told["repeats"])
    return data


def says_no_more(told: Mapping[str, Any], factors: Collection[str]) -> bool:
    """Say whether a plan has only keys that the form has, too. factors: their keys."""
    settings = {*told.get("recipe", {}), *told.get("factors", {})} - {"first_evaluations"}
    return (
        set(told) <= {"title", "preset", "repeats", "images", "recipe", "factors"}
        and set(told.get("images", {})) <= {"content", "style"}
        and settings <= set(factors)
    )


def toml_value(value: Any) -> str:
    """Return a text, a number or a list of such as TOML."""
    # DEL is the one character that JSON leaves bare and TOML refuses.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
