"""Neural style transfer by optimisation: named layers, presets of published systems, whole batches at once.

Needs only PyTorch:

    from generator.nst import load, preset, transfer
    recipe = preset("patel2019").replace(ratio=0.05, size=256)
    result = transfer(content, style, recipe, seed=1, weights=load("vgg16", cache_dir))

PyTorch is imported when a name that needs it is first used; recipes, presets and errors do without.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from generator.nst.cpu import openmp
from generator.nst.recipes.coefficients import Coefficients, coefficients
from generator.nst.recipes.conventions import Shape
from generator.nst.recipes.errors import LayerError, NstError, RecipeError, WeightsError
from generator.nst.recipes.networks import available
from generator.nst.recipes.presets import DEFAULT, PRESETS, preset
from generator.nst.recipes.recipe import Recipe

if TYPE_CHECKING:
    from generator.nst import losses
    from generator.nst.cell import Cell, Style
    from generator.nst.optimise.transfer import ALGORITHM, batch_key, transfer, transfer_batch
    from generator.nst.results import Progress, Result
    from generator.nst.weights.registry import Weights, fetch, load, verify, weights_hash

# Read by OpenMP when PyTorch is first imported.
os.environ.update(openmp.unless_chosen(os.environ))

# The names that need PyTorch, and the module of each.
_LAZY = {
    **dict.fromkeys(("Cell", "Style"), "cell"),
    **dict.fromkeys(("Progress", "Result"), "results"),
    **dict.fromkeys(("ALGORITHM", "batch_key", "transfer", "transfer_batch"), "optimise.transfer"),
    **dict.fromkeys(("Weights", "fetch", "load", "verify", "weights_hash"), "weights.registry"),
}

__all__ = [
    "ALGORITHM",
    "DEFAULT",
    "PRESETS",
    "Cell",
    "Coefficients",
    "LayerError",
    "NstError",
    "Progress",
    "Recipe",
    "RecipeError",
    "Result",
    "Shape",
    "Style",
    "Weights",
    "WeightsError",
    "available",
    "batch_key",
    "coefficients",
    "fetch",
    "load",
    "losses",
    "preset",
    "transfer",
    "transfer_batch",
    "verify",
    "weights_hash",
]


def __getattr__(name: str) -> Any:
    if name == "losses":
        return importlib.import_module("generator.nst.losses")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
