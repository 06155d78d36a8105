"""A run's progress for the command line: a bar on a terminal, lines on anything else."""

from __future__ import annotations

import shutil
import threading
import time
from types import TracebackType
from typing import Final, Never, Self, TextIO

from tqdm import tqdm

from generator.making.render import Step

# Asking for the loss waits for the device, so it is asked a few times a second at most.
_SECONDS_BETWEEN_LOSSES = 0.5
# A log that stays silent for longer looks like a process that hangs.
_LONGEST_SILENCE = 25.0
AT_FIRST: Final = "reading the images and the network"


class Silence:
    """Says when a log has been silent for long."""

    def __init__(self, longest: float = _LONGEST_SILENCE) -> None:
        self._longest = longest
        self._spoke = time.monotonic()

    def is_long(self) -> bool:
        """Return whether nothing was said for long; if so, something is said now."""
        if time.monotonic() - self._spoke < self._longest:
            return False
        self._spoke = time.monotonic()
        return True


class Bar:
    """Shows `render`'s steps on a terminal; on anything else, a line for each cell and one after each long silence.

    Enter it before the first long work, so that reading images and fetching networks is not silent either.
    """

    def __init__(
        self,
        stream: TextIO,
        longest_silence: float = _LONGEST_SILENCE,
        at_first: str = AT_FIRST,
    ) -> None:
        self._stream = stream
        self._at_first = at_first
        self._bar: tqdm[Never] | None = None
        self._looked = 0.0
        self._began = self._spoke = time.monotonic()
        self._step: Step | None = None
        self._silence = longest_silence
        self._ended = threading.Event()
        self._talker = threading.Thread(target=self._talk, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if not self._stream.isatty():
            self._talker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._talker.is_alive():
            self._talker.join()
        if self._bar is not None:
            self._bar.close()

    def show(self, step: Step) -> None:
        """Take one step of a run."""
        self._step = step
        if not self._stream.isatty():
            if not step.evaluation:
                self._say(f"{step.done + step.failed} of {step.total}: {', '.join(step.cells)}")
            return
        bar = self._bar = self._bar or self._started()
        if step.evaluation:
            # Cells yet to come are taken to need as many evaluations as the one at work.
            left = step.total - step.done - step.failed
            running = len(step.cells) * (step.evaluations - step.evaluation)
            bar.total = bar.n + step.advanced + running + (left - len(step.cells)) * step.evaluations
            bar.update(step.advanced)
        self._describe(step)

    def _talk(self) -> None:
        """Say how far the run is whenever nothing was said for long."""
        while not self._ended.wait(max(0.0, self._spoke + self._silence - time.monotonic())):
            if time.monotonic() - self._spoke >= self._silence:
                doing = _at_work(self._step) if self._step else self._at_first
                self._say(f"{doing} ({_clock(time.monotonic() - self._began)} so far)")

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        self._stream.write(f"{line}\n")
        self._stream.flush()

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


def _at_work(step: Step) -> str:
    finished = step.done + step.failed
    if finished == step.total:
        return f"{finished} of {step.total} done; measuring the images"
    now = f", now {', '.join(step.cells[:3])}" if step.evaluation and step.cells else ""
    at = f": evaluation {step.evaluation} of {step.evaluations} at most" if now else ""
    return f"{finished} of {step.total} done{now}{at}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
