"""The pairs of L-BFGS for many images at once, and the product of the inverse Hessian's approximation with a gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from generator.nst.gpu.precision import wide
from generator.nst.optimise.state import Restore, snapshot

# A GPU reads slots of pairs by so many: steps then differ seldom, and a recorded one can be repeated.
_SLOTS_AT_ONCE = 32


class Curvature:
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
        numbers = like.new_empty(0, dtype=wide(like.device))
        # Products s·y and y·y of all slots, and of the pairs with the gradient that was told last.
        self.small = numbers.new_zeros(cells, 2, memory + 1, memory + 1)
        self._with_gradient = numbers.new_zeros(cells, memory, 2)
        self.gamma = numbers.new_ones(cells)
        self.count = torch.zeros(cells, dtype=torch.long, device=like.device)
        self._used = (
            0  # slots that are read: those that any cell may have filled, known without asking the device
        )
        self._cells = torch.arange(cells, device=like.device)
        self._slots = torch.arange(memory, device=like.device)
        self._spare = torch.full((), memory, device=like.device)
        self._zero = numbers.new_zeros(())

    def forget(self, mask: Tensor) -> None:
        """Throw away the pairs of some cells: they no longer count, the images themselves stay where they are."""
        self.count.masked_fill_(mask, 0)
        self.gamma.masked_fill_(mask, 1.0)

    def slots(self, pairs: int) -> int:
        """Return how many slots are read after so many pairs."""
        at_once = _SLOTS_AT_ONCE if self._in_one else 1
        return min(self.memory, -(-pairs // at_once) * at_once)

    def add(self, mask: Tensor, s: Tensor, y: Tensor, sy: Tensor, gradient: Tensor, number: int) -> None:
        """Add a pair to some cells, in place of the oldest where the memory is full.

        sy: s·y (N). gradient: the vector that `inverse_times` will be asked for next. number: of the pair, from 1.
        """
        self._used = self.slots(number)
        cells, slot = self._cells, self.count % self.memory
        written = torch.where(mask, slot, self._spare)
        self.pairs[cells, written, 0] = s
        self.pairs[cells, written, 1] = y
        self.count += mask
        with_y, self._with_gradient = self._products(y, gradient).unbind(3)
        self.small[cells, :, : self.memory, written] = with_y.transpose(1, 2)
        self.small[cells, 1, written, : self.memory] = with_y[:, :, 1]
        self.small[cells, 0, written, written] = sy
        squares = with_y[:, :, 1].gather(1, slot[:, None])[:, 0]
        torch.where(mask, sy / squares, self.gamma, out=self.gamma)

    def _products(self, y: Tensor, gradient: Tensor) -> Tensor:
        """Return N x memory x 2 x 2: of each of a cell's pairs s and y with y and the gradient; 0 for other slots."""
        used = self._used
        if self._in_one:
            vectors = torch.stack([y, gradient], dim=2)
            found = torch.bmm(self.pairs.flatten(1, 2)[:, : 2 * used], vectors).view(-1, used, 2, 2)
        else:
            found = torch.stack([self._apart(y), self._apart(gradient)], dim=3)
        filled = self._slots[:used] < self.count[:, None]
        found = torch.where(filled[:, :, None, None], found.to(self._zero.dtype), self._zero)
        missing = self.memory - used
        return torch.nn.functional.pad(found, (0, 0, 0, 0, 0, missing)) if missing else found

    def _apart(self, vector: Tensor) -> Tensor:
        """Return N x used x 2: the products of s and y with a vector."""
        halves = (self.pairs[:, : self._used, half] for half in (0, 1))
        return torch.cat([torch.bmm(pairs, vector[:, :, None]) for pairs in halves], dim=2)

    def inverse_times(self, gradient: Tensor) -> Tensor:
        """Return H g (N x D) for the gradient that was told with the last pair."""
        if not self._used:
            return gradient  # gamma is 1 until the first pair
        used = self._used
        factors = self._factors()[:, :used].to(gradient.dtype)
        out: Tensor = (self.gamma.to(gradient.dtype)[:, None] * gradient)[:, None]
        if self._in_one:
            return torch.baddbmm(out, factors.flatten(1)[:, None], self.pairs.flatten(1, 2)[:, : 2 * used])[
                :, 0
            ]
        for half in (0, 1):
            out = torch.baddbmm(out, factors[:, None, :, half].contiguous(), self.pairs[:, :used, half])
        return out[:, 0]

    def _factors(self) -> Tensor:
        """Return the factors of S and Y in H g - gamma g: N x memory x 2."""
        # Oldest first. Cells with free slots have them at the end: as zero pairs, with 1 on the diagonal.
        order = (self.count.clamp(min=self.memory)[:, None] + self._slots) % self.memory
        filled = self._slots < self.count[:, None]
        rows = order[:, None, :, None].expand(-1, 2, -1, self.memory + 1)
        across = order[:, None, None, :].expand(-1, 2, self.memory, -1)
        small = self.small.gather(2, rows).gather(3, across)
        sy, yy = torch.where(filled[:, None, None], small, self._zero).unbind(1)
        diagonal, right = sy.diagonal(dim1=1, dim2=2), sy.triu()
        right.diagonal(dim1=1, dim2=2).masked_fill_(diagonal == 0, 1.0)
        places = order[:, :, None].expand(-1, -1, 2)
        p, q = torch.split(self._with_gradient.gather(1, places), 1, dim=2)
        w = torch.linalg.solve_triangular(right, p, upper=True)
        times_gamma = self.gamma[:, None, None] * torch.cat([w, yy @ w, q], dim=2)
        gamma_w, gamma_yy, gamma_q = torch.split(times_gamma, 1, dim=2)
        inner = diagonal[:, :, None] * w + gamma_yy - gamma_q
        u = torch.linalg.solve_triangular(right.transpose(1, 2), inner, upper=False)
        factors = torch.where(filled[:, :, None], torch.cat([u, -gamma_w], dim=2), self._zero)
        return torch.empty_like(factors).scatter_(1, places, factors)

    def keep(self, index: Tensor) -> None:
        """See `Optimiser.keep`."""
        for name in ("pairs", "small", "gamma", "count"):
            setattr(self, name, getattr(self, name)[index])
        self._cells = self._cells[: len(index)]

    def snapshot(self) -> Restore:
        """See `Optimiser.snapshot`. Of the pairs only the slot that the next one takes is kept."""
        cells, slot = self._cells, self.count % self.memory
        taken = self.pairs[cells, slot]
        rest = snapshot([self.small, self._with_gradient, self.gamma, self.count])

        def restore() -> None:
            rest()
            self.pairs[cells, slot] = taken

        return restore
