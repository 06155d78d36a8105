"""What STROTSS and NNST share: sizes, references, and steps of an optimiser on the coefficients of a pyramid."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from generator.nst import colour, prepare, supervision
from generator.nst.cell import Cell, in_colours
from generator.nst.gpu.precision import described
from generator.nst.kolkin import pyramid
from generator.nst.kolkin.hypercolumns import Reader
from generator.nst.network import network_of, resolve_precision
from generator.nst.recipes.coefficients import TERMS, Coefficients
from generator.nst.recipes.sizes import level_budgets, level_sizes, output_size, style_size
from generator.nst.results import Callback, Progress, Result
from generator.nst.weights.registry import Weights

# The content and the style term of an image, to be added.
Loss = Callable[[Tensor], tuple[Tensor, Tensor]]
Optimiser = type[torch.optim.Adam] | type[torch.optim.RMSprop]


class Descent(ABC):
    """One image on its way from coarse to fine.

    Args:
        cell: What to make.
        place: The cell's place in the list that the callback speaks of.
        weights: Weights of its network.
        device: Where to work.
        callback: Called after each evaluation.
    """

    #: What moves the coefficients.
    optimiser: Optimiser
    #: What the provenance notes.
    notes: tuple[str, ...] = ()

    def __init__(
        self, cell: Cell, place: int, weights: Weights, device: torch.device, callback: Callback | None
    ) -> None:
        self.original, self.cell = cell.content, in_colours(cell)
        self.recipe, self.place, self.device, self.callback = cell.recipe, place, device, callback
        recipe, (style,) = self.recipe, self.cell.styles
        height, width = self.cell.content.shape[1:]
        size = output_size(height, width, recipe)
        self.sizes = level_sizes(size, recipe, [(style.image.shape[1], style.image.shape[2])])
        self.style_image = style.image
        self.dtype = resolve_precision(recipe.precision, device)
        layers = recipe.taps[1]
        self.network = network_of(recipe, weights, layers, self.dtype, device)
        self.read = Reader(self.network, layers)
        # Drawn on the CPU, so that a seed means the same on every device.
        self.generator = torch.Generator().manual_seed(cell.seed)
        self.curve: list[Tensor] = []
        self.phase = 0

    @abstractmethod
    def level(self, number: int, before: Tensor | None) -> Tensor:
        """Return the image of a level, 1 x 3 x H x W in grey levels. before: that of the level before it."""

    def run(self) -> Result:
        """Make the image."""
        started = time.perf_counter()
        image = self.level(0, None)
        for number in range(1, len(self.sizes)):
            image = self.level(number, image)
        return self._result((image[0] / 255).cpu(), time.perf_counter() - started)

    def content(self, number: int) -> Tensor:
        """Return the content image at a level."""
        return self._grey(self.cell.content, self.sizes[number])

    def style(self, number: int) -> Tensor:
        """Return the style image at a level."""
        height, width = self.style_image.shape[1:]
        return self._grey(self.style_image, style_size((height, width), self.sizes[number], self.recipe))

    def _grey(self, image: Tensor, size: prepare.Size) -> Tensor:
        return prepare.resize(image.cpu(), size).clamp(0, 1)[None].to(self.device) * 255

    def descend(self, image: Tensor, loss: Loss, levels: int, learning_rate: float) -> Tensor:
        """Take the recipe's evaluations of steps on an image's pyramid of so many levels; return the last image."""
        coefficients = [each.detach().requires_grad_() for each in pyramid.decomposed(image, levels)]
        optimiser = self.optimiser(coefficients, lr=learning_rate)
        self.phase = len(self.curve)
        for _ in range(self.recipe.evaluations):
            content, style = loss(pyramid.collapsed(coefficients))
            gradients = torch.autograd.grad(content + style, coefficients)
            for coefficient, gradient in zip(coefficients, gradients, strict=True):
                coefficient.grad = gradient
            optimiser.step()
            self._report(torch.stack([content.detach(), style.detach()]), image.shape)
        return pyramid.collapsed(coefficients).detach()

    def _report(self, terms: Tensor, shape: Sequence[int]) -> None:
        self.curve.append(terms)
        if self.callback is not None:
            total = sum(level_budgets(self.recipe, len(self.sizes)))
            done = len(self.curve)
            self.callback(Progress((self.place,), done, total, shape[2], shape[3], terms.sum()[None]))

    def _result(self, pixels: Tensor, seconds: float) -> Result:
        terms = torch.stack(self.curve).double().cpu()
        image, height, width = pixels.clamp(0, 1), *pixels.shape[1:]
        content = prepare.resize(self.original.cpu(), (height, width)).clamp(0, 1)
        content_terms, style_terms = terms.unbind(1)
        losses = terms.sum(1)
        return Result(
            image=colour.finished(image, content, [self.style_image], self.recipe.colour),
            curve={
                **{term: [0.0] * len(terms) for term in TERMS},
                "content": content_terms.tolist(),
                "style": style_terms.tolist(),
            },
            evaluations=len(terms),
            stop="evaluations",
            failure=supervision.failure(image, losses, losses[self.phase :], supervision.strayed(pixels)),
            seconds=seconds,
            batch=1,
            coefficients=Coefficients(),
            precision=described(self.recipe.precision, self.dtype, self.device),
            convolution=self.network.convolution,
            notes=self.notes,
        )
