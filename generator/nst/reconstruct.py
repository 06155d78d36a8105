"""What a layer holds of an image: the image made again from its activations alone, or from its Gram matrices.

Gatys, Ecker, Bethge 2015 (arXiv 1508.06576), figure 1, which Patel 2019 shows as figure 5.2: content from one layer,
style from conv1_1 .. convn_1.
Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them" (CVPR 2015): a pre-image of the
activations under a total variation of power beta / 2.
"""

from __future__ import annotations

from generator.nst.recipes.presets import preset
from generator.nst.recipes.recipe import Recipe

# The settings of Patel 2019 for everything that a reconstruction leaves open, in each picture's own shape. The figure
# was not made by that program, so its slip of the means is left out.
BASE = preset("patel2019").replace(preset="", shape="aspect", legacy_mean_order=False)


def content_recipes(layers: tuple[str, ...], base: Recipe = BASE) -> list[Recipe]:
    """Return one recipe for each layer: the content image from that layer alone.

    Args:
        layers: Layers, such as "conv4_2".
        base: All other settings.
    """
    return [base.replace(content_layer=layer, alpha=1.0, beta=0.0, tv_weight=0.0) for layer in layers]


def style_recipes(layers: tuple[str, ...], base: Recipe = BASE) -> list[Recipe]:
    """Return one recipe for each growing subset: the style image's texture from the first 1, 2, .. n layers.

    Args:
        layers: Layers from the first to the deepest.
        base: All other settings.
    """
    return [
        base.replace(style_layers=list(layers[:count]), style_weights=[], alpha=0.0, beta=1.0, tv_weight=0.0)
        for count in range(1, len(layers) + 1)
    ]


def preimage_recipes(
    layers: tuple[str, ...], beta: float = 2.0, tv_weight: float = 1.0, base: Recipe = BASE
) -> list[Recipe]:
    """Return one recipe for each layer: its pre-image under Σ (dx² + dy²)^(beta/2) (Mahendran and Vedaldi, eq. 3).

    Args:
        layers: Layers, such as "conv4_2".
        beta: Exponent of the total variation, above 0.
        tv_weight: Its weight, 0 or more.
        base: All other settings.
    """
    return [
        recipe.replace(tv_form="mahendran-vedaldi", tv_beta=beta, tv_weight=tv_weight)
        for recipe in content_recipes(layers, base)
    ]
