"""Which settings of a recipe change its images, and why the others do not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

from generator.nst.recipes.options import KOLKIN
from generator.nst.recipes.recipe import Recipe
from generator.nst.recipes.sizes import level_count

_DEFAULTS = {field.name: field.default for field in fields(Recipe)}
_NOISE = ("noise", "noise_mean", "noise_scale")
# TV forms that raise to a power of their own.
_FIXED_POWER = ("l1", "keras", "nine-point", "l2")
_ONE_PASS = ("method", "network", "size", "shape", "precision")
# What the methods of generator/nst/kolkin/ read.
_KOLKIN_KEYS = (
    *_ONE_PASS, "style_layers", "alpha", "beta", "evaluations", "learning_rate", "pooling", "activation", "padding",
    "style_scale", "style_shape", "pyramid_min", "pyramid_step", "colour", "seed", "preset",
)  # fmt: skip


def idle(recipe: Recipe) -> dict[str, str]:
    """Return each key that changes nothing in this recipe, with the reason; `seed` is among them where it may be."""
    if recipe.method == "feedforward":
        keys = [key for key in (*_DEFAULTS, "seed") if key not in (*_ONE_PASS, "preset")]
        return dict.fromkeys(keys, 'method = "feedforward"')
    if recipe.method in KOLKIN:
        return _idle_of_kolkin(recipe)
    return {**_idle_losses(recipe), **_idle_start(recipe), **_idle_descent(recipe), **_idle_sizes(recipe)}


def _idle_of_kolkin(recipe: Recipe) -> dict[str, str]:
    others = [key for key in _DEFAULTS if key not in _KOLKIN_KEYS]
    found = dict.fromkeys(others, f'method = "{recipe.method}"')
    losses, sizes = _idle_losses(recipe), _idle_sizes(recipe)
    found |= {key: losses[key] for key in ("pooling", "activation") if key in losses}
    return found | {key: reason for key, reason in sizes.items() if key not in ("evaluations", *found)}


def _idle_losses(recipe: Recipe) -> dict[str, str]:
    found: dict[str, str] = {}
    if not recipe.alpha:
        found["content_layers"] = "alpha = 0"
    elif not recipe.content_layers:
        found["alpha"] = "there is no content layer"
    if not recipe.beta:
        found |= dict.fromkeys(("style_layers", "style_weights", "style_loss"), "beta = 0")
    elif not recipe.style_layers:
        found |= dict.fromkeys(("beta", "style_weights", "style_loss"), "there is no style layer")
    if not recipe.tv_weight:
        found |= dict.fromkeys(("tv_form", "tv_beta"), "tv_weight = 0")
    elif recipe.tv_form in _FIXED_POWER:
        found["tv_beta"] = f'tv_form = "{recipe.tv_form}"'
    taps = [tap for named in recipe.taps for tap in named]
    if all(tap[4] == "1" and not tap.startswith("pool") for tap in taps):
        found["pooling"] = "no layer lies behind a pooling"
    named = (
        *(recipe.content_layers if recipe.taps[0] else ()),
        *(recipe.style_layers if recipe.beta else ()),
    )
    if not any(name.startswith("conv") for name in named):
        found["activation"] = "no layer is a convolution"
    return found


def _idle_start(recipe: Recipe) -> dict[str, str]:
    found: dict[str, str] = {}
    if recipe.init != "mix":
        found["noise_share"] = f'init = "{recipe.init}"'
    if recipe.init == "content":
        found |= dict.fromkeys((*_NOISE, "seed"), 'init = "content"')
    elif recipe.init == "mix" and not recipe.noise_share:
        found |= dict.fromkeys((*_NOISE, "seed"), "noise_share = 0")
    elif not recipe.noise_scale:
        found |= dict.fromkeys(("noise", "seed"), "noise_scale = 0")
    return found


def _idle_descent(recipe: Recipe) -> dict[str, str]:
    found: dict[str, str] = {}
    because = f'optimiser = "{recipe.optimiser}"'
    if recipe.optimiser == "adam":
        found["memory"] = because
    else:
        found["clamp"] = because
    if recipe.optimiser == "lbfgs-b":
        found["learning_rate"] = because
    else:
        found["round_evaluations"] = because
    return found


def _idle_sizes(recipe: Recipe) -> dict[str, str]:
    found: dict[str, str] = {}
    if level_count(recipe) == 1:
        because = f"size = {recipe.size} is made in one level"
        found["pyramid_step"] = because
        if recipe.pyramid_min:
            found["pyramid_min"] = because
        if recipe.first_evaluations:
            found["evaluations"] = f"{because}, which has first_evaluations"
    if not recipe.beta or not recipe.style_layers:
        found |= dict.fromkeys(("style_scale", "style_shape"), "there is no style loss")
    elif recipe.shape == "square":
        found |= dict.fromkeys(("style_scale", "style_shape"), 'shape = "square"')
    elif recipe.style_shape == "content":
        found["style_scale"] = 'style_shape = "content"'
    return found


def effective(recipe: Recipe) -> dict[str, Any]:
    """Return the settings that change the images and are not at their defaults, in one spelling.

    Two pyramids of the same levels stay apart; see `fingerprint`.
    """
    unheard = {*idle(recipe), "preset"}
    values = {
        key: value
        for key, default in _DEFAULTS.items()
        if key not in unheard and (value := getattr(recipe, key)) != default
    }
    if recipe.method == "feedforward":
        # The network's own hash stands for it.
        return {key: value for key, value in values.items() if key != "network"}
    if "evaluations" in unheard:
        values |= {"evaluations": values.pop("first_evaluations")}
    elif recipe.first_evaluations == recipe.evaluations:
        values.pop("first_evaluations", None)
    budget = max(recipe.evaluations, recipe.first_evaluations)
    if recipe.memory >= budget and recipe.method not in KOLKIN:
        # No optimiser remembers more than it has seen.
        values["memory"] = max(budget, Recipe.memory)
    if recipe.activation == "after" or "activation" in unheard:
        for key in {"content_layers", "style_layers"} - unheard:
            values[key] = tuple(name.replace("relu", "conv") for name in getattr(recipe, key))
    if recipe.style_weights == (1 / max(1, len(recipe.style_layers)),) * len(recipe.style_layers):
        values.pop("style_weights", None)
    return {key: value for key, value in values.items() if value != _DEFAULTS[key]}


def effective_sha256(recipe: Recipe) -> str:
    """Return the SHA-256 of `effective`: that of the recipe itself where each of its settings changes the images."""
    text = json.dumps(effective(recipe), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(recipe: Recipe) -> tuple[Any, ...]:
    """Return what two recipes share that make the same image of the same pictures."""
    values = {**effective(recipe), "network": recipe.network}
    if recipe.method == "feedforward":
        return tuple(sorted(values.items()))
    sides = [round(recipe.size / recipe.pyramid_step**step) for step in range(level_count(recipe))]
    values.pop("pyramid_min", None)
    values.pop("pyramid_step", None)
    return (*sorted(values.items()), *sides)
