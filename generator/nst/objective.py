"""What a batch of cells minimises: each cell its own layers, coefficients and targets, one network for all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from generator.nst import losses, patches
from generator.nst.conventions import Coefficients, Shape, coefficients
from generator.nst.network import Vgg
from generator.nst.recipe import Recipe

TERMS = ("content", "style", "tv")


@dataclass(frozen=True)
class Reference:
    """One cell's images at one level: 3 x H x W, 0..255 less the network's mean, on the network's device.

    content_map, style_map: guides of the patches, 3 x any size, 0..1.
    """

    recipe: Recipe
    content: Tensor
    style: Tensor
    content_map: Tensor | None = None
    style_map: Tensor | None = None


@dataclass(frozen=True)
class _Use:
    """The rows of a chunk that use one tap, their targets' numbers and their coefficients."""

    rows: Tensor
    targets: Tensor
    factors: Tensor


class Targets:
    """Activations of content images and style images' targets, each computed once for each image and tap."""

    def __init__(self, network: Vgg, deviation: Tensor, references: Sequence[Reference]) -> None:
        self.shapes: dict[str, Shape] = {}
        self._network, self._deviation = network, deviation
        self._style_loss = references[0].recipe.style_loss
        self.content, self.content_index = self._all(
            [(each.content, None, each.recipe.taps[0]) for each in references], gram=False
        )
        self.style, self.style_index = self._all(
            [(each.style, each.style_map, each.recipe.taps[1]) for each in references], gram=True
        )

    def _all(
        self, wanted: Sequence[tuple[Tensor, Tensor | None, tuple[str, ...]]], *, gram: bool
    ) -> tuple[dict[str, Tensor], dict[str, list[int]]]:
        """Return for each tap the stacked targets, and for each tap and cell which of them is its own."""
        images: dict[str, tuple[Tensor, Tensor | None, set[str]]] = {}
        keys = []
        for image, guide, taps in wanted:
            keys.append(_digest(image) + (_digest(guide) if guide is not None else ""))
            images.setdefault(keys[-1], (image, guide, set()))[2].update(taps)
        stacks: dict[str, list[Tensor]] = {}
        places: dict[tuple[str, str], int] = {}
        for key, (image, guide, every) in images.items():
            for tap, target in self._targets(image, guide, every, gram=gram).items():
                places[key, tap] = len(stacks.setdefault(tap, []))
                stacks[tap].append(target)
        index = {tap: [places.get((key, tap), 0) for key in keys] for tap in stacks}
        stack = patches.stacked if gram and self._style_loss == "patches" else torch.stack
        return {tap: stack(found) for tap, found in stacks.items()}, index

    @torch.no_grad()
    def _targets(
        self, image: Tensor, guide: Tensor | None, taps: set[str], *, gram: bool
    ) -> dict[str, Tensor]:
        found = self._network(image[None] / self._deviation)
        for tap, features in found.items():
            if not gram:
                self.shapes[tap] = Shape(*features.shape[1:])
        if not gram:
            self.shapes["image"] = Shape(*image.shape)
            return {tap: found[tap][0] for tap in taps}
        guides = None if guide is None else guide[None]
        return {
            tap: losses.style_target(found[tap], self._style_loss, self.shapes[tap].positions, guides)[0]
            for tap in taps
        }


def _digest(image: Tensor) -> str:
    data = image.detach().to("cpu", torch.float32).contiguous().numpy().tobytes()
    return hashlib.sha256(str(tuple(image.shape)).encode() + data).hexdigest()


