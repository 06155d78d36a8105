"""Style and content losses of a layer in passing: their gradients are added to the network's own, in place.

Differentiated apart, each loss writes a gradient as large as the layer, which autograd then reads and adds. Here the
layer's activations pass through, and on the way back the losses add theirs to what comes from the deeper layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Blocks of a product that keep every multiprocessor of a large GPU busy, and the least positions of a part.
_BLOCKS, _LEAST_POSITIONS = 264, 512


@dataclass(frozen=True)
class Pull:
    """What draws a layer of a batch of N cells.

    Attributes:
        gram: Gram matrices of the styles, N x C x C, float32; None: no style loss here.
        content: Activations of the content images of the cells start..end, float32, one for all (1 x C x H x W) or one
            for each; None: no content loss here.
        start: First cell that has a content loss.
        end: The cell after the last.
    """

    gram: Tensor | None
    content: Tensor | None = None
    start: int = 0
    end: int = 0


def passing(features: Tensor, pull: Pull) -> tuple[Tensor, Tensor, Tensor]:
    """Return a layer's activations as they are, and its losses.

    Args:
        features: N x C x H x W, channels last.
        pull: What draws the layer.

    Returns:
        The features; the style loss of each image (`losses.gram_distance`), N; and the content loss of each of
        start..end (`losses.content`), end - start. Where there is no content loss the last is N zeros.
    """
    found: tuple[Tensor, Tensor, Tensor] = _Passing.apply(features, pull)
    return found


def gram(features: Tensor) -> Tensor:
    """Return F Fᵀ of each image as `losses.gram`, on bfloat16's tensor cores with float32 sums.

    bfloat16 values multiply exactly in float32, so nothing is lost against a float32 product but the order of sums. The
    positions are split, for a 64 x 64 result would keep one multiprocessor busy.

    Args:
        features: N x C x H x W, channels last.

    Returns:
        N x C x C, float32.
    """
    flat = _positions(features)
    if features.dtype != torch.bfloat16 or features.device.type == "cpu":
        flat = flat.float()
        return flat.transpose(1, 2) @ flat
    images, positions, channels = flat.shape
    parts = _parts(images, positions, channels)
    flat = flat.reshape(images * parts, positions // parts, channels)
    products = torch.bmm(flat.transpose(1, 2), flat, out_dtype=torch.float32)
    return products if parts == 1 else products.view(images, parts, channels, channels).sum(1)


def _parts(images: int, positions: int, channels: int) -> int:
    """Return into how many equal parts the positions of an image are split."""
    blocks, parts = images * max(1, channels // 128) ** 2, 1
    while blocks * parts < _BLOCKS and positions % (2 * parts) == 0 and positions // parts > _LEAST_POSITIONS:
        parts *= 2
    return parts


def _positions(features: Tensor) -> Tensor:
    """Return N x (H W) x C, a view of a channels-last tensor."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


class _Passing(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, pull: Pull) -> tuple[Tensor, Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        scale = 1.0 / features[0].numel()
        difference = None
        style = content = features.new_zeros(len(features), dtype=torch.float32)
        if pull.gram is not None:
            difference = (gram(features) - pull.gram) * scale
            style = 0.25 * difference.square().flatten(1).sum(1)
        if pull.content is not None:
            # Of bfloat16 less float32 PyTorch makes float32 in one pass; a norm reads it in one more.
            away = features[pull.start : pull.end] - pull.content
            content = 0.5 * torch.linalg.vector_norm(away, dim=(1, 2, 3)).square()
        ctx.pull, ctx.scale = pull, scale
        ctx.save_for_backward(features, difference)
        return features.view_as(features), style, content

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor | None, *losses: Tensor | None) -> tuple[Tensor, None]:
        style, content = losses
        features, difference = ctx.saved_tensors
        pull = ctx.pull
        if gradient is None:
            gradient = torch.zeros_like(features, memory_format=torch.channels_last)
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        if difference is not None and style is not None:
            weights = ((style * ctx.scale)[:, None, None] * difference).to(features.dtype)
            flat = _positions(gradient)
            torch.baddbmm(flat, _positions(features), weights, out=flat)
        if pull.content is not None and content is not None:
            away = features[pull.start : pull.end] - pull.content
            gradient[pull.start : pull.end].addcmul_(away, content[:, None, None, None])
        return gradient, None
