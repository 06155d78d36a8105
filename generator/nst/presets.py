"""Named recipes, each with its source and date; a constant without a note of its own is from that source."""

from __future__ import annotations

from dataclasses import dataclass

from generator.nst.errors import RecipeError, did_you_mean
from generator.nst.recipe import Recipe

_BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
DEFAULT = "modern"


@dataclass(frozen=True)
class Preset:
    """A named recipe. source: the paper or program with its date; summary: one line for lists and help."""

    recipe: Recipe
    source: str
    summary: str


PRESETS: dict[str, Preset] = {
    "patel2019": Preset(
        # The published notebook: content weight 0.1, style 1.0 over the five layers, TV 1.0, noise U(0, 255) - 128,
        # 12 calls of fmin_l_bfgs_b(maxfun=20), each with a fresh memory of scipy's default of 10 pairs.
        Recipe(
            network="vgg16",
            content_layers=("conv3_1",),
            style_layers=_BLOCKS,
            convention="patel2019",
            alpha=0.01,
            beta=1.0,
            tv_weight=1.0,
            tv_form="keras",
            noise_mean=-0.5,
            noise_scale=127.5,
            optimiser="lbfgs-b",
            evaluations=240,
            round_evaluations=20,
            memory=10,
            size=300,
        ),
        source="Y. Patel, neural style transfer and Mean Opinion Scores, Ryerson MRP, 2019; its published notebook",
        summary="Keras's VGG-16, one content layer, alpha/beta, total variation, noise start; keeps the aspect ratio",
    ),
    "modern": Preset(
        Recipe(
            network="vgg16",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            convention="patel2019",
            alpha=0.05,
            beta=1.0,
            tv_weight=0.1,
            tv_form="l2",
            padding="replicate",
            init="content",
            optimiser="lbfgs-b",
            evaluations=60,
            first_evaluations=100,
            pyramid_min=128,
            size=512,
        ),
        source="this project",
        summary="coarse to fine in steps of √2, replicate padding",
    ),
}


def preset(name: str) -> Recipe:
    """Return a preset's recipe. Raises RecipeError with the nearest name."""
    if name not in PRESETS:
        raise RecipeError(f"unknown preset {did_you_mean(name, PRESETS)}")
    return PRESETS[name].recipe.replace(preset=name)
