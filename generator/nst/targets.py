"""What cells are drawn to: each image's activations or Gram matrices once, and which rows of a batch use them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from generator.nst import losses, patches
from generator.nst.cell import Style
from generator.nst.gpu.precision import wide
from generator.nst.network import Vgg
from generator.nst.recipes.conventions import Shape
from generator.nst.recipes.recipe import Recipe

# Each cell's factors of the losses, by tap.
Factors = Sequence[dict[str, float]]


@dataclass(frozen=True)
class Reference:
    """One cell's images at one level, on the network's device.

    Attributes:
        recipe: The cell's recipe.
        content: 3 x H x W, 0 to 255 less the network's mean.
        styles: Style images in the same unit, at that level's sizes, with shares that add up to 1, and their guides.
        content_map: Semantic map at the content's size, 3 x H x W, 0 to 1; or None.
    """

    recipe: Recipe
    content: Tensor
    styles: tuple[Style, ...]
    content_map: Tensor | None = None


@dataclass(frozen=True)
class _Pull:
    """What draws one cell: to an image (its guide: a mask or map), by a share, under a guide on the cell's own image."""

    cell: int
    image: Tensor
    image_guide: Tensor | None = None
    guide: Tensor | None = None
    share: float = 1.0


@dataclass(frozen=True)
class Use:
    """The rows of a chunk that use one tap, their targets' numbers, coefficients and guides. is_whole: every row, once.

    span: the first row and the one after the last, where the rows follow one another. shared: as targets, but one
    alone where all are the same.
    """

    rows: Tensor
    targets: Tensor | slice
    factors: Tensor
    guides: Tensor | None
    is_whole: bool
    span: tuple[int, int] | None
    shared: Tensor | slice


