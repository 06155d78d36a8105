"""Winograd's minimal filtering for 3 x 3 convolutions on a CPU: a quarter of the multiplications.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), F(4 x 4, 3 x 3): each 4 x 4 tile of the
output comes of 36 products a channel where the sum has 144. oneDNN has no such kernel for x86-64 in float32. The
transforms are matrix products too, so what runs is PyTorch's own; strips of tiles keep every step in the cache.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Lavin and Gray's matrices for the points 0, ±1, ±2 and infinity.
_INPUT = torch.tensor(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=torch.float64,
)
_KERNEL = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)
_OUTPUT = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    dtype=torch.float64,
)
# In two dimensions: of 6 x 6 values at once, row by row.
_INPUT_2D = torch.kron(_INPUT, _INPUT).float()
_KERNEL_2D = torch.kron(_KERNEL, _KERNEL).float()
_OUTPUT_2D = torch.kron(_OUTPUT, _OUTPUT).float()
# Below these the plain sum is as fast: measured with oneDNN 3.13 on AVX2.
_LEAST_SIDE, _LEAST_PRODUCTS = 12, 64 * 128
# Tiles worked on at a time: their 36 values a channel stay in the cache.
_TILES = 128


class Convolution:
    """A frozen 3 x 3 convolution of stride 1 and its gradient. padding: zeros on each side, 0 or 1. weight: K x C x 3 x 3; bias: K; float32, CPU.

    Errors are about 1e-6 of the largest value (seen up to 6e-6), where a plain float32 sum has 3e-7.
    """

    def __init__(self, weight: Tensor, bias: Tensor, padding: int = 1) -> None:
        self.bias, self.padding = bias, padding
        self.kernel = _transformed(weight)
        # The gradient is the convolution with the kernel turned by 180° and its channels exchanged.
        self.turned = _transformed(weight.flip(2, 3).transpose(0, 1))

    def __call__(self, value: Tensor, *, relu: bool) -> Tensor:
        """Return N x K x H x W (without padding H - 2 x W - 2), channels last, for N x C x H x W. relu: followed by a ReLU."""
        return _Apply.apply(value, self, relu)  # type: ignore[no-any-return]


def is_faster(weight: Tensor, height: int, width: int) -> bool:
    """Say whether `Convolution` beats PyTorch's own with this kernel on images of height x width."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and weight.shape[0] * weight.shape[1] >= _LEAST_PRODUCTS
        and min(height, width) >= _LEAST_SIDE
    )


def _transformed(weight: Tensor) -> Tensor:
    """Return the kernel in Winograd's domain: 36 x C x K."""
    kernels, channels = weight.shape[:2]
    return (_KERNEL_2D @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(36, channels, kernels)


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, convolution: Convolution, relu: bool) -> Tensor:
        made = _convolve(value, None, convolution.kernel, convolution.bias, convolution.padding, relu)
        ctx.convolution = convolution
        ctx.save_for_backward(made if relu else None)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        (made,) = ctx.saved_tensors
        return (
            _convolve(upstream, made, ctx.convolution.turned, None, 2 - ctx.convolution.padding, False),
            None,
            None,
        )


def _convolve(
    value: Tensor, gate: Tensor | None, kernel: Tensor, bias: Tensor | None, padding: int, relu: bool
) -> Tensor:
    """Convolve N x C x H x W with a kernel in Winograd's domain. gate: what is not above 0 there counts as 0 in value."""
    images, height, width = len(value), value.shape[2] + 2 * padding - 2, value.shape[3] + 2 * padding - 2
    made = value.new_empty(images, height, width, kernel.shape[2])
    inputs = value.permute(0, 2, 3, 1)
    gates = None if gate is None else gate.permute(0, 2, 3, 1)
    across = -(-width // 4)
    rows = min(max(1, _TILES // across), -(-height // 4))
    strip = _Strip(rows, across, kernel, bias, padding, relu)
    for image in range(images):
        for top in range(0, height, 4 * rows):
            strip.fill(inputs[image], None if gates is None else gates[image], top)
            strip.work(made[image, top : top + 4 * rows])
    return made.permute(0, 3, 1, 2)


class _Strip:
    """Some rows of tiles on their way through the transforms, in buffers that every strip of an image shares."""

    def __init__(
        self, rows: int, across: int, kernel: Tensor, bias: Tensor | None, padding: int, relu: bool
    ) -> None:
        channels, kernels = kernel.shape[1:]
        self.rows, self.across, self.kernel, self.bias = rows, across, kernel, bias
        self.padding, self.relu = padding, relu
        tiles = rows * across
        self.padded = kernel.new_zeros(4 * rows + 2, 4 * across + 2, channels)
        # Every tile's 6 x 6 inputs, two of them shared with each neighbour.
        row, column = self.padded.stride()[:2]
        self.tiles = self.padded.as_strided(
            (6, 6, rows, across, channels), (row, column, 4 * row, 4 * column, 1)
        )
        self.patches = kernel.new_empty(6, 6, rows, across, channels)
        self.inputs = kernel.new_empty(36, tiles * channels)
        self.products = kernel.new_empty(36, tiles, kernels)
        self.outputs = kernel.new_empty(16, tiles * kernels)

    def fill(self, value: Tensor, gate: Tensor | None, top: int) -> None:
        """Take what the rows of the output from `top` on are made of; zeros outside the image."""
        height, width = value.shape[:2]
        above = top - self.padding
        first, last = max(0, above), min(height, above + len(self.padded))
        if last - first < len(self.padded):
            self.padded.zero_()
        inner = self.padded[first - above : last - above, self.padding : self.padding + width]
        if gate is None:
            inner.copy_(value[first:last])
        else:
            torch.ops.aten.threshold_backward.grad_input(
                value[first:last], gate[first:last], 0, grad_input=inner
            )

    def work(self, made: Tensor) -> None:
        """Write the convolution's rows (at most 4 * rows x W x K)."""
        self.patches.copy_(self.tiles)
        torch.mm(_INPUT_2D, self.patches.view(36, -1), out=self.inputs)
        torch.bmm(self.inputs.view(36, -1, self.kernel.shape[1]), self.kernel, out=self.products)
        torch.mm(_OUTPUT_2D, self.products.view(36, -1), out=self.outputs)
        tiles = self.outputs.view(4, 4, self.rows, self.across, -1)
        if self.bias is not None:
            tiles += self.bias
        if self.relu:
            tiles.relu_()
        height, width = made.shape[:2]
        if height == 4 * self.rows and width == 4 * self.across:
            made.view(self.rows, 4, self.across, 4, -1).copy_(tiles.permute(2, 0, 3, 1, 4))
        else:
            whole = tiles.permute(2, 0, 3, 1, 4).reshape(4 * self.rows, 4 * self.across, -1)
            made.copy_(whole[:height, :width])
