"""From a program's own alpha, beta and TV weight to the coefficients of the inner unit `a*C + sum(b*E) + t*TV`.

C = ½ Σ (F − P)² and E = Σ (G − A)² / (4 N² M²) are Gatys's (2016, equations 1 and 4), N a layer's channels and M its
positions. "alpha / beta = 0.01" means something else in each convention, and in some for each image size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The shape of a layer's activations, or of the image with its 3 channels.

    Attributes:
        channels: C.
        height: H, in positions.
        width: W, in positions.
    """

    channels: int
    height: int
    width: int

    @property
    def positions(self) -> int:
        """H W."""
        return self.height * self.width


@dataclass(frozen=True)
class Convention:
    """How a program's alpha, beta and TV weight become a, b and t.

    Attributes:
        content: From a layer's shape to a per unit of alpha, for a content layer of weight 1.
        style: From the shapes of layer and image to b per unit of beta, for a style layer of weight 1.
        source: Program or paper, and its formula.
        tv: From the image's shape to t per unit of tv_weight.
    """

    content: Callable[[Shape], float]
    style: Callable[[Shape, Shape], float]
    source: str
    tv: Callable[[Shape], float] = lambda image: 1.0


def _keras_style(layer: Shape, image: Shape) -> float:
    """Σ(G−A)² / (4 · 3² · (HW)²) in units of E: the example divides by the image's size at every layer."""
    return (layer.channels * layer.positions) ** 2 / (3 * image.positions) ** 2


CONVERTED = ("alpha", "beta", "tv_weight")
"""Weights of a recipe that mean something else in each convention. `range_weight` is in the inner unit by all of them."""

CONVENTIONS: dict[str, Convention] = {
    "paper": Convention(lambda layer: 1.0, lambda layer, image: 1.0, "Gatys, Ecker, Bethge 2016, equation 7"),
    "keras": Convention(
        lambda layer: 2.0, _keras_style, "Keras's examples/neural_style_transfer.py: content Σ(F−P)²"
    ),
    "patel2019": Convention(lambda layer: 1.0, _keras_style, "Patel 2019: Keras's style, content ½ Σ(F−P)²"),
    "neural-style": Convention(
        lambda layer: 2.0 / (layer.channels * layer.positions),
        lambda layer, image: 4.0 / layer.channels**2,
        "mean squares, Gram / (N M): neural-style (2015) and what descends from it",
    ),
    "matconvnet": Convention(
        lambda layer: 0.5 / (layer.channels * layer.positions),
        lambda layer, image: 1.0,
        "the VGG-19 .mat exercise: content Σ(F−P)² / (4 N M), style as in the paper",
    ),
    "udacity": Convention(
        lambda layer: 2.0 / (layer.channels * layer.positions),
        lambda layer, image: 4.0 * layer.positions / layer.channels,
        "Udacity's VGG-19 exercise: mean squares, Gram undivided, loss / (N M)",
    ),
    # Of the Wasserstein distance, which is a mean over channels as the content loss is: both are squares of activations.
    "style-transfer-pytorch": Convention(
        lambda layer: 2.0 / (layer.channels * layer.positions),
        lambda layer, image: 1.0,
        "crowsonkb/style-transfer-pytorch: means over channels of squares and of the Wasserstein distance",
    ),
    # Of the patches' loss: the program steps along the mean difference of the 9 patches over a position.
    "li-wand2016": Convention(
        lambda layer: 2.0 / (layer.channels * layer.positions),
        lambda layer, image: 1.0 / 18.0,
        "Li and Wand's cnnmrf.lua: content a mean square, style ½ Σ|Ψ(F)−Ψ(S)|² / 9",
    ),
    "neural-doodle": Convention(
        lambda layer: 2.0 / (layer.channels * layer.positions),
        lambda layer, image: 1.0 / (9 * layer.channels * (layer.height - 2) * (layer.width - 2)),
        "Champandard's doodle.py: means of squares of content, patches and total variation",
        tv=lambda image: 1.0 / (image.channels * (image.height - 1) * (image.width - 1)),
    ),
}
