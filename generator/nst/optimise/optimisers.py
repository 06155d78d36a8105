"""Optimisers for many images at once, each with its own state: L-BFGS as torch steps it, L-BFGS-B, Adam.

An optimiser says where to evaluate (`x`, N x D) and is told the losses (N, wide) and gradients (N x D) there. What
differs between cells is a `where`: no optimiser waits for the host, and one cell's numbers never touch another's.
Each step writes its state where it was, so that a GPU can repeat a recorded step. "Wide" is float64 where the device
has it (`precision.wide`).
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from generator.nst.gpu.precision import wide
from generator.nst.optimise.curvature import Curvature
from generator.nst.optimise.line_search import MAX_EVALUATIONS, Search, advance
from generator.nst.optimise.state import Restore, snapshot

RUNNING, CONVERGED, STUCK, SETTLED = 0, 1, 2, 3


class Optimiser(Protocol):
    """What the loop sees of an optimiser of N cells with D values each.

    Attributes:
        x: The next points to evaluate, N x D.
        status: RUNNING, CONVERGED or STUCK for each cell, N, int8.
    """

    x: Tensor
    status: Tensor

    @property
    def name(self) -> str:
        """Class and settings: what decides which operations a step does."""

    def tell(self, losses: Tensor, gradients: Tensor) -> None:
        """Take losses (N, wide) and gradients (N x D) at `x`, and move `x` on: `step` and `passed`."""

    def step(self, losses: Tensor, gradients: Tensor) -> None:
        """Do the work of `tell` on the device. Done again from the same tensors, it does the same."""

    def passed(self) -> None:
        """Count a step that was done."""

    def kind(self) -> int | None:
        """Return a number that stays the same while steps do the same operations; None: the next step is one of its own."""

    def snapshot(self) -> Restore:
        """Return what undoes steps, however often."""

    def keep(self, index: Tensor) -> None:
        """Go on with some cells only, by their rows in `x`."""


def _settle(status: Tensor, mask: Tensor, outcome: int) -> None:
    """Give an outcome to the cells of the mask that are still running."""
    # Of a boolean and RUNNING, which is 0, a > b is a and still running.
    status.masked_fill_(mask > status, outcome)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, None] @ b[:, :, None])[:, 0, 0].to(wide(a.device))


class _Stepper:
    """What all optimisers here share. `_fields`: names of the tensors with a row for each cell."""

    _fields: tuple[str, ...]

    def __init__(self, x: Tensor) -> None:
        self.x = x.clone()
        self.status = torch.zeros(len(x), dtype=torch.int8, device=x.device)
        self._passed = 0

    def tell(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.tell`."""
        self.step(losses, gradients)
        self.passed()

    def step(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.step`."""
        raise NotImplementedError

    def passed(self) -> None:
        """See `Optimiser.passed`."""
        self._passed += 1

    def snapshot(self) -> Restore:
        """See `Optimiser.snapshot`."""
        return snapshot(self._written())

    def _written(self) -> list[Tensor]:
        """Return the tensors that a step writes."""
        return [getattr(self, name) for name in self._fields]

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        for name in self._fields:
            setattr(self, name, getattr(self, name)[index])


class _WithPairs(_Stepper):
    """An optimiser with pairs of the curvature, of which every step but the first adds one."""

    def __init__(self, x: Tensor, memory: int) -> None:
        super().__init__(x)
        self._pairs = Curvature(len(x), memory, x.shape[1], x)

    def kind(self) -> int | None:
        """See `Optimiser.kind`."""
        return self._pairs.slots(self._passed) if self._passed else None

    def snapshot(self) -> Restore:
        """See `Optimiser.snapshot`."""
        restores = super().snapshot(), self._pairs.snapshot()

        def restore() -> None:
            for each in restores:
                each()

        return restore

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        super().keep(index)
        self._pairs.keep(index)


class Lbfgs(_WithPairs):
    """L-BFGS with a fixed step: the very steps of torch.optim.LBFGS without a line search (Nocedal 1980).

    The first step is learning_rate * min(1, 1 / |g|_1), every later one learning_rate.

    Args:
        x: Where to start, N x D.
        learning_rate: Length of the step, above 0.
        memory: Pairs of the curvature that are kept, 1 or more.
    """

    _fields = ("x", "status", "_back", "_gradient")

    def __init__(self, x: Tensor, *, learning_rate: float = 1.0, memory: int = 100) -> None:
        super().__init__(x, memory)
        self.learning_rate = learning_rate
        self._gradient = torch.zeros_like(x)
        # From the new point back to the last: pairs may point either way.
        self._back = torch.zeros_like(x)

    @property
    def name(self) -> str:
        """See `Optimiser.name`."""
        return f"lbfgs {self._pairs.memory}"

    def step(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.step`. A cell whose direction leads uphill, or whose loss is not finite, is STUCK."""
        if self._passed:
            y = self._gradient - gradients
            sy = _dot(y, self._back)
            self._pairs.add(sy > 1e-10, self._back, y, sy, gradients, self._passed)
            ascent = self._pairs.inverse_times(gradients)
            torch.mul(ascent, self.learning_rate, out=self._back)
        else:
            ascent = gradients
            length = (1.0 / gradients.abs().sum(1)).clamp(max=1.0) * self.learning_rate
            torch.mul(ascent, length[:, None], out=self._back)
        # A direction uphill, or a loss that is no number.
        lost = (_dot(gradients, ascent) <= 0) >= (losses.abs() < torch.inf)
        _settle(self.status, lost, STUCK)
        self._gradient.copy_(gradients)
        self.x -= self._back


class LbfgsB(_WithPairs):
    """L-BFGS-B without bounds, as scipy's fmin_l_bfgs_b runs it, with the line search of Moré and Thuente.

    Byrd, Lu, Nocedal, Zhu 1995; Zhu, Byrd, Lu, Nocedal 1997.

    Args:
        x: Where to start, N x D.
        memory: Pairs of the curvature that are kept, 1 or more.
        round_evaluations: Forget the curvature at the first iterate after so many evaluations, as a program does that
            calls fmin_l_bfgs_b again and again; 0: never.
        factor: A cell has converged when (f - f') / max(|f|, |f'|, 1) is at most factor * 2.2e-16.
        largest_gradient: Or when every |g| is at most this.
    """

    _fields = ("x", "status", "_in_round", "_place", "_loss", "_gradient", "_ascent")

    def __init__(
        self,
        x: Tensor,
        *,
        memory: int = 10,
        round_evaluations: int = 0,
        factor: float = 1e7,
        largest_gradient: float = 1e-5,
    ) -> None:
        super().__init__(x, memory)
        self.round_evaluations = round_evaluations
        self.smallest_decrease = factor * torch.finfo(torch.float64).eps
        self.largest_gradient = largest_gradient
        self._in_round = torch.zeros(len(x), dtype=torch.long, device=x.device)
        # The last iterate, its loss and gradient, and the search from there: it goes against the ascent.
        self._place, self._gradient, self._ascent = x.clone(), torch.zeros_like(x), torch.zeros_like(x)
        self._loss = x.new_zeros(len(x), dtype=wide(x.device))
        self._search = Search.nowhere(len(x), x.device)
        self._one = x.new_ones((), dtype=wide(x.device))

    @property
    def name(self) -> str:
        """See `Optimiser.name`."""
        return f"lbfgs-b {self._pairs.memory} {self.round_evaluations}"

    def step(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.step`. A cell whose line search fails without any curvature left is STUCK."""
        if self.round_evaluations:
            self._in_round += 1
        if not self._passed:
            self._loss.copy_(losses)
            self._gradient.copy_(gradients)
            self._aim(torch.ones_like(losses, dtype=torch.bool), self._search)
            return
        slope = -_dot(gradients, self._ascent)
        search, done = advance(self._search, losses, slope)
        # Of two booleans a > b is a and not b, a >= b is a or not b.
        lost = ((search.evaluations >= MAX_EVALUATIONS) > done) >= (losses.abs() < torch.inf)
        done = done > lost
        self._accept(done, losses, gradients, slope)
        # A search that found nothing: forget the curvature and start anew from the last iterate, once.
        _settle(self.status, lost & (self._pairs.count == 0), STUCK)
        forgotten = lost
        if self.round_evaluations:
            ended = done & (self._in_round >= self.round_evaluations)
            # The round's last iterate is the next one's first evaluation.
            self._in_round.masked_fill_(ended, 1)
            forgotten = lost | ended
        self._pairs.forget(forgotten)
        self._aim(done | lost, search)

    def _accept(self, done: Tensor, losses: Tensor, gradients: Tensor, slope: Tensor) -> None:
        step, before = self._search.step, self._search.start_slope
        # Pairs point backwards, as the ascent does.
        y = self._gradient - gradients
        sy = (slope - before) * step
        curved = sy > -torch.finfo(torch.float64).eps * before * step
        torch.where(done[:, None], gradients, self._gradient, out=self._gradient)
        s = self._ascent * step.to(y.dtype)[:, None]
        self._pairs.add(done & curved, s, y, sy, self._gradient, self._passed)
        both = torch.stack([self._loss, losses])
        scale = torch.linalg.vector_norm(both, torch.inf, dim=0).clamp(min=1.0)
        flat = (self._loss - losses <= self.smallest_decrease * scale) | (
            torch.linalg.vector_norm(gradients, torch.inf, dim=1) <= self.largest_gradient
        )
        _settle(self.status, done & flat, CONVERGED)
        torch.where(done[:, None], self.x, self._place, out=self._place)
        torch.where(done, losses, self._loss, out=self._loss)

    def _aim(self, mask: Tensor, advanced: Search) -> None:
        """Give some cells a new direction and first step; set every cell's next point."""
        ascent = self._pairs.inverse_times(self._gradient)
        rise = _dot(self._gradient, ascent)
        uphill = torch.logical_and(mask & (rise <= 0), self._pairs.count)
        self._pairs.forget(uphill)
        ascent = torch.where(uphill[:, None], self._gradient, ascent)
        rise = torch.where(uphill, _dot(self._gradient, self._gradient), rise)
        first = self._pairs.count == 0
        step = torch.where(first, rise.clamp(min=1e-300).sqrt().reciprocal().clamp(max=1.0), self._one)
        torch.where(mask[:, None], ascent, self._ascent, out=self._ascent)
        self._search.begin(mask, advanced, step, self._loss, -rise)
        length = self._search.step.to(self.x.dtype)[:, None]
        torch.sub(self._place, self._ascent * length, out=self.x)

    def _written(self) -> list[Tensor]:
        return [*super()._written(), self._search.values, self._search.flags]

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        super().keep(index)
        self._search = self._search.keep(index)


class Adam(_Stepper):
    """Adam (Kingma and Ba 2015, algorithm 1), as torch.optim.Adam steps it.

    Args:
        x: Where to start, N x D.
        learning_rate: Length of the step, above 0.
        betas: Decay of the mean and of the mean square, each from 0 to below 1.
        limits: Least and largest values, each broadcast to N x D; x is kept within.
        steps: Steps that can be taken.
    """

    _fields = ("x", "status", "_mean", "_square")

    def __init__(
        self,
        x: Tensor,
        *,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        limits: tuple[Tensor, Tensor] | None = None,
        steps: int = 1000,
    ) -> None:
        super().__init__(x)
        self.learning_rate, self.betas, self.limits = learning_rate, betas, limits
        self._mean, self._square = torch.zeros_like(x), torch.zeros_like(x)
        # Each step's corrections lie on the device, so that steps differ in nothing that the host says.
        first, second = betas
        corrections = [
            (learning_rate / (1 - first**step), (1 - second**step) ** 0.5) for step in range(1, steps + 1)
        ]
        self._corrections = torch.tensor(corrections, dtype=wide(x.device), device=x.device)
        self._step = torch.zeros(1, dtype=torch.long, device=x.device)

    @property
    def name(self) -> str:
        """See `Optimiser.name`."""
        return f"adam {self.limits is not None}"

    def kind(self) -> int | None:
        """See `Optimiser.kind`."""
        return 0

    def step(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.step`. A cell whose loss is not finite is STUCK."""
        first, second = self.betas
        _settle(self.status, ~(losses.abs() < torch.inf), STUCK)
        self._mean.lerp_(gradients, 1 - first)
        self._square.mul_(second).add_(gradients.square().mul_(1 - second))
        size, root = self._corrections.index_select(0, self._step)[0]
        self._step += 1
        scale = self._square.sqrt().div_(root).add_(1e-8)
        self.x -= (size * self._mean).div_(scale)
        if self.limits is not None:
            torch.clamp(self.x, *self.limits, out=self.x)

    def _written(self) -> list[Tensor]:
        return [*super()._written(), self._step]
