"""Layers of a frozen network with fewer passes over its activations, forwards and backwards.

cuDNN adds the bias and cuts off at zero while a convolution's sums are still in registers. PyTorch does so in two further
passes. On the way back the ReLU's gradient is decided where it is smallest: on the pooled values, where pooling follows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_ops = torch.ops.aten


def convolved(value: Tensor, weight: Tensor, bias: Tensor, padding: int, *, pool: bool) -> Tensor:
    """Return a 3 x 3 convolution with bias and ReLU, with the largest of each 2 x 2 after it if `pool`.

    value: N x C x H x W; weight: K x C x 3 x 3; bias: K. Only the value gets a gradient.
    """
    layer = _Pooled if pool else _Rectified
    return layer.apply(value, weight, bias, padding)  # type: ignore[no-any-return]


def halves(image: Tensor) -> Tensor:
    """Return a float32 image N x 3 x H x W as bfloat16 numbers and what is left of them: N x 8 x H x W, the last two 0.

    Two numbers of 8 bits keep 16 of float32's 24. Tensor cores read channels by eights.
    """
    return _Halves.apply(image)  # type: ignore[no-any-return]


def for_halves(weight: Tensor) -> Tensor:
    """Return a kernel K x 3 x 3 x 3 for `halves`: K x 8 x 3 x 3, bfloat16, channels last."""
    twice = torch.cat([weight, weight, torch.zeros_like(weight[:, :2])], dim=1)
    return twice.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)


def _of_cudnn(value: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
    if value.device.type == "cuda":
        fused = torch.miopen_convolution_relu if torch.version.hip else torch.cudnn_convolution_relu
        return fused(value, weight, bias, [1, 1], [padding] * 2, [1, 1], 1)
    made = torch.conv2d(value, weight, bias, padding=padding)
    # The meta device has no such kernel, but its one pass: only shapes and bytes count there.
    return made if value.device.type == "meta" else made.relu_()


def _back(gradient: Tensor, value: Tensor, weight: Tensor, padding: int) -> Tensor:
    """Return a convolution's gradient by its input."""
    made = _ops.convolution_backward(
        gradient, value, weight, None, [1, 1], [padding] * 2, [1, 1], False, [0, 0], 1, [True, False, False]
    )
    return made[0]  # type: ignore[no-any-return]


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        made = _of_cudnn(value, weight, bias, padding)
        ctx.padding = padding
        ctx.save_for_backward(value, weight, made)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        value, weight, made = ctx.saved_tensors
        return (
            _back(_ops.threshold_backward(gradient, made, 0), value, weight, ctx.padding),
            None,
            None,
            None,
        )


class _Pooled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        made = _of_cudnn(value, weight, bias, padding)
        pooled, places = _ops.max_pool2d_with_indices(made, [2, 2])
        ctx.padding = padding
        ctx.save_for_backward(value, weight, made, pooled, places)
        return pooled  # type: ignore[no-any-return]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        value, weight, made, pooled, places = ctx.saved_tensors
        # The largest of four is 0 where all are cut off: a quarter of the gates.
        gated = _ops.threshold_backward(gradient, pooled, 0)
        full = _ops.max_pool2d_with_indices_backward(
            gated, made, [2, 2], [2, 2], [0, 0], [1, 1], False, places
        )
        return _back(full, value, weight, ctx.padding), None, None, None


class _Halves(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        made = image.new_zeros(len(image), 8, *image.shape[2:], dtype=torch.bfloat16)
        made = made.contiguous(memory_format=torch.channels_last)
        made[:, :3] = image
        torch.sub(image, made[:, :3], out=made[:, 3:6])
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # The number and what is left of it add up to the image: its gradient is either's.
        return gradient[:, :3].float()
