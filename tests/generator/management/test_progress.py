"""Progress where there is no terminal."""

from __future__ import annotations

import io
import threading

from generator.making.render import Step
from generator.management.progress import Bar


class Log(io.StringIO):
    """A file that says when a second line was written."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.getvalue().count("\n") >= 2:
            self.told.set()
        return written


def step(evaluation: int, done: int = 0) -> Step:
    return Step(("cat × wave",), evaluation, 200, 1, done, 0, 3, lambda: 1.0)


def test_a_log_hears_of_a_run_before_its_first_image() -> None:
    log = Log()
    with Bar(log, longest_silence=0.01):
        assert log.told.wait(30)
    assert log.getvalue().startswith("reading the images and the network (0:00 so far)\n")


def test_a_log_hears_how_far_a_long_image_is() -> None:
    log = Log()
    with Bar(log, longest_silence=0.01) as bar:
        bar.show(step(40, done=1))
        assert log.told.wait(30)
    assert "1 of 3 done, now cat × wave: evaluation 40 of 200 at most (" in log.getvalue()


def test_a_log_gets_one_line_for_each_image_where_none_takes_long() -> None:
    log = Log()
    with Bar(log) as bar:
        for evaluation in (1, 2, 0):
            bar.show(step(evaluation, done=1))
    assert log.getvalue() == "1 of 3: cat × wave\n"
