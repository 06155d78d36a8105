"""A run's progress as one line: cells done, cell at work, loss, speed, time left."""

from __future__ import annotations

import shutil
import time
from types import TracebackType
from typing import Never, Self, TextIO

from tqdm import tqdm

from generator.making.render import Step

# Asking for the loss waits for the device, so it is asked a few times a second at most.
_SECONDS_BETWEEN_LOSSES = 0.5


class Bar:
    """Shows `render`'s steps on a terminal; on anything else, a line for each cell."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm[Never] | None = None
        self._looked = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, step: Step) -> None:
        """Take one step of a run."""
        if not self._stream.isatty():
            if not step.evaluation:
                self._stream.write(f"{step.done + step.failed} of {step.total}: {', '.join(step.cells)}\n")
            return
        bar = self._bar = self._bar or self._started()
        if step.evaluation:
            # Cells yet to come are taken to need as many evaluations as the one at work.
            left = step.total - step.done - step.failed
            running = len(step.cells) * (step.evaluations - step.evaluation)
            bar.total = bar.n + step.advanced + running + (left - len(step.cells)) * step.evaluations
            bar.update(step.advanced)
        self._describe(step)

    def _started(self) -> tqdm[Never]:
        # Asked here and not by tqdm, which draws nothing on a terminal that does not know its width.
        columns = shutil.get_terminal_size().columns
        return tqdm(file=self._stream, unit="eval", ncols=columns, smoothing=0.05, leave=False)

    def _describe(self, step: Step) -> None:
        now = time.monotonic()
        if self._bar is None or now - self._looked < _SECONDS_BETWEEN_LOSSES:
            return
        self._looked = now
        more = f" +{len(step.cells) - 1}" if len(step.cells) > 1 else ""
        self._bar.set_description_str(f"{step.done}/{step.total} {step.cells[0][:48]}{more}", refresh=False)
        if step.evaluation:
            self._bar.set_postfix_str(f"loss {step.loss():.3g}")
