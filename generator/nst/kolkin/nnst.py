"""NNST-Opt: Neural Neighbor Style Transfer by optimisation, by its formulas.

Kolkin, Kučera, Paris, Sýkora, Shechtman, Shakhnarovich, arXiv 2203.13215, 2022. Constants that the paper leaves open
are those of its authors' program (nkolkin13/NeuralNeighborStyleTransfer, MIT).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from generator.nst.kolkin import formulas, hypercolumns, pyramid
from generator.nst.kolkin.descent import Descent

# Levels of the last image's pyramid; a coarser image has as many less as it is coarser.
PYRAMID = 8
# Positions along the longest side that feature splitting compares at most.
_SIDE = 64


class Nnst(Descent):
    """One image made by NNST. The recipe's ratio is α: how much of the content the search for features sees."""

    optimiser = torch.optim.Adam

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
            style = [self.read(view) for view in views]

        def loss(made: Tensor) -> tuple[Tensor, Tensor]:
            each = [
                self._split(own, [view[layer] for view in style]) for layer, own in enumerate(self.read(made))
            ]
            return made.new_zeros(()), torch.stack(each).sum()

        return self.descend(image, loss, PYRAMID, self.recipe.learning_rate)

    def _columns(self, image: Tensor) -> Tensor:
        return hypercolumns.columns(self.read(image), (image.shape[2], image.shape[3]))

    @torch.no_grad()
    def _replaced(self, image: Tensor, views: Sequence[Tensor]) -> Tensor:
        """Return each hypercolumn of an image as the style's nearest one."""
        style = torch.cat([self._columns(view) for view in views])
        return style[formulas.nearest(self._columns(image), style)]

    def _split(self, own: Tensor, views: Sequence[Tensor]) -> Tensor:
        """Return the loss of one layer, on an even part of its positions where it has many."""
        step = max(1, max(own.shape[2:]) // _SIDE)
        least = (min(step, *(each.shape[side] for each in (own, *views))) for side in (2, 3))
        down, right = (int(torch.randint(most, (), generator=self.generator)) for most in least)
        parts = [hypercolumns.rows(each[:, :, down::step, right::step]) for each in (own, *views)]
        return formulas.splitting_loss(parts[0], torch.cat(parts[1:]))


def rotated(image: Tensor) -> list[Tensor]:
    """Return an image turned by 0, 90, 180 and 270 degrees: more features to choose from."""
    return [torch.rot90(image, turns, (2, 3)) for turns in range(4)]
