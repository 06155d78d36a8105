"""How a study's images were made, in sentences for a methods section."""

from __future__ import annotations

import json
from typing import Any, Final

import pandas as pd

from generator.nst.recipes.effects import idle
from generator.nst.recipes.errors import NstError
from generator.nst.recipes.networks import ARCHITECTURE_NAMES
from generator.nst.recipes.presets import described
from generator.nst.recipes.recipe import Recipe
from generator.nst.recipes.sizes import level_budgets, level_count
from survey.analysis.terms import listed
from survey.models import Stimulus
from survey.results.settings import MADE, MADE_ELSEWHERE

_PASSES: Final = "evaluations of the network"
_NO_SEED: Final = "without a seed"
_MOST: Final = 8
"""Values of a setting that a sentence lists."""
_SHORT: Final = 12
"""Characters of a hash in a sentence; settings.csv has all 64."""


def making_words(settings: pd.DataFrame, items: pd.DataFrame) -> str:
    """Say how the images that people rated were made, or that they came as files.

    Args:
        settings: as `settings.settings_table` returns it.
        items: one row an image, with its role.
    """
    rated = items.loc[items["role"] == Stimulus.Role.MAIN, "item"]
    shown = settings[settings["item"].isin(list(rated))]
    made = shown[shown["made"].isin([MADE, MADE_ELSEWHERE])]
    others = len(shown) - len(made)
    if made.empty:
        return "The images were supplied as files."
    more = (
        f" Another {others} {'image was' if others == 1 else 'images were'} supplied as files."
        if others
        else ""
    )
    return f"{_made(made, others)}{more}"


def _made(made: pd.DataFrame, others: int) -> str:
    alike, varied = _told_apart(made)
    contents, styles = made["content_pixels"].nunique(), made["style_pixels"].nunique()
    count = f"Of the images, {len(made)} were" if others else f"The {len(made)} images were"
    if len(made) == 1:
        count = "One image was"
    said = [
        f"{count} made by neural style transfer from {_count(contents, 'content image')} and {_count(styles, 'style image')}"
        f"{_presets(made)}{_networks(made)}."
    ]
    own = [_setting(key, value) for key, value in alike.items()]
    if own:
        said.append(f"{'It' if len(made) == 1 else 'All of them'} had {listed(own)}.")
    if varied:
        values = [f"{key} ({_values(found)})" for key, found in varied.items()]
        said.append(f"They differed in {listed(values)}.")
    return " ".join(said)


def _told_apart(made: pd.DataFrame) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return what is worth saying of settings that all images share, and the values of those that differ."""
    rows = [_effective(json.loads(text)) for text in made["recipe"]]
    for row, seed in zip(rows, made["seed"], strict=True):
        # An integer of pandas is none of JSON's.
        row["seed"] = None if row.pop(_NO_SEED, False) or pd.isna(seed) else int(seed)
    keys = dict.fromkeys(key for row in rows for key in row if key not in ("preset", "network"))
    found = {key: [row.get(key) for row in rows] for key in keys}
    if len(_distinct(found.get("alpha", []))) > 1 and len(_distinct(found.get("beta", []))) == 1:
        found["ratio of content to style weight"] = made["ratio"].tolist()
        del found["alpha"]
    varied = {key: _distinct(values) for key, values in found.items() if len(_distinct(values)) > 1}
    changed = {
        part.partition(" = ")[0]
        for text in made["changed"].dropna()
        for part in str(text).split("; ")
        if part
    }
    worth = {"size", _PASSES, "seed", *changed}
    alike = {key: values[0] for key, values in found.items() if key in worth and key not in varied}
    return {key: value for key, value in alike.items() if value is not None}, varied


def _effective(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a recipe that change its images, the evaluations of all sizes in one."""
    try:
        recipe = Recipe.from_dict(settings)
        without = idle(recipe)
        passes = sum(level_budgets(recipe, level_count(recipe)))
    except NstError:
        # Of a later or a much earlier version: its settings as they are.
        return dict(settings)
    dropped = {*without, "evaluations", "first_evaluations"}
    kept = {key: value for key, value in settings.items() if key not in dropped}
    if recipe.method != "feedforward":
        kept[_PASSES] = passes
    return kept | ({_NO_SEED: True} if "seed" in without else {})


def _distinct(values: list[Any]) -> list[Any]:
    known = {json.dumps(value, sort_keys=True): value for value in values}
    return list(known.values())


def _presets(made: pd.DataFrame) -> str:
    names = list(dict.fromkeys(made["preset"].dropna()))
    if not names:
        return ""
    told = [f"“{name}”{_source(str(name))}" for name in names]
    return f", by nstsite's {'preset' if len(names) == 1 else 'presets'} {listed(told)}"


def _source(name: str) -> str:
    found = described(name)
    return f" ({found.source})" if found else ""


def _networks(made: pd.DataFrame) -> str:
    pairs = dict(zip(made["network_sha256"], made["network"], strict=True))
    told = [
        f"{ARCHITECTURE_NAMES.get(str(name), str(name))} (SHA-256 of the weights {str(digest)[:_SHORT]}…)"
        for digest, name in pairs.items()
    ]
    return f", with the network {listed(told)}" if len(told) == 1 else f", with the networks {listed(told)}"


def _setting(key: str, value: Any) -> str:
    if key == "size":
        return f"a longest side of {value} pixels"
    if key == _PASSES:
        return f"up to {value} {_PASSES}"
    return f"{key} {_value(value)}"


def _values(found: list[Any]) -> str:
    if len(found) <= _MOST:
        return ", ".join(map(_value, found))
    if all(isinstance(value, int | float) for value in found):
        return f"{len(found)} values from {_value(min(found))} to {_value(max(found))}"
    return f"{len(found)} values"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " + ".join(map(_value, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _count(number: int, thing: str) -> str:
    return f"one {thing}" if number == 1 else f"{number} {thing}s"
