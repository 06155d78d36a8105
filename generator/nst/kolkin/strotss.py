"""STROTSS: Style Transfer by Relaxed Optimal Transport and Self-Similarity, by its formulas.

Kolkin, Salavon, Shakhnarovich, CVPR 2019, arXiv 1904.12785. Sections are the paper's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from generator.nst.kolkin import formulas, hypercolumns, pyramid
from generator.nst.kolkin.descent import Descent

# Section 2.5: places that each evaluation compares, and levels of the pyramid.
PLACES, PYRAMID = 1024, 5
# Of the last level's learning rate, 0.001 after 0.002.
_LAST_RATE = 0.5


class Strotss(Descent):
    """One image made by STROTSS. The recipe's ratio is the content weight α of the first level."""

    optimiser = torch.optim.RMSprop

    def level(self, number: int, before: Tensor | None) -> Tensor:
        """See `Descent.level`. Section 2.5: α halves from level to level, and the last one goes half as fast."""
        content, style = self.content(number), self.style(number)
        if before is None:
            image = pyramid.detail(content) + style.mean((2, 3), keepdim=True)
        else:
            image = pyramid.scaled(before, self.sizes[number])
            # As the authors' program: the content's finest detail, at all sizes but the last.
            image = image if number == len(self.sizes) - 1 else image + pyramid.detail(content)
        alpha = self.recipe.ratio / 2**number
        with torch.no_grad():
            wanted, given = self._layers(content), self._layers(style)

        def loss(made: Tensor) -> tuple[Tensor, Tensor]:
            places = grid(self.sizes[number], PLACES, self.generator).to(self.device)
            own = self._sampled(self._layers(made), places)
            theirs = self._sampled(given, anywhere(given[0].shape, PLACES, self.generator).to(self.device))
            return terms(own, self._sampled(wanted, places), theirs, alpha)

        is_last = number == len(self.sizes) - 1
        rate = self.recipe.learning_rate * (_LAST_RATE if is_last else 1.0)
        return self.descend(image, loss, PYRAMID, rate)

    def _layers(self, image: Tensor) -> list[Tensor]:
        """Return an image's colours, 0 to 1, and its activations: section 2.1."""
        return [image / 255, *(each / self.read.unit for each in self.read(image))]

    def _sampled(self, layers: list[Tensor], places: Tensor) -> Tensor:
        height, width = layers[0].shape[2:]
        return hypercolumns.sampled(layers, (height, width), places)


def terms(own: Tensor, content: Tensor, style: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Return the content and the style term of equation 1: (α l_C + l_m + l_r + l_p / α) / (2 + α + 1 / α).

    The palette's distances are Euclidean ones of colours. The paper takes them in decorrelated colours; that the
    authors' program uses is a rotation of RGB, which changes no distance.

    Args:
        own: Hypercolumns of the image, n x d; the first three are its colours.
        content: Those of the content image at the same places.
        style: Those of the style image, m x d.
        alpha: The weight α, above 0.
    """
    whole = 2 + alpha + 1 / alpha
    palette = formulas.relaxed_emd(formulas.euclidean_distances(own[:, :3], style[:, :3]))
    transport = formulas.relaxed_emd(formulas.cosine_distances(own, style))
    pulls = formulas.moment_distance(own, style) + transport + palette / alpha
    return formulas.self_similarity(own, content) * (alpha / whole), pulls / whole


def grid(size: tuple[int, int], count: int, generator: torch.Generator) -> Tensor:
    """Return at most so many pixels of an even grid that starts anywhere: row and column, n x 2."""
    step = max(1, int((size[0] * size[1] / count) ** 0.5))
    first = [int(torch.randint(min(step, side), (), generator=generator)) for side in size]
    every = torch.cartesian_prod(torch.arange(first[0], size[0], step), torch.arange(first[1], size[1], step))
    return every[torch.randperm(len(every), generator=generator)[:count]]


def anywhere(shape: torch.Size, count: int, generator: torch.Generator) -> Tensor:
    """Return so many different pixels of an image, 1 x C x H x W, or all it has: row and column, n x 2."""
    height, width = shape[2:]
    drawn = torch.randperm(height * width, generator=generator)[:count]
    return torch.stack([drawn // width, drawn % width], dim=1)
