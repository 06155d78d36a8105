"""Fast ways prove themselves: each is used only after it has shown on this very device that it is right, and faster.

A verdict holds for a way, a device, its versions and a shape. It is kept in a file where `keep_in` names one, so that
what runs is fixed once it is chosen, and an image repeats.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from generator.nst.gpu import memory
from generator.nst.gpu.precision import wide

# Raise it when the code of a way changes, so that the way proves itself again.
_CODE = 3
# Rounds of which the median counts, after one that warms up.
_ROUNDS = 5


@dataclass(frozen=True)
class Verdict:
    """How a fast way did beside the plain one.

    Attributes:
        way: Name of the fast way.
        subject: Way, device, versions and shape, which the verdict holds for.
        off: Distance of the fast gradient from the plain one, relative to its length.
        tolerance: The largest `off` that is right.
        seconds: Median time of the fast way.
        plain_seconds: Median time of the plain one.
        error: What the fast way raised, or "".
        bits: Hash of what the fast way makes of a fixed image, where another process might choose otherwise; or "".
    """

    way: str
    subject: str
    off: float
    tolerance: float
    seconds: float
    plain_seconds: float
    error: str = ""
    bits: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the fast way is used: it raised nothing, is right, and is faster."""
        return not self.error and self.off <= self.tolerance and self.seconds < self.plain_seconds

    def __str__(self) -> str:
        if self.error:
            return f"{self.way}: not taken: {self.error}"
        fact = f"gradient off by {self.off:.1e}, {self.plain_seconds / self.seconds:.2f} times as fast"
        return f"{self.way}: {'' if self.is_taken else 'not taken: '}{fact}"


_known: dict[str, Verdict] = {}
# Whose bits this process has made, and whether they are those of the trial.
_repeated: dict[str, bool] = {}
_file: Path | None = None


def keep_in(path: Path) -> None:
    """Read verdicts from a file, and write new ones there. A file that cannot be read is begun anew."""
    global _file
    _file = path
    _known.clear()
    _repeated.clear()
    _known.update({each.subject: each for each in read(path)})


def read(path: Path) -> list[Verdict]:
    """Return the verdicts of a file; none where it is not there or is damaged."""
    try:
        return [Verdict(**each) for each in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []


def of(
    way: str,
    device: torch.device,
    shape: tuple[object, ...],
    plain: Callable[[], Tensor],
    fast: Callable[[], Tensor],
    tolerance: float,
    bits: Callable[[], str] | None = None,
) -> Verdict:
    """Return the verdict on a way, tried now where none is known.

    A way whose bits are not those of its trial is not taken in this process: an image made again would differ.

    Args:
        way: Name of the way.
        device: Where it runs.
        shape: What else the verdict depends on, such as dtype, sizes and taps.
        plain: Returns the gradient by the plain way.
        fast: Returns it by the fast way.
        tolerance: The largest distance relative to the plain gradient's length.
        bits: Returns a hash of what the fast way makes of a fixed image; None where its code fixes that.

    Raises:
        torch.OutOfMemoryError: If memory runs out, which says nothing of the way; also as RuntimeError or MemoryError.
    """
    subject = " ".join(map(str, (way, *_identity(device), *shape)))
    if subject not in _known:
        _known[subject] = _tried(way, subject, device, plain, fast, tolerance)
        if bits is not None and _known[subject].is_taken:
            _known[subject] = replace(_known[subject], bits=bits())
        _write()
    found = _known[subject]
    if bits is None or not found.is_taken:
        return found
    if subject not in _repeated:
        _repeated[subject] = bits() == found.bits
    return (
        found
        if _repeated[subject]
        else replace(found, error="does not repeat what it made when it was tried")
    )


def _identity(device: torch.device) -> tuple[object, ...]:
    if device.type == "mps":
        # The kernels are macOS's own.
        return _CODE, device.type, platform.processor(), platform.mac_ver()[0], torch.__version__
    if device.type != "cuda":
        return _CODE, device.type, torch.__version__
    name = torch.cuda.get_device_name(device)
    return _CODE, name, torch.__version__, torch.version.cuda, _cudnn()


def _cudnn() -> int | None:
    return torch.backends.cudnn.version()  # type: ignore[no-untyped-call, no-any-return]


def _tried(
    way: str,
    subject: str,
    device: torch.device,
    plain: Callable[[], Tensor],
    fast: Callable[[], Tensor],
    tolerance: float,
) -> Verdict:
    expected = plain().to(wide(device))
    try:
        found = fast().to(wide(device))
        off = float((found - expected).norm() / expected.norm().clamp(min=1e-30))
        # What is not a number is off by any measure.
        off = off if off == off else float("inf")
        seconds, plain_seconds = _seconds(fast, device), _seconds(plain, device)
    except Exception as error:
        if memory.is_out_of_memory(error):
            raise
        return Verdict(way, subject, 0.0, tolerance, 0.0, 0.0, f"{type(error).__name__}: {error}"[:200])
    return Verdict(way, subject, off, tolerance, seconds, plain_seconds)


def _seconds(work: Callable[[], Tensor], device: torch.device) -> float:
    taken = []
    for _ in range(_ROUNDS + 1):
        _wait(device)
        started = time.perf_counter()
        work()
        _wait(device)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _write() -> None:
    if _file is None:
        return
    _file.parent.mkdir(parents=True, exist_ok=True)
    # Runs side by side keep each other's verdicts; whoever was first is believed.
    for each in read(_file):
        _known[each.subject] = each
    aside = _file.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps([asdict(each) for each in _known.values()], indent=1) + "\n")
    aside.replace(_file)
