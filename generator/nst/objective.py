"""What a batch of cells minimises: each cell its own layers, coefficients and targets, one network for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from generator.nst import losses, transport
from generator.nst.gpu import memory, ways
from generator.nst.gpu.precision import wide
from generator.nst.gpu.taps import GramDistance, Pull, StyleLoss, Wasserstein
from generator.nst.network import Vgg
from generator.nst.passing import InPassing, Pixels, Tap, Variation
from generator.nst.recipes.coefficients import TERMS, Coefficients, coefficients
from generator.nst.targets import Reference, Targets, Use, factors_of, rows_of

# Sides in px of the tiles that are tried where memory runs out: each with margins of some 80 px.
_TILES = (1024, 512, 256)


class Objective:
    """Losses and gradients of N cells of one size.

    All recipes share network, pooling, padding and the forms of style loss and total variation. `chunk` cells go through
    the network at a time. Where memory runs out it is halved down to one; then the network is made forgetful; then it
    runs in tiles.

    Args:
        network: The network, whose taps hold all that the recipes name.
        deviation: What images less their mean are divided by, 3 x 1 x 1.
        references: One for each cell.
        chunk: Cells at a time; 0: all.
        mean: What was taken off the images, 3 x 1 x 1, so that black and white are known.

    Attributes:
        coefficients: Each cell's factors of the terms, by its convention.
        chunk: Cells that go through at a time now.
        notes: What was done where memory ran out, and the fast ways that were taken.
    """

    def __init__(
        self,
        network: Vgg,
        deviation: Tensor,
        references: Sequence[Reference],
        chunk: int = 0,
        mean: Tensor | float = 0.0,
    ) -> None:
        self._network, self._deviation, self._mean = network, deviation, mean
        self._is_scaled = network.weights.preprocessing.deviation != (1.0, 1.0, 1.0)
        self._recipes = [reference.recipe for reference in references]
        self._targets = Targets(network, deviation, references)
        self.coefficients: list[Coefficients] = [
            coefficients(recipe, self._targets.shapes) for recipe in self._recipes
        ]
        self._cells = list(range(len(references)))
        self.chunk = min(chunk or len(references), len(references))
        self._longest = max(references[0].content.shape[1:])
        self.notes: list[str] = []
        self._plan()

    def keep(self, index: Sequence[int]) -> None:
        """Go on with some cells only, by their places in the present batch."""
        self._cells = [self._cells[place] for place in index]
        self._plan()

    def _plan(self) -> None:
        """Work out once, on the host, who uses which tap in each chunk."""
        self._chunks = [self._cells[at : at + self.chunk] for at in range(0, len(self._cells), self.chunk)]
        targets, device = self._targets, self._network.device
        contents = [coefficient.content for coefficient in self.coefficients]
        styles = [coefficient.style for coefficient in self.coefficients]
        self._content = [targets.content_uses(cells, contents) for cells in self._chunks]
        self._style = [targets.style_uses(cells, styles) for cells in self._chunks]
        self._fast: dict[tuple[int, ...], ways.Ways] = {}
        tv = [[self.coefficients[cell].tv for cell in cells] for cells in self._chunks]
        self._tv = [factors_of(device, factors) if any(factors) else None for factors in tv]
        beyond = [[self.coefficients[cell].beyond for cell in cells] for cells in self._chunks]
        self._beyond = [factors_of(device, factors) if any(factors) else None for factors in beyond]
        # The gathered targets are kept: on a GPU they cost little beside the activations.
        numbers = range(len(self._chunks)) if device.type != "cpu" else ()
        self._passing = [self._way_in_passing(number) for number in numbers]

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the losses at some images.

        Args:
            images: N x 3 x H x W, 0 to 255 less the network's mean, float32; the cells that are kept, in order.

        Returns:
            The weighted terms, N x 3 in the order of `coefficients.TERMS`, wide (`precision.wide`), whose sum is the loss; and the gradients, N x 3 x H x W.

        Raises:
            torch.OutOfMemoryError: If memory runs out with one cell in the smallest tiles.
        """
        # Not within `except`: there the error's frames hold the failed attempt's activations.
        while (made := self._attempt(images)) is None:
            self._spare()
        return made

    def once(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a call returns, but raise where memory runs out."""
        parts = [self._part(number, images) for number in range(len(self._chunks))]
        if len(parts) == 1:
            return parts[0]
        terms, gradients = zip(*parts, strict=True)
        return torch.cat(terms), torch.cat(gradients)

    @property
    def is_repeatable(self) -> bool:
        """Whether a recorded call may be repeated: nothing is exact, and memory is not scarce."""
        network = self._network
        return not (network.plain or network.forgetful or network.tile)

    @property
    def taken(self) -> ways.Ways:
        """The fast ways of the last call."""
        return self._network.ways

    def subject(self, cells: int) -> tuple[object, ...]:
        """Return what decides which operations a call does for so many cells."""
        recipe, network = self._recipes[0], self._network
        shape = self._targets.shapes["image"]
        forms = recipe.style_loss, recipe.tv_form, recipe.pooling, recipe.padding
        sizes = cells, self.chunk, shape.height, shape.width
        return (str(network.dtype), *sizes, *forms, *sorted(network.taps), *sorted(network.ways))

    def _attempt(self, images: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return what a call returns, or None where memory ran out."""
        try:
            return self.once(images)
        except (RuntimeError, MemoryError) as error:
            if not memory.is_out_of_memory(error):
                raise
            return None

    def _spare(self) -> None:
        """Take the next way to need less memory. Raises torch.OutOfMemoryError where none is left."""
        if self.chunk > 1:
            self.chunk = max(1, self.chunk // 2)
            self.notes.append(f"out of memory: {self.chunk} cells at a time")
        elif not (self._network.forgetful or self._network.tile):
            self._network.forgetful = True
            self.notes.append("out of memory: activations computed twice instead of kept")
        elif side := next((side for side in _TILES if side < (self._network.tile or self._longest)), 0):
            # Each tile's network is forgotten anyway.
            self._network.tile, self._network.forgetful = side, False
            self.notes.append(f"out of memory: the network runs in tiles of {side} px")
        else:
            raise torch.OutOfMemoryError("out of memory with a batch of one; make the image smaller")
        memory.release()
        self._plan()

    def _part(self, number: int, images: Tensor) -> tuple[Tensor, Tensor]:
        first = sum(len(cells) for cells in self._chunks[:number])
        part = images[first : first + len(self._chunks[number])].detach().requires_grad_()
        fast = self._is_fast(number, part)
        with ways.in_force(self._network.ways):
            return self._evaluation(number, part, fast=fast)

    def _evaluation(self, number: int, images: Tensor, *, fast: bool | None = None) -> tuple[Tensor, Tensor]:
        """Return terms and gradients of a chunk by the network's ways. fast: whether losses are taken in passing."""
        fast = ways.PASSING in self._network.ways if fast is None else fast
        way = self._passing[number] if fast else None
        if way is not None:
            return way(images, self._scaled)
        terms = self._terms(number, images)
        (gradient,) = torch.autograd.grad(terms.sum(), images)
        return terms.detach(), gradient.contiguous()

    def _scaled(self, images: Tensor) -> Tensor:
        return images / self._deviation if self._is_scaled else images

    def _is_fast(self, number: int, images: Tensor) -> bool:
        """Have the network take the ways that have proved themselves; return whether losses in passing are one of them."""
        self._network.ways = self._ways(number, images)
        return ways.PASSING in self._network.ways

    def _ways(self, number: int, images: Tensor) -> ways.Ways:
        """Return the fast ways of a chunk: those that are possible, and have proved themselves on the device."""
        network = self._network
        if network.device.type == "cpu" or network.forgetful or network.tile or network.plain:
            return ways.NONE
        key = (len(images), *images.shape[2:], self._passing[number] is not None)
        if key not in self._fast:
            candidates = ways.possible(
                network.device,
                network.dtype,
                roots=self._recipes[0].style_loss == "wasserstein",
                passing=self._passing[number] is not None,
            )
            on_meta = network.device.type == "meta"
            self._fast[key] = candidates if on_meta else self._proved(candidates, number, images)
        return self._fast[key]

    def _proved(self, candidates: ways.Ways, number: int, images: Tensor) -> ways.Ways:
        network = self._network

        def gradient(chosen: ways.Ways) -> Tensor:
            network.ways = chosen
            with ways.in_force(chosen):
                return self._evaluation(number, images.detach().requires_grad_())[1]

        def bits(chosen: ways.Ways) -> str:
            network.ways = chosen
            with ways.in_force(chosen):
                return network.bits(len(images), images.shape[2], images.shape[3])

        forms = network.pooling, network.padding, self._recipes[0].style_loss
        shape = (str(network.dtype), *images.shape, *sorted(network.taps), *forms)
        taken, every = ways.taken(candidates, network.device, network.dtype, shape, gradient, bits)
        notes = (str(verdict) for verdict in every if verdict.is_taken)
        self.notes += [note for note in notes if note not in self.notes]
        return taken

    def _way_in_passing(self, number: int) -> InPassing | None:
        """Return how a chunk takes its losses in passing; None where one has a guide, or rows that are no slice of the batch."""
        style, content = self._style[number], self._content[number]
        is_patches = self._recipes[0].style_loss == "patches"
        if is_patches or any(use.guides is not None for use in style.values()):
            return None
        if not all(use.is_whole for use in style.values()) or not all(use.span for use in content.values()):
            return None
        cells = len(self._chunks[number])
        found = {tap: self._tap(tap, style.get(tap), content.get(tap), cells) for tap in {*style, *content}}
        return InPassing(self._network, found, self._pixels(number)) if found else None

    def _tap(self, name: str, style: Use | None, content: Use | None, cells: int) -> Tap:
        """Return what draws a layer, and how much it counts for each cell."""
        loss: StyleLoss | None = None
        targets = every = None
        shape = self._targets.shapes[name]
        start, end = 0, 0
        if style is not None:
            wanted, factors = self._targets.style[name][style.targets], style.factors.float()
            is_gram = self._recipes[0].style_loss == "gram"
            values = shape.channels * shape.positions
            loss = GramDistance(values, wanted, factors) if is_gram else Wasserstein(wanted, factors)
        if content is not None and content.span is not None:
            start, end = content.span
            targets = self._targets.content[name][content.shared].float(), content.factors.float()
            every = torch.nn.functional.pad(content.factors, (start, cells - end))
        return Tap(Pull(loss, targets, start), None if style is None else style.factors, every)

    def _pixels(self, number: int) -> Pixels:
        """Return the terms of the images themselves with their gradient."""
        recipe, factors = self._recipes[0], self._tv[number]
        exponent = losses.exponent(recipe.tv_form, recipe.tv_beta)
        if factors is not None and exponent is not None and self._beyond[number] is None:
            return Variation(exponent, factors)

        def differentiated(images: Tensor, gradient: Tensor) -> Tensor | None:
            with torch.enable_grad():
                terms = self._of_pixels(number, images)
                if terms is None:
                    return None
                gradient += torch.autograd.grad(terms.sum(), images)[0]
            return terms.detach()

        return differentiated

    def _terms(self, number: int, images: Tensor) -> Tensor:
        features = self._network(self._scaled(images))
        columns = [images.new_zeros(len(images), dtype=wide(images.device)) for _ in TERMS]
        for tap, use in self._content[number].items():
            loss = losses.content(rows_of(features[tap], use), self._targets.content[tap][use.targets])
            columns[0] = columns[0].index_add(0, use.rows, loss * use.factors)
        uses = self._style[number]
        for use, loss in zip(uses.values(), self._style_losses(features, uses), strict=True):
            columns[1] = columns[1].index_add(0, use.rows, loss * use.factors)
        pixels = self._of_pixels(number, images)
        columns[2] = columns[2] if pixels is None else columns[2] + pixels
        return torch.stack(columns, dim=1)

    def _style_losses(self, features: Mapping[str, Tensor], uses: Mapping[str, Use]) -> list[Tensor]:
        """Return the style loss of each use's rows."""
        style_loss = self._recipes[0].style_loss
        rows = [rows_of(features[tap], use) for tap, use in uses.items()]
        targets = [self._targets.style[tap][use.targets] for tap, use in uses.items()]
        guides = [use.guides for use in uses.values()]
        on_cpu = self._network.device.type == "cpu" and not self._network.plain
        if style_loss == "wasserstein" and (on_cpu or ways.ROOTS in self._network.ways):
            return transport.distances(rows, targets, guides) if rows else []
        return [
            losses.style(row, target, style_loss, each)
            for row, target, each in zip(rows, targets, guides, strict=True)
        ]

    def _of_pixels(self, number: int, images: Tensor) -> Tensor | None:
        """Return the terms of the images themselves, N, wide; None where there are none."""
        variation, beyond = self._tv[number], self._beyond[number]
        recipe, terms = self._recipes[0], None
        if variation is not None:
            terms = losses.total_variation(images, recipe.tv_form, recipe.tv_beta) * variation
        if beyond is not None:
            further = losses.beyond(images, self._mean) * beyond
            terms = further if terms is None else terms + further
        return terms
