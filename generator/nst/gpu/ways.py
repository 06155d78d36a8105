"""The fast ways of a GPU by name, and which of them a batch takes: each proves itself beside those before it.

`torch.compile` is none of them. It costs each process 20 s and more before the first evaluation, and 25 images of
512 px with 200 evaluations each take about 10.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from generator.nst.gpu import verdicts
from generator.nst.gpu.verdicts import Verdict

ROOTS = "roots by iteration"
FUSED = "convolution with its ReLU"
HALVES = "first layer in bfloat16 halves"
PASSING = "losses in passing"
TUNED = "convolutions tuned by cuDNN"
ORDER = (ROOTS, FUSED, HALVES, PASSING, TUNED)
# How far a way's gradient may be from the one before it, relative to its length: roundings of that precision.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 2e-2}
# By eigenvalues in float32 the gradient is itself off by up to 5 % (`transport`).
_ROOTS_TOLERANCE = 6e-2

Ways = frozenset[str]
NONE: Ways = frozenset()


def possible(device: torch.device, dtype: torch.dtype, *, roots: bool, passing: bool) -> Ways:
    """Return the ways that a batch can try. roots: its style loss has any; passing: its losses can be taken so."""
    on_meta = device.type == "meta"
    found = {
        ROOTS: roots,
        FUSED: on_meta or device.type == "cuda",
        HALVES: dtype == torch.bfloat16,
        PASSING: passing,
        TUNED: device.type == "cuda",
    }
    return frozenset(way for way, can in found.items() if can)


def taken(
    candidates: Ways,
    device: torch.device,
    dtype: torch.dtype,
    shape: tuple[object, ...],
    gradient: Callable[[Ways], Tensor],
    bits: Callable[[Ways], str],
) -> tuple[Ways, list[Verdict]]:
    """Return the ways that are right and faster, and the verdicts on all.

    Args:
        candidates: What `possible` returns.
        device: Where.
        dtype: The network's precision.
        shape: What the verdicts hold for, with the network's precision and layers.
        gradient: Returns the gradient made by some ways.
        bits: Returns a hash of what some ways make of a fixed image.

    Raises:
        RuntimeError: As `verdicts.of`.
    """
    found, every = NONE, []
    for way in ORDER:
        # Wasserstein losses in passing take their roots by iteration.
        needs_roots = way == PASSING and ROOTS in candidates
        if way not in candidates or (needs_roots and ROOTS not in found):
            continue
        more = found | {way}
        verdict = verdicts.of(
            way,
            device,
            shape,
            lambda now=found: gradient(now),  # type: ignore[misc]
            lambda now=more: gradient(now),  # type: ignore[misc]
            _ROOTS_TOLERANCE if way == ROOTS else _TOLERANCE[dtype],
            # What cuDNN finds fastest may be another algorithm in the next process.
            (lambda now=more: bits(now)) if way == TUNED else None,  # type: ignore[misc]
        )
        every.append(verdict)
        if verdict.is_taken:
            found = more
    return found, every


@contextlib.contextmanager
def in_force(ways: Ways) -> Iterator[None]:
    """Have cuDNN try its algorithms for the work inside where that is one of the ways."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = before or TUNED in ways
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
