"""Work recorded once and repeated: a GPU then needs one call of the host where it needed hundreds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Recording:
    """Work that can be repeated.

    Attributes:
        repeat: Does the work once more, on the tensors that it read and wrote when it was recorded.
        made: What the work returns: each `repeat` writes it anew.
    """

    repeat: Callable[[], None]
    made: Tensor


def are_possible(device: torch.device) -> bool:
    """Return whether a device can repeat recorded work: CUDA's graphs (ROCm has them under the same name)."""
    return device.type == "cuda"


def record(work: Callable[[], Tensor], device: torch.device) -> Recording:
    """Record work. It is done once for a warm-up, and must write its state into the tensors where it found it.

    Libraries take their workspaces in the warm-up. The recording has memory of its own, as much as the work takes.

    Raises:
        RuntimeError: If the work does what cannot be recorded, such as waiting for the device; or memory runs out.
    """
    with torch.cuda.device(device):
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            work()
        torch.cuda.current_stream(device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=aside):
            made = work()
    return Recording(graph.replay, made)
