"""What a transfer tells on its way, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from generator.nst.recipes.coefficients import Coefficients


@dataclass(frozen=True)
class Progress:
    """One evaluation of a batch.

    Attributes:
        cells: Places of the batch's cells in the list given.
        evaluation: Number of this evaluation, from 1.
        evaluations: Number of evaluations at all levels together.
        height: Height of the images at this level, in px.
        width: Width of the images at this level, in px.
    """

    cells: tuple[int, ...]
    evaluation: int
    evaluations: int
    height: int
    width: int
    _losses: Tensor = field(repr=False)

    def losses(self) -> list[float]:
        """Return each cell's loss. Waits for the device, so ask seldom."""
        return [float(value) for value in self._losses.cpu()]


@dataclass(frozen=True)
class Result:
    """One image made, or why it was not.

    Attributes:
        image: 3 x H x W, 0 to 1, float32, on the CPU.
        curve: The weighted terms by `coefficients.TERMS`, a number for each evaluation. The loss is their sum.
        evaluations: Evaluations used.
        stop: Why its last level stopped: "evaluations" (all used), "converged", "no visible change" or "no progress".
        failure: What is wrong with the image; empty if nothing.
        seconds: Time of the batch divided by its cells.
        batch: Number of cells made together.
        coefficients: Factors of the losses at the last level.
        precision: Precision that ran: "float32", "tf32" or "bfloat16".
        convolution: "plain", or "winograd" where some layers ran by `winograd.Convolution`.
        notes: What differed from a plain run, such as a smaller batch.
    """

    image: Tensor
    curve: dict[str, list[float]]
    evaluations: int
    stop: str
    failure: str
    seconds: float
    batch: int
    coefficients: Coefficients
    precision: str
    convolution: str = "plain"
    notes: tuple[str, ...] = ()


Callback = Callable[[Progress], None]
