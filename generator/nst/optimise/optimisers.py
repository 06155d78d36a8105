"""Optimisers for many images at once, each with its own state: L-BFGS as torch steps it, L-BFGS-B, Adam.

An optimiser says where to evaluate (`x`, N x D) and is told the losses (N, float64) and gradients (N x D) there. What
differs between cells is a `where`: no optimiser waits for the host, and one cell's numbers never touch another's.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from generator.nst.optimise.line_search import MAX_EVALUATIONS, Search, advance

RUNNING, CONVERGED, STUCK, SETTLED = 0, 1, 2, 3


class Optimiser(Protocol):
    """What the loop sees of an optimiser of N cells with D values each.

    Attributes:
        x: The next points to evaluate, N x D.
        status: RUNNING, CONVERGED or STUCK for each cell, N, int8.
    """

    x: Tensor
    status: Tensor

    def tell(self, losses: Tensor, gradients: Tensor) -> None:
        """Take losses (N, float64) and gradients (N x D) at `x`, and move `x` on."""

    def keep(self, index: Tensor) -> None:
        """Go on with some cells only, by their rows in `x`."""


class _Curvature:
    """The last m pairs (s, y) of each of N cells, and H g by the compact form of the inverse L-BFGS matrix.

    Byrd, Nocedal, Schnabel 1994, theorem 2.2: two passes over the pairs and a small triangular solve give the product
    that the two-loop recursion gives in 4 m dependent steps.
    """

    def __init__(self, cells: int, memory: int, size: int, like: Tensor) -> None:
        self.memory = memory
        # The last slot takes what a cell without a new pair would write. Nothing reads it.
        self.pairs = like.new_zeros(cells, memory + 1, 2, size)
        # A GPU reads both halves of the pairs once for the products with both vectors; the CPU keeps its order of sums.
        self._in_one = like.device.type != "cpu"
        self._ahead: tuple[Tensor, Tensor, Tensor] | None = None
        wide = {"dtype": torch.float64, "device": like.device}
        self.sy = torch.zeros(cells, memory, memory, **wide)  # type: ignore[call-overload]
        self.yy = torch.zeros(cells, memory, memory, **wide)  # type: ignore[call-overload]
        self.gamma = torch.ones(cells, **wide)  # type: ignore[call-overload]
        self.count = torch.zeros(cells, dtype=torch.long, device=like.device)
        self._used = 0  # slots that any cell may have filled: known without asking the device

    @property
    def s(self) -> Tensor:
        return self.pairs[:, :, 0]

    @property
    def y(self) -> Tensor:
        return self.pairs[:, :, 1]

    def forget(self, mask: Tensor) -> None:
        """Throw away the pairs of some cells: their products count as 0, the images themselves stay where they are."""
        kept = (~mask).double()[:, None, None]
        self.sy *= kept
        self.yy *= kept
        self.gamma = torch.where(mask, 1.0, self.gamma)
        self.count = torch.where(mask, 0, self.count)

    def add(self, mask: Tensor, s: Tensor, y: Tensor, sy: Tensor, gradient: Tensor) -> None:
        """Add a pair to some cells, in place of the oldest where the memory is full.

        sy: s·y (N). gradient: the vector that `inverse_times` will be asked for next.
        """
        self._used = min(self.memory, self._used + 1)
        cells = torch.arange(len(s), device=s.device)
        slot = self.count % self.memory
        wide, written = mask[:, None], torch.where(mask, slot, self.memory)
        self.s[cells, written] = s
        self.y[cells, written] = y
        filled = self.count + mask
        if self._in_one:
            s_new, y_new, *ahead = self._both_products(torch.stack([y, gradient], dim=2), filled)
            self._ahead = gradient, ahead[0], ahead[1]
        else:
            s_new, y_new = self._products(self.s, y, filled), self._products(self.y, y, filled)
        self.sy[cells, :, slot] = torch.where(wide, s_new, self.sy[cells, :, slot])
        self.yy[cells, :, slot] = torch.where(wide, y_new, self.yy[cells, :, slot])
        self.yy[cells, slot, :] = torch.where(wide, y_new, self.yy[cells, slot, :])
        self.sy[cells, slot, slot] = torch.where(mask, sy, self.sy[cells, slot, slot])
        squares = self.yy[cells, slot, slot]
        self.gamma = torch.where(mask, sy / squares, self.gamma)
        self.count = filled

    def _products(self, pairs: Tensor, vector: Tensor, count: Tensor) -> Tensor:
        """N x memory: the product of each of a cell's `count` pairs' member with a vector of it; 0 for other slots."""
        products: Tensor = vector.new_zeros(len(vector), self.memory, dtype=torch.float64)
        found = torch.bmm(pairs[:, : self._used], vector[:, :, None])[:, :, 0]
        filled = torch.arange(self._used, device=count.device) < count[:, None]
        products[:, : self._used] = torch.where(filled, found, 0.0)
        return products

    def _both_products(self, vectors: Tensor, count: Tensor) -> list[Tensor]:
        """Return for each of a cell's vectors (N x D x number) the products with S and with Y, as `_products`."""
        used = self._used
        found = torch.bmm(self.pairs.flatten(1, 2)[:, : 2 * used], vectors).double()
        filled = torch.arange(used, device=count.device) < count[:, None]
        products: Tensor = found.new_zeros(len(found), self.memory, 2, vectors.shape[2])
        shaped = found.view(-1, used, 2, vectors.shape[2])
        products[:, :used] = torch.where(filled[:, :, None, None], shaped, 0.0)
        return [products[:, :, half, number] for number in range(vectors.shape[2]) for half in (0, 1)]

    def _products_with(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the products of S and Y with a gradient; those that `add` has made already where it has."""
        if not self._in_one:
            s_g = self._products(self.s, gradient, self.count)
            return s_g, self._products(self.y, gradient, self.count)
        if self._ahead is not None and self._ahead[0] is gradient:
            _, s_g, y_g = self._ahead
            # Some cells may have forgotten their pairs since.
            filled = torch.arange(self.memory, device=s_g.device) < self.count[:, None]
            return s_g * filled, y_g * filled
        s_g, y_g = self._both_products(gradient[:, :, None], self.count)
        return s_g, y_g

    def inverse_times(self, gradient: Tensor) -> Tensor:
        """Return H g (N x D)."""
        if not self._used:
            return gradient  # gamma is 1 until the first pair
        for_s, for_y = self._small(*self._products_with(gradient))
        out: Tensor = self.gamma.to(gradient.dtype)[:, None] * gradient
        used = self._used
        if self._in_one:
            factors = torch.stack([for_s, for_y], dim=2)[:, :used].flatten(1)[:, None].to(out.dtype)
            return torch.baddbmm(out[:, None], factors, self.pairs.flatten(1, 2)[:, : 2 * used])[:, 0]
        out = torch.baddbmm(out[:, None], for_s[:, None, :used].to(out.dtype), self.s[:, :used])
        out = torch.baddbmm(out, for_y[:, None, :used].to(out.dtype), self.y[:, :used])
        return out[:, 0]

    def _small(self, s_g: Tensor, y_g: Tensor) -> tuple[Tensor, Tensor]:
        """Return the factors of S and Y in H g - gamma g, by slot."""
        order = (self.count[:, None] + torch.arange(self.memory, device=s_g.device)) % self.memory
        # Oldest first. Cells with free slots have them at the front; such a slot is a zero pair on its own diagonal.
        order = torch.where(self.count[:, None] < self.memory, self._unfilled_order(), order)
        index = order[:, :, None].expand(-1, -1, self.memory)
        across = order[:, None, :].expand(-1, self.memory, -1)
        sy = self.sy.gather(1, index).gather(2, across).triu()
        yy = self.yy.gather(1, index).gather(2, across)
        diagonal = sy.diagonal(dim1=1, dim2=2)
        right = sy + torch.diag_embed((diagonal == 0).double())
        p, q = s_g.gather(1, order), y_g.gather(1, order)
        w = torch.linalg.solve_triangular(right, p[:, :, None], upper=True)
        gamma = self.gamma[:, None, None]
        inner = diagonal[:, :, None] * w + gamma * (yy @ w) - gamma * q[:, :, None]
        u = torch.linalg.solve_triangular(right.transpose(1, 2), inner, upper=False)
        return torch.zeros_like(p).scatter(1, order, u[:, :, 0]), torch.zeros_like(p).scatter(
            1, order, (-gamma * w)[:, :, 0]
        )

    def _unfilled_order(self) -> Tensor:
        return torch.arange(self.memory, device=self.s.device).expand(len(self.s), -1)

    def keep(self, index: Tensor) -> None:
        self._ahead = None
        for name in ("pairs", "sy", "yy", "gamma", "count"):
            setattr(self, name, getattr(self, name)[index])


def _settle(status: Tensor, mask: Tensor, outcome: int) -> None:
    """Give an outcome to the cells of the mask that are still running."""
    status.masked_fill_(mask & (status == RUNNING), outcome)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, None] @ b[:, :, None])[:, 0, 0].double()


class Lbfgs:
    """L-BFGS with a fixed step: the very steps of torch.optim.LBFGS without a line search (Nocedal 1980).

    The first step is learning_rate * min(1, 1 / |g|_1), every later one learning_rate.

    Args:
        x: Where to start, N x D.
        learning_rate: Length of the step, above 0.
        memory: Pairs of the curvature that are kept, 1 or more.
    """

    def __init__(self, x: Tensor, *, learning_rate: float = 1.0, memory: int = 100) -> None:
        self.x = x.clone()
        self.learning_rate = learning_rate
        self.status = torch.zeros(len(x), dtype=torch.int8, device=x.device)
        self._pairs = _Curvature(len(x), memory, x.shape[1], x)
        self._gradient: Tensor | None = None
        self._move = torch.zeros_like(x)

    def tell(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.tell`. A cell whose direction leads uphill, or whose loss is not finite, is STUCK."""
        if self._gradient is None:
            direction = -gradients
            length = (1.0 / gradients.abs().sum(1)).clamp(max=1.0) * self.learning_rate
        else:
            y = gradients - self._gradient
            sy = _dot(y, self._move)
            self._pairs.add(sy > 1e-10, self._move, y, sy, gradients)
            direction = -self._pairs.inverse_times(gradients)
            length = torch.full_like(gradients[:, 0], self.learning_rate)
        uphill = _dot(gradients, direction) >= 0
        _settle(self.status, uphill | ~losses.isfinite(), STUCK)
        self._gradient = gradients
        self._move = direction * length[:, None]
        self.x = self.x + self._move

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        self.x, self.status, self._move = self.x[index], self.status[index], self._move[index]
        if self._gradient is not None:
            self._gradient = self._gradient[index]
        self._pairs.keep(index)


class LbfgsB:
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

    def __init__(
        self,
        x: Tensor,
        *,
        memory: int = 10,
        round_evaluations: int = 0,
        factor: float = 1e7,
        largest_gradient: float = 1e-5,
    ) -> None:
        self.x = x.clone()
        self.round_evaluations = round_evaluations
        self.smallest_decrease = factor * torch.finfo(torch.float64).eps
        self.largest_gradient = largest_gradient
        self.status = torch.zeros(len(x), dtype=torch.int8, device=x.device)
        self._pairs = _Curvature(len(x), memory, x.shape[1], x)
        self._in_round = torch.zeros(len(x), dtype=torch.long, device=x.device)
        self._search: Search | None = None

    def tell(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.tell`. A cell whose line search fails without any curvature left is STUCK."""
        self._in_round += 1
        if self._search is None:
            self._place, self._loss, self._gradient = self.x, losses, gradients
            self._aim(torch.ones_like(losses, dtype=torch.bool))
            return
        slope = _dot(gradients, self._direction)
        search, done = advance(self._search, losses, slope)
        lost = ~losses.isfinite() | (~done & (search.evaluations >= MAX_EVALUATIONS))
        done &= ~lost
        self._accept(done, losses, gradients, slope)
        self._retreat(lost)
        self._search = search
        self._aim(done | lost)

    def _accept(self, done: Tensor, losses: Tensor, gradients: Tensor, slope: Tensor) -> None:
        assert self._search is not None  # noqa: S101 -- narrows the type
        step, before = self._search.step, self._search.start_slope
        y = gradients - self._gradient
        sy = (slope - before) * step
        curved = sy > -torch.finfo(torch.float64).eps * before * step
        self._gradient = torch.where(done[:, None], gradients, self._gradient)
        self._pairs.add(done & curved, self._direction * step.to(y.dtype)[:, None], y, sy, self._gradient)
        scale = torch.maximum(torch.maximum(self._loss.abs(), losses.abs()), torch.ones_like(losses))
        flat = (self._loss - losses <= self.smallest_decrease * scale) | (
            gradients.abs().amax(1) <= self.largest_gradient
        )
        _settle(self.status, done & flat, CONVERGED)
        self._place = torch.where(done[:, None], self.x, self._place)
        self._loss = torch.where(done, losses, self._loss)
        if self.round_evaluations:
            ended = done & (self._in_round >= self.round_evaluations)
            self._pairs.forget(ended)
            # The round's last iterate is the next one's first evaluation.
            self._in_round = torch.where(ended, 1, self._in_round)

    def _retreat(self, lost: Tensor) -> None:
        """A search that found nothing: forget the curvature and start anew from the last iterate, once."""
        _settle(self.status, lost & (self._pairs.count == 0), STUCK)
        self._pairs.forget(lost)

    def _aim(self, mask: Tensor) -> None:
        """Give some cells a new direction and first step; set every cell's next point."""
        direction = -self._pairs.inverse_times(self._gradient)
        slope = _dot(self._gradient, direction)
        uphill = mask & (slope >= 0) & (self._pairs.count > 0)
        self._pairs.forget(uphill)
        direction = torch.where(uphill[:, None], -self._gradient, direction)
        slope = torch.where(uphill, -_dot(self._gradient, self._gradient), slope)
        first = self._pairs.count == 0
        step = torch.where(first, (1.0 / (-slope).clamp(min=1e-300).sqrt()).clamp(max=1.0), 1.0)
        fresh = Search.begin(step, self._loss, slope)
        if self._search is None:
            self._direction, self._search = direction, fresh
        else:
            self._direction = torch.where(mask[:, None], direction, self._direction)
            self._search = fresh.where(mask, self._search)
        self.x = self._place + self._direction * self._search.step.to(self._place.dtype)[:, None]

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        for name in ("x", "status", "_in_round"):
            setattr(self, name, getattr(self, name)[index])
        self._pairs.keep(index)
        if self._search is not None:
            self._search = self._search.keep(index)
            for name in ("_place", "_loss", "_gradient", "_direction"):
                setattr(self, name, getattr(self, name)[index])


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), as torch.optim.Adam steps it.

    Args:
        x: Where to start, N x D.
        learning_rate: Length of the step, above 0.
        betas: Decay of the mean and of the mean square, each from 0 to below 1.
        limits: Least and largest values, each broadcast to N x D; x is kept within.
    """

    def __init__(
        self,
        x: Tensor,
        *,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        limits: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self.x = x.clone()
        self.learning_rate, self.betas, self.limits = learning_rate, betas, limits
        self.status = torch.zeros(len(x), dtype=torch.int8, device=x.device)
        self._mean, self._square = torch.zeros_like(x), torch.zeros_like(x)
        self._steps = 0

    def tell(self, losses: Tensor, gradients: Tensor) -> None:
        """See `Optimiser.tell`. A cell whose loss is not finite is STUCK."""
        first, second = self.betas
        self._steps += 1
        _settle(self.status, ~losses.isfinite(), STUCK)
        self._mean = self._mean.lerp(gradients, 1 - first)
        self._square = self._square * second + (1 - second) * gradients.square()
        size = self.learning_rate / (1 - first**self._steps)
        scale = self._square.sqrt() / (1 - second**self._steps) ** 0.5 + 1e-8
        self.x = self.x - size * self._mean / scale
        if self.limits is not None:
            self.x = torch.minimum(torch.maximum(self.x, self.limits[0]), self.limits[1])

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        for name in ("x", "status", "_mean", "_square"):
            setattr(self, name, getattr(self, name)[index])
