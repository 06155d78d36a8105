"""Tensors that are written in place, set back to what they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

Restore = Callable[[], None]


def snapshot(tensors: Sequence[Tensor]) -> Restore:
    """Return what sets tensors back to their present values, however often."""
    kept = [tensor.clone() for tensor in tensors]

    def restore() -> None:
        for tensor, value in zip(tensors, kept, strict=True):
            tensor.copy_(value)

    return restore
