"""One evaluation of a batch after another: losses, gradients and the optimiser's step, repeated from a recording where that helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from generator.nst.gpu import graphs, memory, verdicts
from generator.nst.objective import Objective
from generator.nst.optimise.optimisers import Optimiser
from generator.nst.optimise.watch import Watch

WAY = "evaluation as a CUDA graph"
# A recording costs some evaluations, and the trial of one some more.
_MIN_LEFT = 20
# How far a repeated step may be from the plain one, relative to its length. The kernels are the same.
_TOLERANCE = 1e-3


class Evaluations:
    """Evaluations of the cells of a batch at one level.

    Args:
        objective: What is minimised.
        optimiser: What moves the images.
        watch: What looks at each.
        shape: Of an image: 3, H, W.

    Attributes:
        notes: The verdict on recordings where they were taken, or why one failed.
    """

    def __init__(
        self, objective: Objective, optimiser: Optimiser, watch: Watch, shape: Sequence[int]
    ) -> None:
        self._objective, self._optimiser, self._watch, self._shape = objective, optimiser, watch, shape
        self.notes: list[str] = []
        self._recording: graphs.Recording | None = None
        self._kind: object = None
        self._is_refused = False

    def next(self, left: int) -> Tensor:
        """Evaluate once and step on.

        Args:
            left: Evaluations that are left, this one included.

        Returns:
            The weighted terms at the point evaluated: N x 3 of `coefficients.TERMS`, wide (`precision.wide`).
        """
        kind = self._optimiser.kind()
        if kind != self._kind:
            # The first of a kind runs plainly: fast ways are tried and memory is found short there.
            self._kind, self._recording, self._is_refused = kind, None, False
            made = self._evaluate(self._objective)
        else:
            if (
                self._recording is None
                and left >= _MIN_LEFT
                and not self._is_refused
                and self._can_be_recorded()
            ):
                self._prepare()
            if self._recording is None:
                made = self._evaluate(self._objective)
            else:
                self._recording.repeat()
                made = self._recording.made.clone()
        self._optimiser.passed()
        self._watch.passed()
        return made

    def keep(self, index: Tensor, rows: Sequence[int]) -> None:
        """Go on with some cells only: their rows, on the device and as numbers."""
        self._recording, self._kind = None, None
        self._optimiser.keep(index)
        self._objective.keep(rows)
        self._watch.keep(index)

    def _evaluate(self, objective: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Tensor:
        point = self._optimiser.x
        terms, gradients = objective(point.view(-1, *self._shape))
        losses = terms.sum(1)
        self._watch.see(point, losses)
        self._optimiser.step(losses, gradients.flatten(1))
        return terms

    def _can_be_recorded(self) -> bool:
        return (
            self._kind is not None
            and self._objective.is_repeatable
            and graphs.are_possible(self._optimiser.x.device)
        )

    def _prepare(self) -> None:
        """Record an evaluation where recordings have proved themselves on the device."""
        self._is_refused = True
        restores = [self._optimiser.snapshot(), self._watch.snapshot()]
        before = self._optimiser.x.clone()

        def restore() -> None:
            for each in restores:
                each()

        def moved(work: Callable[[], object]) -> Tensor:
            restore()
            work()
            return self._optimiser.x - before

        def repeated() -> None:
            if self._recording is None:
                self._recording = self._recorded(restore)
            self._recording.repeat()

        try:
            verdict = verdicts.of(
                WAY,
                before.device,
                (*self._objective.subject(len(before)), self._optimiser.name, self._kind),
                lambda: moved(lambda: self._evaluate(self._objective.once)),
                lambda: moved(repeated),
                _TOLERANCE,
            )
            self._take(verdict, restore)
        except (RuntimeError, MemoryError) as error:
            # Known from an earlier run as taken, but not to be had now.
            self._recording = None
            self._note(f"{WAY}: not taken: {type(error).__name__}: {str(error)[:200]}")
        restore()
        if self._recording is None:
            memory.release()

    def _take(self, verdict: verdicts.Verdict, restore: Callable[[], None]) -> None:
        if not verdict.is_taken:
            self._recording = None
            return
        if self._recording is None:
            self._recording = self._recorded(restore)
        self._note(str(verdict))

    def _recorded(self, restore: Callable[[], None]) -> graphs.Recording:
        recording = graphs.record(lambda: self._evaluate(self._objective.once), self._optimiser.x.device)
        restore()
        return recording

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)