class Targets:
    """Activations of content images and style images' targets, each computed once for each image and tap.

    Args:
        network: The network, whose taps hold all that the recipes name.
        deviation: What images less their mean are divided by, 3 x 1 x 1.
        references: One for each cell.

    Attributes:
        shapes: The shape of each tap's activations of a content image; "image" is that of the image.
        content: For each tap the activations of all content images, stacked: images x C x H x W.
        style: For each tap the targets of all style images, stacked (see `losses.style_target`).
    """

    def __init__(self, network: Vgg, deviation: Tensor, references: Sequence[Reference]) -> None:
        self.shapes: dict[str, Shape] = {}
        self._network, self._deviation = network, deviation
        self._recipes = [reference.recipe for reference in references]
        self._style_loss = self._recipes[0].style_loss
        self._contents = [_Pull(cell, each.content) for cell, each in enumerate(references)]
        self._styles = [
            _Pull(cell, style.image, style.map, each.content_map, style.weight)
            if self._style_loss == "patches"
            else _Pull(cell, style.image, style.part, style.where, style.weight)
            for cell, each in enumerate(references)
            for style in each.styles
        ]
        # For each tap and pull the target's place in the stack.
        self.content, self._content_index = self._all(self._contents, term=0)
        self.style, self._style_index = self._all(self._styles, term=1)

    def _all(self, pulls: Sequence[_Pull], *, term: int) -> tuple[dict[str, Tensor], dict[str, list[int]]]:
        """Return for each tap the stacked targets, and for each tap and pull which of them is its own."""
        images: dict[tuple[int, int], tuple[_Pull, set[str]]] = {}
        keys = []
        for pull in pulls:
            # Cells of one image share its tensor: `optimise.batch.Batch` sees to that.
            keys.append((id(pull.image), id(pull.image_guide)))
            images.setdefault(keys[-1], (pull, set()))[1].update(self._recipes[pull.cell].taps[term])
        stacks: dict[str, list[Tensor]] = {}
        places: dict[tuple[tuple[int, int], str], int] = {}
        for key, (pull, every) in images.items():
            for tap, target in self._targets(pull, every, gram=term == 1).items():
                places[key, tap] = len(stacks.setdefault(tap, []))
                stacks[tap].append(target)
        index = {tap: [places.get((key, tap), 0) for key in keys] for tap in stacks}
        stack: Callable[[list[Tensor]], Tensor] = torch.stack
        if term == 0:
            stack = _channels_last
        elif self._style_loss == "patches":
            stack = patches.stacked
        return {tap: stack(found) for tap, found in stacks.items()}, index

    @torch.no_grad()
    def _targets(self, pull: _Pull, taps: set[str], *, gram: bool) -> dict[str, Tensor]:
        found = self._network(pull.image[None] / self._deviation)
        # In the network's order: a set's differs from process to process, and with it the order of sums.
        ordered = [tap for tap in found if tap in taps]
        if not gram:
            self.shapes |= {tap: Shape(*features.shape[1:]) for tap, features in found.items()}
            self.shapes["image"] = Shape(*pull.image.shape)
            return {tap: found[tap][0] for tap in ordered}
        guide = None if pull.image_guide is None else pull.image_guide[None]
        return {
            tap: losses.style_target(found[tap], self._style_loss, self.shapes[tap].positions, guide)[0]
            for tap in ordered
        }

    def content_uses(self, cells: Sequence[int], factors: Factors) -> dict[str, Use]:
        """Return which of some cells use which tap for their content images. factors: each cell's, by tap."""
        return self._uses(cells, self._contents, self._content_index, factors)

    def style_uses(self, cells: Sequence[int], factors: Factors) -> dict[str, Use]:
        """Return which of some cells use which tap for their style images. factors: each cell's, by tap."""
        return self._uses(cells, self._styles, self._style_index, factors)

    def _uses(
        self,
        cells: Sequence[int],
        pulls: Sequence[_Pull],
        index: dict[str, list[int]],
        factors: Factors,
    ) -> dict[str, Use]:
        """Return who uses which tap: a cell once for each of its pulls that has a coefficient there."""
        row_of = {cell: row for row, cell in enumerate(cells)}
        uses = {}
        for tap, targets in index.items():
            chosen = [
                (pull, target)
                for pull, target in zip(pulls, targets, strict=True)
                if pull.cell in row_of and factors[pull.cell].get(tap)
            ]
            if chosen:
                device = self._network.device
                rows = [row_of[pull.cell] for pull, _ in chosen]
                numbers = [target for _, target in chosen]
                uses[tap] = Use(
                    torch.tensor(rows, device=device),
                    _index(numbers, device),
                    factors_of(device, [factors[pull.cell][tap] * pull.share for pull, _ in chosen]),
                    _guides([pull.guide for pull, _ in chosen]),
                    is_whole=rows == list(range(len(cells))),
                    span=_span(rows),
                    shared=_index([*dict.fromkeys(numbers)] if len(set(numbers)) == 1 else numbers, device),
                )
        return uses


def factors_of(device: torch.device, values: Sequence[float]) -> Tensor:
    """Return factors of losses, N, in the wide format (`precision.wide`)."""
    return torch.tensor(values, dtype=wide(device), device=device)


def rows_of(features: Tensor, use: Use) -> Tensor:
    """Return the rows of a chunk's activations that use a tap."""
    return features if use.is_whole else features[use.rows]


def _guides(guides: Sequence[Tensor | None]) -> Tensor | None:
    """Stack guides; where only some have one, an even one for the others: it guides nowhere."""
    known = next((guide for guide in guides if guide is not None), None)
    if known is None:
        return None
    even = torch.zeros_like(known) if len(known) == 3 else torch.ones_like(known)
    return torch.stack([even if guide is None else guide for guide in guides])


def _channels_last(activations: list[Tensor]) -> Tensor:
    """Stack activations as the network will give them: what lies alike is compared fastest."""
    return torch.stack(activations).contiguous(memory_format=torch.channels_last)


def _index(places: Sequence[int], device: torch.device) -> Tensor | slice:
    """Return what picks places of a stack; a single one is not copied."""
    if len(places) == 1:
        return slice(places[0], places[0] + 1)
    return torch.tensor(places, device=device)


def _span(rows: Sequence[int]) -> tuple[int, int] | None:
    first, end = rows[0], rows[-1] + 1
    return (first, end) if list(rows) == list(range(first, end)) else None
