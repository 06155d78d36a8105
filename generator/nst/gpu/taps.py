"""Style and content losses of a layer in passing: their gradients are added to the network's own, in place.

Differentiated apart, each loss writes a gradient as large as the layer, which autograd then reads and adds. Here the
layer's activations pass through, and on the way back the losses add theirs to what comes from the deeper layers. Their
factors are known beforehand, so that nothing small is differentiated.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from generator.nst import transport

# Blocks of a product that keep every multiprocessor of a large GPU busy, and the least positions of a part.
_BLOCKS, _MIN_POSITIONS = 264, 512


class Look(NamedTuple):
    """What a style loss says of a layer's activations X (N x positions x C).

    Attributes:
        values: One number for each image, N, float32: the loss, or its root (`StyleLoss.is_root`).
        weights: W of the gradient X W + w, N x C x C, in the activations' precision, the images' factors included.
        row: w, N x 1 x C, float32; None: it is 0.
    """

    values: Tensor
    weights: Tensor
    row: Tensor | None


class StyleLoss(Protocol):
    """A style loss whose gradient is linear in the activations.

    Attributes:
        share: What the values, squared if roots, are multiplied by to be the loss.
        is_root: Whether the values are to be squared.
    """

    share: float
    is_root: bool

    def look(self, features: Tensor) -> Look:
        """Look at activations, N x C x H x W, channels last."""


class GramDistance:
    """`losses.gram_distance`.

    Args:
        values: Values of the layer's activations for one image: C H W.
        grams: Gram matrices of the styles, N x C x C, float32.
        factors: Factor of each image's loss, N, float32.
    """

    share, is_root = 0.25, True

    def __init__(self, values: int, grams: Tensor, factors: Tensor) -> None:
        self._scale = 1.0 / values
        self._grams, self._factors = grams * -self._scale, (factors * self._scale)[:, None, None]

    def look(self, features: Tensor) -> Look:
        """See `StyleLoss.look`."""
        difference = torch.add(self._grams, gram(features), alpha=self._scale)
        weights = torch.empty_like(difference, dtype=features.dtype)
        torch.mul(difference, self._factors, out=weights)
        return Look(torch.linalg.vector_norm(difference, dim=(1, 2)), weights, None)


class Wasserstein:
    """`losses.wasserstein` with roots by iteration (`transport`).

    Args:
        targets: `losses.moments` of the styles, N x C x (1 + C).
        factors: Factor of each image's loss, N, float32.
    """

    share, is_root = 1.0, False

    def __init__(self, targets: Tensor, factors: Tensor) -> None:
        self._targets, self._factors = targets, factors[:, None]

    def look(self, features: Tensor) -> Look:
        """See `StyleLoss.look`."""
        positions = features.shape[2] * features.shape[3]
        mean = _positions(features).mean(1, dtype=torch.float32)
        covariance = transport.covariance(mean, gram(features), positions)
        found = transport.slopes(mean, covariance, self._targets, transport.by_iteration)
        by_mean, by_covariance = found.by_mean * self._factors, found.by_covariance * self._factors[:, None]
        weights, row = transport.by_activations(mean, by_mean, by_covariance, positions)
        return Look(found.distance, weights.to(features.dtype), row)


class Pull:
    """What draws a layer of a batch of N cells.

    Args:
        style: The style loss; None: none here.
        content: Activations of the content images of the cells from `start` on, one for all (1 x C x H x W) or one for
            each, and the factor of each of these cells' content loss, both float32; None: no content loss here.
        start: First cell that has a content loss.
    """

    def __init__(
        self,
        style: StyleLoss | None = None,
        content: tuple[Tensor, Tensor] | None = None,
        start: int = 0,
    ) -> None:
        self.style = style
        self.start, self.end = start, start
        self._content = None
        if content is not None:
            target, factors = content
            self._content = target, factors[:, None, None, None]
            self.end += len(factors)

    def away(self, features: Tensor) -> Tensor | None:
        """Return how far the cells that have a content loss are from their content images, float32; None without one.

        The content loss is half of its squared norm. Of bfloat16 less float32 PyTorch makes float32 in one pass.
        """
        return None if self._content is None else features[self.start : self.end] - self._content[0]

    def added(
        self, gradient: Tensor | None, features: Tensor, weights: Tensor | None, row: Tensor | None
    ) -> Tensor:
        """Return the gradient of this layer's losses and of what is deeper.

        Args:
            gradient: Of what is deeper, N x C x H x W, channels last: it is added to in place. None: nothing is deeper.
            features: The layer's activations, N x C x H x W, channels last.
            weights: Of the style loss's `look`; None without one.
            row: Likewise.
        """
        is_first = gradient is None
        if gradient is None:
            make = torch.zeros_like if weights is None else torch.empty_like
            gradient = make(features, memory_format=torch.channels_last)
        if weights is not None:
            own, flat = _positions(features), _positions(gradient)
            if is_first:
                torch.bmm(own, weights, out=flat)
            else:
                torch.baddbmm(flat, own, weights, out=flat)
            if row is not None:
                flat += row
        if (away := self.away(features)) is not None and self._content is not None:
            gradient[self.start : self.end].addcmul_(away, self._content[1])
        return gradient


def passing(features: Tensor, weights: Tensor | None, row: Tensor | None, pull: Pull) -> Tensor:
    """Return a layer's activations (N x C x H x W, channels last) as they are; on the way back the pull adds its gradient."""
    return _Passing.apply(features, weights, row, pull)  # type: ignore[no-any-return]


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
    while blocks * parts < _BLOCKS and positions % (2 * parts) == 0 and positions // parts > _MIN_POSITIONS:
        parts *= 2
    return parts


def _positions(features: Tensor) -> Tensor:
    """Return N x (H W) x C, a view of a channels-last tensor."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


class _Passing(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor | None, row: Tensor | None, pull: Pull) -> Tensor:
        ctx.pull = pull
        ctx.save_for_backward(features, weights, row)
        return features.view_as(features)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        return ctx.pull.added(gradient, *ctx.saved_tensors), None, None, None
