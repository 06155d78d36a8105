"""A plan from the arguments of a command: images, a preset, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generator.plans.document import SHIPPED, Document, PlanError, read_document, shipped_plans
from generator.plans.images import matching_files
from generator.plans.plan import Plan, plan_of
from generator.plans.toml import TomlError, read_toml

_NAMES_SHOWN = 3


def plan_of_words(
    content: Sequence[str], style: Sequence[str], preset: str = "", settings: Sequence[str] = ()
) -> Plan:
    """Return the plan of these images, every content image with every style image.

    Args:
        content: Files, relative to the current folder.
        style: Files, as `content`.
        preset: A preset, or a shipped plan; "" for the default preset.
        settings: Texts such as "ratio=0.01", for keys of a recipe.

    Raises:
        PlanError: As for a plan file; the message gives the option to change.
    """
    for role, names in (("content", content), ("style", style)):
        if not names:
            raise PlanError(f"--{role}: name at least one image file")
        for name in names:
            matching_files(name, Path(), f"--{role}")
    chosen = _settings(settings)
    shipped = read_document(SHIPPED / f"{preset}.toml") if preset in shipped_plans() else None
    title = f"{shipped.title}, {_pair_name(content, style)}" if shipped else _pair_name(content, style)
    told = ([preset] if preset and not shipped else []) + [f"{key} {_shown(chosen[key])}" for key in chosen]
    lines = [
        f"title = {_toml(', '.join([title, *told])[:200])}",
        *([f"preset = {_toml(preset)}"] if preset else []),
        "",
        "[images]",
        *_images(content, style, preset, shipped),
        *(["", "[recipe]"] if chosen else []),
        *(f"{key} = {_toml(value)}" for key, value in chosen.items()),
    ]
    try:
        return plan_of("\n".join(lines) + "\n", "command line", Path())
    except PlanError as error:
        message = str(error).replace("command line: [recipe]", "--set")
        raise PlanError(
            message.replace("command line: unknown preset", "--preset: unknown preset")
        ) from error


def _images(content: Sequence[str], style: Sequence[str], preset: str, shipped: Document | None) -> list[str]:
    """Return the lines of [images]: pairs in order if the shipped plan has pairs, else every combination."""
    listed = [*shipped.cells, *shipped.anchors] if shipped else []
    pairs = max((cell["pair"] for cell in listed if "pair" in cell), default=0)
    counts = {len(content), len(style)}
    if not pairs and shipped and shipped.images.pairs and len(counts) == 1:
        return [f"pairs = {_toml([list(pair) for pair in zip(content, style, strict=True)])}"]
    if not pairs:
        return [f"content = {_toml(list(content))}", f"style = {_toml(list(style))}"]
    if not counts <= {1, pairs} or counts == {1}:
        raise PlanError(
            f"--preset {preset}: needs {pairs} pairs; give {pairs} files to --content and {pairs} to --style "
            f"(or one to either), not {len(content)} and {len(style)}"
        )
    first, second = (list(names) * (pairs if len(names) == 1 else 1) for names in (content, style))
    return [f"pairs = {_toml([list(pair) for pair in zip(first, second, strict=True)])}"]


def _settings(words: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or not text or not re.fullmatch("[A-Za-z_]+", key):
            raise PlanError(f"--set {word}: should be KEY=VALUE, such as ratio=0.01")
        if key in found:
            raise PlanError(f"--set {word}: gives {key} a second time")
        found[key] = _value(key, text)
    return found


def _value(key: str, text: str) -> Any:
    """Return a number, true, false, a list, or else the text itself; a comma makes a list of layers or weights."""
    if key in ("content_layers", "style_layers", "style_weights") and "[" not in text:
        return [_value("", part) for part in text.split(",")]
    try:
        value = read_toml(f"value = {text}")
    except TomlError:
        return text
    plain = isinstance(value["value"], bool | int | float | str | list)
    return value["value"] if plain and len(value) == 1 else text


def _pair_name(content: Sequence[str], style: Sequence[str]) -> str:
    def joined(names: Sequence[str], many: str) -> str:
        if len(names) > _NAMES_SHOWN:
            return f"{len(names)} {many}"
        return ", ".join(Path(name).stem for name in names)

    return f"{joined(content, 'contents')} × {joined(style, 'styles')}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return Path(value).name if isinstance(value, str) else str(value)


def _toml(value: Any) -> str:
    """Return a value as TOML. Strings are written as in JSON, which TOML reads the same way except for DEL."""
    if isinstance(value, str) and not value.isprintable():
        raise PlanError(f"{value!r}: has a character that a plan cannot contain; rename the file")
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | str) else repr(value)
