"""Neural style transfer by optimisation: named layers, presets of published systems, whole batches at once.

Stands on PyTorch alone:

    from generator.nst import load, preset, transfer
    recipe = preset("patel2019").replace(ratio=0.05, size=256)
    result = transfer(content, style, recipe, seed=1, weights=load("vgg16", cache_dir))
"""

from __future__ import annotations

import os

from generator.nst.cpu import openmp

os.environ.update(openmp.unless_chosen(os.environ))

from generator.nst import losses
from generator.nst.cell import Cell, Style
from generator.nst.optimise.transfer import ALGORITHM, Progress, Result, batch_key, transfer, transfer_batch
from generator.nst.recipes.conventions import Coefficients, Shape, coefficients
from generator.nst.recipes.errors import LayerError, NstError, RecipeError, WeightsError
from generator.nst.recipes.presets import DEFAULT, PRESETS, preset
from generator.nst.recipes.recipe import Recipe
from generator.nst.weights.registry import Weights, available, fetch, load, verify, weights_hash

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
