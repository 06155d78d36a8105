"""What is kept of the images on their way: the best so far, or their average."""

from __future__ import annotations

import torch
from torch import Tensor

from generator.nst.gpu.precision import wide
from generator.nst.optimise.state import Restore, snapshot


class Watch:
    """Each cell's best iterate so far, or the bias-corrected average of its iterates (weight `decay` on the past)."""

    def __init__(self, flat: Tensor, decay: float) -> None:
        self.decay = decay
        self._all = flat.clone()
        self._rows = torch.arange(len(flat), device=flat.device)
        self._held = torch.zeros_like(flat) if decay else flat.clone()
        self._least = torch.full((len(flat),), torch.inf, dtype=wide(flat.device), device=flat.device)
        self._seen = 0
        self._looked_at: Tensor | None = None

    def see(self, point: Tensor, losses: Tensor) -> None:
        """Look at iterates, N x D, and their losses, N. `passed` must follow."""
        if self.decay:
            self._held.lerp_(point, 1 - self.decay)
            return
        better = losses < self._least
        torch.where(better, losses, self._least, out=self._least)
        torch.where(better[:, None], point, self._held, out=self._held)

    def passed(self) -> None:
        """Count an iterate that was seen."""
        self._seen += 1

    def snapshot(self) -> Restore:
        """See `state.snapshot`."""
        return snapshot([self._held, self._least])

    def keep(self, index: Tensor) -> None:
        """Go on with some cells only, by their rows."""
        self._store()
        self._rows, self._held, self._least = self._rows[index], self._held[index], self._least[index]
        if self._looked_at is not None:
            self._looked_at = self._looked_at[index]

    def moved(self) -> Tensor:
        """Return by how much each running cell's image has changed since the last call: a mean over its values."""
        before, self._looked_at = self._looked_at, self._present().clone()
        if before is None:
            return torch.full_like(self._least, torch.inf)
        return (self._looked_at - before).abs().mean(1)

    def images(self) -> Tensor:
        """Return every cell's image, those that have left included."""
        self._store()
        return self._all

    def _store(self) -> None:
        self._all[self._rows] = self._present()

    def _present(self) -> Tensor:
        return self._held / (1 - self.decay**self._seen) if self.decay else self._held
