"""Counts of a device's work without the device: operations, their bytes, and waits of the host.

PyTorch's `meta` device computes only shapes, so that 25 cells at 512 px take seconds on any machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

# Operations that read and write nothing: they return a part of a tensor, or memory without values.
_FREE = ("aten.empty", "aten.new_empty", "aten.detach", "aten.alias", "aten._unsafe_view", "aten.lift_fresh")
# Operations that bring a value to the host, which waits for it: a number, or whether a factorisation succeeded.
_WAITS = (
    "aten._local_scalar_dense", "aten.item", "aten.nonzero", "aten.is_nonzero", "aten.equal",
    "aten._linalg_eigh", "aten._linalg_svd", "aten.linalg_qr",
)  # fmt: skip


@dataclass
class Counts:
    """Counts by name of operation.

    Attributes:
        operations: Number, without operations that only make views.
        read, written: Bytes.
        mixed, waits: Operations that should not occur.
        uploads: Copies from the host, which a CUDA graph cannot repeat.
    """

    operations: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    mixed: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)

    @property
    def launches(self) -> int:
        """Operations of the device."""
        return self.operations.total()

    def bytes_outside_convolutions(self) -> int:
        """Bytes read and written by all but the convolutions: elementwise work, pooling, losses and the optimiser."""
        return sum(
            amount
            for counter in (self.read, self.written)
            for name, amount in counter.items()
            if "convolution" not in name
        )

    def table(self) -> list[tuple[str, int, float]]:
        """Return (operation, count, gigabytes), the most bytes first."""
        names = sorted(self.operations, key=lambda name: -(self.read[name] + self.written[name]))
        return [(name, self.operations[name], (self.read[name] + self.written[name]) / 1e9) for name in names]


class Recorder(TorchDispatchMode):
    """Counts every operation while it is entered."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device, self.counts = device, Counts()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        given = [each for each in tree_iter((args, kwargs)) if isinstance(each, Tensor)]
        made = [each for each in tree_iter(found) if isinstance(each, Tensor)]
        name = str(func).rpartition(".")[0]
        if name.startswith("aten.convolution"):
            found = _as_cudnn_lays(found)
        self._check(name, given, made)
        if not (func.is_view or name.startswith(_FREE)) and any(
            self._is_here(each) for each in (*given, *made)
        ):
            counts = self.counts
            counts.operations[name] += 1
            read, written = _bytes(name, given, made)
            counts.read[name] += read
            counts.written[name] += written
        return found

    def _is_here(self, tensor: Tensor) -> bool:
        return tensor.device.type == self.device.type

    def _check(self, name: str, given: list[Tensor], made: list[Tensor]) -> None:
        # A CPU scalar may meet a tensor of any device.
        large = [each for each in given if each.dim() or self._is_here(each)]
        if len({each.device.type for each in large}) > 1 and "copy" not in name:
            self.counts.mixed.append(name)
        comes_over = "copy" in name and any(self._is_here(each) for each in given)
        if comes_over and not all(self._is_here(each) for each in made):
            self.counts.waits.append(name)
        comes_here = "copy" in name and not all(self._is_here(each) for each in given)
        if comes_here and any(self._is_here(each) for each in made):
            self.counts.uploads.append(name)
        if name.startswith(_WAITS) and any(self._is_here(each) for each in given):
            self.counts.waits.append(name)


def _as_cudnn_lays(made: Any) -> Any:
    """Lay images channels last, as cuDNN leaves them where the weights lie so: the meta device forgets the layout."""
    if isinstance(made, tuple):
        return tuple(_as_cudnn_lays(each) for each in made)
    is_images = isinstance(made, Tensor) and made.dim() == 4
    return made.contiguous(memory_format=torch.channels_last) if is_images else made


def _bytes(name: str, given: list[Tensor], made: list[Tensor]) -> tuple[int, int]:
    """Return the bytes that an operation reads and writes."""
    if name.startswith(("aten.index_put", "aten._index_put")):
        # The second tensor replaces some values of the first. Without the underscore the first is copied.
        copied = 0 if name.endswith("_") else _size(given[0])
        return copied + _size(given[-1]), copied + _size(given[-1])
    if name.startswith(("aten.index", "aten.gather")) and not name.startswith("aten.index_add"):
        return _size(made[0]), _size(made[0])
    if name.startswith(("aten.fill_", "aten.zero_", "aten.new_", "aten.zeros_like", "aten.full_like")):
        return 0, _size(made[0])
    if name == "aten.copy_":
        return _size(given[1]), _size(made[0])
    return sum(map(_size, _distinct(given))), sum(map(_size, _distinct(made)))


def _distinct(tensors: list[Tensor]) -> Iterator[Tensor]:
    seen: set[int] = set()
    for each in tensors:
        if id(each) not in seen:
            seen.add(id(each))
            yield each


def _size(tensor: Tensor) -> int:
    """Return the bytes of a tensor's values. Expanded values count once."""
    values = 1
    for side, stride in zip(tensor.shape, tensor.stride(), strict=True):
        values *= side if stride else 1
    return values * tensor.element_size()


class Enough(Exception):
    """Ends a run after its evaluations are counted."""


def evaluation(
    run: Callable[[Callable[[object], None]], object], *, after: int, device: torch.device
) -> Counts:
    """Return the counts of one evaluation. run: a transfer that calls back after each; after: evaluations before it."""
    done, counts = 0, Counts()
    recorder = Recorder(device)

    def told(at: object) -> None:
        nonlocal done, counts
        done += 1
        if done == after:
            recorder.counts = Counts()
        if done == after + 1:
            counts = recorder.counts
            raise Enough

    try:
        with recorder:
            run(told)
    except Enough:
        return counts
    raise ValueError("the run ended before the evaluation to be counted; lower `after`")
