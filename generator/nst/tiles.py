"""A network's activations of an image that does not fit, tile by tile, forwards and backwards.

Each tile is read with a margin as wide as the deepest tap sees, which is cut off again: the activations are those of
the whole image but for rounding, and so is the gradient. Kept are the taps and one tile's network; the margins cost work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Run = Callable[[Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class Reach:
    """How far a network sees.

    Attributes:
        strides: For each tap the px of the image from one of its positions to the next.
        margin: Px round a tile that its activations depend on, a multiple of every stride.
    """

    strides: dict[str, int]
    margin: int

    @classmethod
    def of(cls, steps: Sequence[str], taps: frozenset[str]) -> Reach:
        """Work it out from a VGG's steps, such as "conv1_1" and "pool1", in their order, and the taps among them."""
        stride, radius, strides = 1, 0, {}
        for step in steps:
            if step.startswith("pool"):
                radius += stride
                stride *= 2
            elif step.startswith("conv"):
                radius += stride
            if step in taps:
                strides[step] = stride
        return cls(strides, -(-radius // stride) * stride)


def features(run: Run, image: Tensor, reach: Reach, side: int) -> dict[str, Tensor]:
    """Return a network's taps of an image, differentiable, made tile by tile.

    Args:
        run: The network: from an image N x 3 x H x W to each tap's activations.
        image: N x 3 x H x W, as `run` takes it.
        reach: How far the network sees.
        side: Px of a tile without its margin, a multiple of 16.

    Returns:
        For each tap N x C x (H // stride) x (W // stride), the values that `run` gives of the whole image but for rounding.
    """
    found = _Tiled.apply(image, run, reach, side)
    return dict(zip(reach.strides, found, strict=True))


@dataclass(frozen=True)
class _Span:
    """One side of a tile: what it reads of the image, and what it gives, both in px."""

    first: int
    last: int
    start: int
    end: int

    def read(self) -> slice:
        return slice(self.first, self.last)

    def gives(self, stride: int) -> slice:
        """Return its place in a tap's activations of the whole image."""
        return slice(self.start // stride, self.end // stride)

    def kept(self, stride: int) -> slice:
        """Return what is left of the tile's own activations without the margin."""
        return slice((self.start - self.first) // stride, (self.end - self.first) // stride)


def _spans(length: int, side: int, margin: int) -> Iterator[_Span]:
    for start in range(0, length, side):
        end = min(length, start + side)
        yield _Span(max(0, start - margin), min(length, end + margin), start, end)


class _Tiled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, run: Run, reach: Reach, side: int) -> tuple[Tensor, ...]:
        ctx.save_for_backward(image)
        ctx.run, ctx.reach, ctx.side = run, reach, side
        whole: dict[str, Tensor] = {}
        height, width = image.shape[2:]
        for down in _spans(height, side, reach.margin):
            for across in _spans(width, side, reach.margin):
                for tap, part in run(image[:, :, down.read(), across.read()]).items():
                    stride = reach.strides[tap]
                    if tap not in whole:
                        shape = (len(image), height // stride, width // stride, part.shape[1])
                        whole[tap] = part.new_empty(shape).permute(0, 3, 1, 2)
                    target = whole[tap][:, :, down.gives(stride), across.gives(stride)]
                    target.copy_(part[:, :, down.kept(stride), across.kept(stride)])
        return tuple(whole[tap] for tap in reach.strides)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (image,) = ctx.saved_tensors
        reach, strides = ctx.reach, ctx.reach.strides
        gradient = torch.zeros_like(image)
        for down in _spans(image.shape[2], ctx.side, reach.margin):
            for across in _spans(image.shape[3], ctx.side, reach.margin):
                with torch.enable_grad():
                    part = image[:, :, down.read(), across.read()].detach().requires_grad_()
                    found = ctx.run(part)
                    kept = [found[tap][:, :, down.kept(s), across.kept(s)] for tap, s in strides.items()]
                pulls = [
                    pull[:, :, down.gives(s), across.gives(s)]
                    for pull, s in zip(upstream, strides.values(), strict=True)
                ]
                (own,) = torch.autograd.grad(kept, part, pulls)
                gradient[:, :, down.read(), across.read()] += own
        return gradient, None, None, None