class Objective:
    """Losses and gradients of N cells of one size. All recipes share network, pooling, padding and the forms of style loss and TV.

    `chunk` cells go through the network at a time; it is halved where memory runs out.
    """

    def __init__(
        self, network: Vgg, deviation: Tensor, references: Sequence[Reference], chunk: int = 0
    ) -> None:
        self._network, self._deviation = network, deviation
        self._recipes = [reference.recipe for reference in references]
        self._targets = Targets(network, deviation, references)
        self._guides = _guides(references)
        self.coefficients: list[Coefficients] = [
            coefficients(recipe, self._targets.shapes) for recipe in self._recipes
        ]
        self._cells = list(range(len(references)))
        self.chunk = chunk or len(references)
        self.notes: list[str] = []
        self._plan()

    def keep(self, index: Sequence[int]) -> None:
        """Go on with some cells only, by their places in the present batch."""
        self._cells = [self._cells[place] for place in index]
        self._plan()

    def _plan(self) -> None:
        """Work out once, on the host, who uses which tap in each chunk."""
        self._chunks = [self._cells[at : at + self.chunk] for at in range(0, len(self._cells), self.chunk)]
        self._content = [self._uses(cells, "content") for cells in self._chunks]
        self._style = [self._uses(cells, "style") for cells in self._chunks]
        tv = [[self.coefficients[cell].tv for cell in cells] for cells in self._chunks]
        self._tv = [self._tensor(factors) if any(factors) else None for factors in tv]

    def _tensor(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._network.device)

    def _uses(self, cells: Sequence[int], term: str) -> dict[str, _Use]:
        index = self._targets.content_index if term == "content" else self._targets.style_index
        uses = {}
        for tap, places in index.items():
            factors = [getattr(self.coefficients[cell], term).get(tap, 0.0) for cell in cells]
            rows = [row for row, factor in enumerate(factors) if factor]
            if rows:
                device = self._network.device
                uses[tap] = _Use(
                    torch.tensor(rows, device=device),
                    torch.tensor([places[cells[row]] for row in rows], device=device),
                    self._tensor([factors[row] for row in rows]),
                )
        return uses

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted terms (N x 3 of TERMS, float64; their sum is the loss) and gradients (N x 3 x H x W)."""
        while True:
            try:
                parts = [self._part(number, images) for number in range(len(self._chunks))]
            except torch.OutOfMemoryError:
                self._halve()
            else:
                return torch.cat([terms for terms, _ in parts]), torch.cat(
                    [gradient for _, gradient in parts]
                )

    def _halve(self) -> None:
        if self.chunk == 1:
            raise torch.OutOfMemoryError("out of memory with a batch of one; make the image smaller")
        self.chunk = max(1, self.chunk // 2)
        self.notes.append(f"out of memory: {self.chunk} cells at a time")
        torch.cuda.empty_cache()
        self._plan()

    def _part(self, number: int, images: Tensor) -> tuple[Tensor, Tensor]:
        first = sum(len(cells) for cells in self._chunks[:number])
        part = images[first : first + len(self._chunks[number])].detach().requires_grad_()
        terms = self._terms(number, part)
        (gradient,) = torch.autograd.grad(terms.sum(), part)
        return terms.detach(), gradient.contiguous()

    def _terms(self, number: int, images: Tensor) -> Tensor:
        features = self._network(images / self._deviation)
        columns = [images.new_zeros(len(images), dtype=torch.float64) for _ in TERMS]
        for tap, use in self._content[number].items():
            loss = losses.content(_rows(features[tap], use), self._targets.content[tap][use.targets])
            columns[0] = columns[0].index_add(0, use.rows, loss * use.factors)
        guides = None if self._guides is None else self._guides[self._chunks[number]]
        for tap, use in self._style[number].items():
            target = self._targets.style[tap][use.targets]
            guide = None if guides is None else _rows(guides, use)
            loss = losses.style(_rows(features[tap], use), target, self._recipes[0].style_loss, guide)
            columns[1] = columns[1].index_add(0, use.rows, loss * use.factors)
        factors = self._tv[number]
        if factors is not None:
            recipe = self._recipes[0]
            columns[2] = columns[2] + losses.total_variation(images, recipe.tv_form, recipe.tv_beta) * factors
        return torch.stack(columns, dim=1)


def _rows(features: Tensor, use: _Use) -> Tensor:
    return features if len(use.rows) == len(features) else features[use.rows]


def _guides(references: Sequence[Reference]) -> Tensor | None:
    """Return the contents' maps N x 3 x H x W, zeros where a cell has none; None where no cell has one."""
    if all(each.content_map is None for each in references):
        return None
    empty = [torch.zeros_like(each.content) for each in references]
    return torch.stack(
        [
            each.content_map if each.content_map is not None else none
            for each, none in zip(references, empty, strict=True)
        ]
    )
