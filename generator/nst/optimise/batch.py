"""A batch of cells of one size and network on their way from coarse to fine: set up, minimised, finished."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from generator.nst import colour, prepare, supervision
from generator.nst.cell import Cell, Style, in_colours
from generator.nst.gpu.precision import described
from generator.nst.network import network_of, resolve_precision
from generator.nst.objective import Objective
from generator.nst.optimise.evaluations import Evaluations
from generator.nst.optimise.images import Images
from generator.nst.optimise.optimisers import CONVERGED, RUNNING, SETTLED, Adam, Lbfgs, LbfgsB, Optimiser
from generator.nst.optimise.watch import Watch
from generator.nst.recipes.coefficients import TERMS
from generator.nst.recipes.layers import check_reaches
from generator.nst.recipes.recipe import Recipe
from generator.nst.recipes.sizes import least_positions, level_budgets, level_sizes, output_size, style_size
from generator.nst.results import Callback, Progress, Result
from generator.nst.targets import Reference
from generator.nst.weights.registry import Weights

# Pixels that go through a CPU at once. Several small images share a layer's products and the pauses between its steps;
# more than this gain nothing.
CPU_PIXELS = 4 * 256**2
# Values that a 32-bit index counts, and px of a tile whose layers stay below. Apple's tensors end at 4 GiB
# (github.com/pytorch/pytorch/issues/149325).
INDEXED, LARGE_TILE = 2**31 - 1, 4096
APPLES_INDEXED, APPLES_LARGE_TILE = 2**30 - 1, 2048
# Channels of the widest activations at full size.
WIDEST = 64
# Evaluations between looks at which cells are finished: each look waits for the device. A picture has settled when it
# changes less than the recipe's stop_change from one look to the next.
_LOOK_EVERY = 10


class Batch:
    """Cells of one size and network on their way from coarse to fine.

    Args:
        cells: Cells with one `batch_key`.
        places: Their places in the list that the callback speaks of.
        weights: Weights of their network.
        device: Where to work.
        callback: Called after each evaluation.
        chunk: Cells that go through the network at a time; 0: as many as suit the device.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        places: Sequence[int],
        weights: Weights,
        device: torch.device,
        callback: Callback | None,
        chunk: int,
    ) -> None:
        self.originals = [cell.content for cell in cells]
        self.cells = [in_colours(cell) for cell in cells]
        self.places, self.callback, self.device = places, callback, device
        self.recipe = cells[0].recipe
        self.chunk = chunk
        recipe = self.recipe
        taps = {tap for cell in cells for named in cell.recipe.taps for tap in named}
        height, width = cells[0].content.shape[1:]
        size = output_size(height, width, recipe)
        self.sizes = level_sizes(size, recipe, style_sizes(cells[0]))
        self.budgets = level_budgets(recipe, len(self.sizes))
        for tap in taps:
            check_reaches(tap, *self.sizes[0])
        for tap in {tap for cell in cells for tap in cell.recipe.taps[1]}:
            check_reaches(tap, *self.sizes[0], least_positions(recipe.style_loss))
        self.dtype = resolve_precision(recipe.precision, device)
        self.network = network_of(recipe, weights, taps, self.dtype, device)
        mean = weights.preprocessing.mean
        mean = mean[::-1] if recipe.legacy_mean_order else mean
        self.host_mean = torch.tensor(mean, dtype=torch.float32)[:, None, None]
        self.mean = self.host_mean.to(device)
        self.deviation = self._column(weights.preprocessing.deviation)
        self.curves: list[list[Tensor]] = [[] for _ in cells]
        self.stops = [""] * len(cells)
        self.notes: list[str] = []
        self.spent = 0
        self._images = Images(device)

    def _column(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)[:, None, None]

    def run(self) -> list[Result]:
        """Make the cells' images, in the order of the cells."""
        started = time.perf_counter()
        images = self._first()
        for level, size in enumerate(self.sizes):
            images = prepare.resize(images, size)
            self._images.forget()
            self._fit_index(size)
            references = [self._reference(cell, size) for cell in self.cells]
            self.began = [len(curve) for curve in self.curves]
            at_once = self._at_once(size)
            objective = Objective(self.network, self.deviation, references, at_once, self.mean)
            images = self._descend(images, objective, self.budgets[level])
            if objective.chunk < min(at_once, len(references)):
                # Memory ran out, and a larger level would not fit either.
                self.chunk = objective.chunk
            self.notes += objective.notes
        pixels = ((images + self.mean) / 255).cpu()
        seconds = (time.perf_counter() - started) / len(self.cells)
        return [self._result(number, pixels[number], objective, seconds) for number in range(len(self.cells))]

    def _at_once(self, size: prepare.Size) -> int:
        wanted, pixels = min(self.chunk or len(self.cells), len(self.cells)), size[0] * size[1]
        if self.device.type == "cpu":
            return wanted if self.chunk else max(1, min(wanted, CPU_PIXELS // pixels))
        return max(1, min(wanted, most_values(self.device) // WIDEST // pixels))

    def _fit_index(self, size: prepare.Size) -> None:
        """Have a GPU take an image in tiles where the activations of one layer outnumber a 32-bit index."""
        if self.device.type == "cpu" or self.network.tile:
            return
        if size[0] * size[1] * WIDEST > most_values(self.device):
            self.network.tile = APPLES_LARGE_TILE if self.device.type == "mps" else LARGE_TILE
            self.notes.append(
                f"the network runs in tiles of {self.network.tile} px: one layer has too many values"
            )

    def _finished(self, number: int, image: Tensor) -> Tensor:
        height, width = image.shape[1:]
        content = prepare.resize(self.originals[number].cpu(), (height, width)).clamp(0, 1)
        cell = self.cells[number]
        return colour.finished(image, content, [style.image for style in cell.styles], cell.recipe.colour)

    def _first(self) -> Tensor:
        size = self.sizes[0]
        starts = [
            prepare.start(self._images.resized(cell.content, size), cell.recipe, cell.seed, self.host_mean)
            for cell in self.cells
        ]
        return torch.stack(starts).to(self.device)

    def _reference(self, cell: Cell, size: prepare.Size) -> Reference:
        content = self._images.centred(cell.content, size, self.mean)
        styles = tuple(self._style(style, cell.recipe, size) for style in cell.styles)
        return Reference(cell.recipe, content, styles, self._guide(cell.content_map, size))

    def _style(self, style: Style, recipe: Recipe, size: prepare.Size) -> Style:
        """Return a style image and what guides it at a level of the given output size."""
        height, width = style.image.shape[1:]
        own = style_size((height, width), size, recipe)
        for tap in recipe.taps[1]:
            check_reaches(tap, *own, least_positions(recipe.style_loss))
        return replace(
            style,
            image=self._images.centred(style.image, own, self.mean),
            where=self._guide(style.where, size),
            part=self._guide(style.part, own),
            map=self._guide(style.map, own),
        )

    def _guide(self, drawn: Tensor | None, size: prepare.Size) -> Tensor | None:
        return None if drawn is None else self._images.guide(drawn, size)

    def _optimiser(self, flat: Tensor, size: prepare.Size, budget: int) -> Optimiser:
        recipe = self.recipe
        memory = recipe.pairs(budget)
        if recipe.optimiser == "lbfgs":
            return Lbfgs(flat, learning_rate=recipe.learning_rate, memory=memory)
        if recipe.optimiser == "lbfgs-b":
            return LbfgsB(flat, memory=memory, round_evaluations=recipe.round_evaluations)
        limits = None
        if recipe.clamp:
            low = (-self.mean).expand(3, *size).reshape(1, -1)
            limits = low, low + 255
        return Adam(flat, learning_rate=recipe.learning_rate, limits=limits, steps=budget)

    def _descend(self, images: Tensor, objective: Objective, budget: int) -> Tensor:
        """Spend one level's evaluations; return each cell's best image, or the average of its iterates."""
        shape = images.shape[1:]
        optimiser = self._optimiser(images.flatten(1), (shape[1], shape[2]), budget)
        watch = Watch(images.flatten(1), self.recipe.averaging)
        evaluations = Evaluations(objective, optimiser, watch, shape)
        active = list(range(len(self.cells)))
        for number in range(1, budget + 1):
            terms = evaluations.next(budget - number + 1)
            for row, cell in enumerate(active):
                self.curves[cell].append(terms[row])
            self.spent += 1
            self._report(active, terms, shape)
            if number % _LOOK_EVERY == 0 or number == budget:
                if self.recipe.stop_change:
                    optimiser.status.masked_fill_(
                        (optimiser.status == RUNNING) & (watch.moved() < self.recipe.stop_change), SETTLED
                    )
                status = optimiser.status.tolist()
                self._note(active, status)
                left = [row for row, code in enumerate(status) if code == RUNNING]
                if len(left) < len(active):
                    active = [active[row] for row in left]
                    if not active:
                        break
                    index = torch.tensor(left, device=self.device)
                    evaluations.keep(index, left)
        self.notes += [note for note in evaluations.notes if note not in self.notes]
        return watch.images().view(-1, *shape)

    def _note(self, active: Sequence[int], status: Sequence[int]) -> None:
        for cell, code in zip(active, status, strict=True):
            reason = {RUNNING: "evaluations", CONVERGED: "converged", SETTLED: "no visible change"}
            self.stops[cell] = reason.get(code, "no progress")

    def _report(self, active: Sequence[int], terms: Tensor, shape: torch.Size) -> None:
        if self.callback is not None:
            total = sum(self.budgets)
            cells = tuple(self.places[cell] for cell in active)
            self.callback(Progress(cells, self.spent, total, shape[1], shape[2], terms.sum(1)))

    def _result(self, number: int, pixels: Tensor, objective: Objective, seconds: float) -> Result:
        terms = torch.stack(self.curves[number]).cpu()
        image, strayed = pixels.clamp(0, 1), supervision.strayed(pixels)
        return Result(
            image=self._finished(number, image),
            curve={term: terms[:, column].tolist() for column, term in enumerate(TERMS)},
            evaluations=len(terms),
            stop=self.stops[number],
            failure=supervision.failure(image, terms.sum(1), terms[self.began[number] :].sum(1), strayed),
            seconds=seconds,
            batch=len(self.cells),
            coefficients=objective.coefficients[number],
            precision=described(self.recipe.precision, self.dtype, self.device),
            convolution=self.network.convolution,
            notes=tuple(self.notes),
        )


def most_values(device: torch.device) -> int:
    """Return how many values a tensor may have on a GPU."""
    return APPLES_INDEXED if device.type == "mps" else INDEXED


def style_sizes(cell: Cell) -> list[prepare.Size]:
    """Return height and width of each style image."""
    return [(style.image.shape[-2], style.image.shape[-1]) for style in cell.styles]
