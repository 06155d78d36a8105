"""A small recipe and a transfer by it, for tests of the loop."""

from __future__ import annotations

from generator.nst import Recipe, transfer
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
SMALL = Recipe(
    content_layers=("conv2_1",),
    style_layers=("conv1_1", "conv3_1"),
    alpha=0.01,
    beta=1.0,
    evaluations=12,
    size=32,
    precision="fp32",
)


def make(recipe=SMALL, seed=1, content=None, style=None, **options):
    content = picture(32, 24, seed=1) if content is None else content
    style = picture(40, 40, seed=2) if style is None else style
    return transfer(content, style, recipe, seed=seed, weights=WEIGHTS["vgg16"], **options)
