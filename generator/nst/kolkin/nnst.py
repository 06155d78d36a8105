"""NNST-Opt: Neural Neighbor Style Transfer by optimisation, by its formulas.

Kolkin, Kučera, Paris, Sýkora, Shechtman, Shakhnarovich, arXiv 2203.13215, 2022. Constants that the paper leaves open
are those of its authors' program (nkolkin13/NeuralNeighborStyleTransfer, MIT).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from generator.nst.kolkin import formulas, hypercolumns, pyramid
from generator.nst.kolkin.descent import Descent
from generator.nst.network import seeks_in_bf16

# Levels of the last image's pyramid; a coarser image has as many less as it is coarser.
PYRAMID = 8
# Positions along the longest side that feature splitting compares at most.
_SIDE = 64


class Nnst(Descent):
    """One image made by NNST. The recipe's ratio is α: how much of the content the search for features sees."""

    optimiser = torch.optim.Adam

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._quick = seeks_in_bf16(self.recipe.precision, self.device)
        if self._quick:
            self.notes = ("nearest features sought in bfloat16",)

    def level(self, number: int, before: Tensor | None) -> Tensor:
        """See `Descent.level`: features are replaced, then the image is made from them; the last level is gone over again."""
        content = self.content(number)
        start = content if before is None else pyramid.scaled(before, self.sizes[number])
        # The search sees the content's fine detail, which the image itself starts without.
        seen = content if before is None else start + pyramid.detail(content)
        alpha = 1.0 if before is None else self.recipe.ratio
        views = rotated(self.style(number))
        later = len(self.sizes) - 1 - number
        wanted = self._replaced(alpha * content + (1 - alpha) * seen, views)
        image = self._matched(start, wanted, max(1, PYRAMID - later))
        return image if later else self._gone_over(image, views)

    def _matched(self, image: Tensor, wanted: Tensor, levels: int) -> Tensor:
        """Draw the hypercolumns of an image to their targets."""

        def loss(made: Tensor) -> tuple[Tensor, Tensor]:
            return made.new_zeros(()), formulas.cosine_loss(self._columns(made), wanted)

        return self.descend(image, loss, levels, self.recipe.learning_rate)

    def _gone_over(self, image: Tensor, views: Sequence[Tensor]) -> Tensor:
        """Draw each layer of an image to the style's nearest features by itself (feature splitting)."""
        with torch.no_grad():
            layers = zip(*(self.read(view) for view in views), strict=True)
            styles = [_Layer(each, self._quick) for each in layers]

        def loss(made: Tensor) -> tuple[Tensor, Tensor]:
            each = [
                style.loss(own, self.generator) for own, style in zip(self.read(made), styles, strict=True)
            ]
            return made.new_zeros(()), torch.stack(each).sum()

        return self.descend(image, loss, PYRAMID, self.recipe.learning_rate)

    def _columns(self, image: Tensor) -> Tensor:
        return hypercolumns.columns(self.read(image), (image.shape[2], image.shape[3]))

    @torch.no_grad()
    def _replaced(self, image: Tensor, views: Sequence[Tensor]) -> Tensor:
        """Return each hypercolumn of an image as the style's nearest one."""
        style = formulas.Style(torch.cat([self._columns(view) for view in views]), self._quick)
        return style.rows[style.nearest(self._columns(image))]


class _Layer:
    """One layer of the style, in all views, whose features an image's are compared with.

    Args:
        views: 1 x C x h x w each.
        quick: See `formulas.Style`.
    """

    def __init__(self, views: Sequence[Tensor], quick: bool) -> None:
        self._views, self._quick = views, quick
        self._whole: formulas.Style | None = None

    def loss(self, own: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of an image's layer, on an even part of the positions where there are many."""
        step = max(1, max(own.shape[2:]) // _SIDE)
        least = (min(step, *(each.shape[side] for each in (own, *self._views))) for side in (2, 3))
        first = tuple(int(torch.randint(most, (), generator=generator)) for most in least)
        return formulas.splitting_loss(_part(own, first, step), self._style(first, step))

    def _style(self, first: tuple[int, ...], step: int) -> formulas.Style:
        if self._whole is not None:
            return self._whole
        found = formulas.Style(torch.cat([_part(each, first, step) for each in self._views]), self._quick)
        # All positions are the same ones at each evaluation.
        self._whole = found if step == 1 else None
        return found


def _part(layer: Tensor, first: tuple[int, ...], step: int) -> Tensor:
    return hypercolumns.rows(layer[:, :, first[0] :: step, first[1] :: step])


def rotated(image: Tensor) -> list[Tensor]:
    """Return an image turned by 0, 90, 180 and 270 degrees: more features to choose from."""
    return [torch.rot90(image, turns, (2, 3)) for turns in range(4)]
