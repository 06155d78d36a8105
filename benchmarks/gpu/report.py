"""Sections that run one after another; what they found is on disk after each, whatever ends the run."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.answers import answers

Found = dict[str, Any]


@dataclass
class Report:
    """Sections in order, with results.json and results.md in a folder.

    Attributes:
        folder: Where the files go.
        seconds: No section begins later than this.
        title: The first lines of results.md.
        started: When the report began, on the clock of `time.perf_counter`.
        sections: What each section found.
        lines: The lines of results.md.
        ends: Seconds from the start after which the present section begins no further part.
    """

    folder: Path
    seconds: float
    title: Sequence[str] = ()
    started: float = field(default_factory=time.perf_counter)
    sections: dict[str, Found] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    ends: float = math.inf

    def plan(self, sections: Mapping[str, tuple[float, float]]) -> None:
        """Write down what is to run: for each section the least and the most seconds."""
        self.say(
            "",
            "## plan",
            "",
            f"No section begins after {self.seconds:.0f} s. A section begins no part after its seconds.",
        )
        whole = sum(most for _, most in sections.values())
        rows = [(name, least, most) for name, (least, most) in sections.items()]
        self.table(("section", "needs at least", "may take"), [*rows, ("all", "", whole)])
        self.write()

    def run(self, name: str, work: Callable[[Report], Found], least: float, most: float = math.inf) -> None:
        """Run a section, unless too little time is left. A fault in it is written down.

        What the section is about stands above its figures: the documentation of `work`.

        Args:
            name: Its name.
            work: Runs it and returns what it found.
            least: Seconds that it needs at least.
            most: Seconds after which it begins no further part.
        """
        self.say(
            "", f"## {name}", "", *(line.strip() for line in (work.__doc__ or "").strip().splitlines()), ""
        )
        left = self.seconds - self.spent()
        if left < least:
            self.say(f"Left out: {max(0.0, left):.0f} s were left.")
            self.sections[name] = {"left_out": True}
        else:
            self.ends = min(self.seconds, self.spent() + most)
            self.sections[name] = self._found(name, work)
        self.write()
        with contextlib.suppress(RuntimeError):
            tidy()

    def _found(self, name: str, work: Callable[[Report], Found]) -> Found:
        began = time.perf_counter()
        try:
            found = work(self)
        except Exception as error:
            text = traceback.format_exc()
            found = {"error": f"{type(error).__name__}: {error}", "trace": text}
            self.say(f"FAILED: {type(error).__name__}: {str(error)[:300]}", "", "```", text[-1500:], "```")
        found["seconds"] = round(time.perf_counter() - began, 2)
        print(f"{self.spent():6.1f} s  {name}: {found.get('error', 'done')}", flush=True)
        return found

    def told(self, work: Callable[[], Found]) -> Found:
        """Return what a part of a section found, or its error: the other parts run all the same.

        A part for which the section has no time left is left out.
        """
        if (over := self.spent() - self.ends) > 0:
            return {"left_out": f"left out: the section's time was over {over:.0f} s before"}
        try:
            return work()
        except Exception as error:
            return {
                "error": f"{type(error).__name__}: {str(error)[:200]}",
                "trace": traceback.format_exc()[-1200:],
            }

    def spent(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.started

    def say(self, *lines: str) -> None:
        """Add lines to results.md."""
        self.lines.extend(lines)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a table in Markdown to results.md."""
        self.say("", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head))
        self.say(*("| " + " | ".join(shown(cell) for cell in row) + " |" for row in rows), "")

    def write(self) -> None:
        """Write both files."""
        account = {"seconds": round(self.spent(), 1), "sections": self.sections}
        (self.folder / "results.json").write_text(json.dumps(account, indent=1, default=str) + "\n")
        short = ["", "## In short", "", *(answers(self.sections) or ["Nothing is known yet."])]
        text = "\n".join([*self.title, *short, *self.lines])
        # One empty line parts what stands apart.
        (self.folder / "results.md").write_text(re.sub(r"\n{3,}", "\n\n", text) + "\n")


def filled(found: Found, keys: Iterable[str]) -> list[object]:
    """Return a row of a table: what a part found, or why it found nothing."""
    why = found.get("error", found.get("left_out", ""))
    return [found.get(key, why) for key in keys]


def shown(cell: object) -> str:
    """Return a cell of a table as text: numbers with four digits."""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell).replace("|", "/")


def has_error(found: Found) -> bool:
    """Say whether a section, or a part of it, failed."""
    return "error" in found or any(has_error(part) for part in found.values() if isinstance(part, dict))


def tidy() -> None:
    """Free what nothing uses, so that a section starts with an empty device. A CPU's memory is not so scarce."""
    if torch.cuda.is_initialized() or torch.backends.mps.is_available():
        gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
