"""A stand-in for CUDA's graphs: operations are recorded with their tensors, and done again on these very tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from generator.nst.gpu.graphs import Recording


class _Tape(TorchDispatchMode):
    """Every operation with what it read and made. Numbers of the host are fixed by it, as a GPU's recording fixes them."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default):
            raise RuntimeError(f"{func}: the host would wait")
        if not func.is_view:
            self.done.append(
                (func, args, kwargs or {}, [each for each in tree_iter(made) if isinstance(each, Tensor)])
            )
        return made

    def play(self) -> None:
        for func, args, kwargs, before in self.done:
            again = [each for each in tree_iter(func(*args, **kwargs)) if isinstance(each, Tensor)]
            for old, new in zip(before, again, strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def record(work: Callable[[], Tensor], device: torch.device) -> Recording:
    """Record as `graphs.record` does. The recorded run is the warm-up too: here recording does the work."""
    tape = _Tape()
    with tape:
        made = work()

    def repeat() -> None:
        with torch.no_grad():
            tape.play()

    return Recording(repeat, made)
