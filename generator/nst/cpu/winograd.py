"""Winograd's minimal filtering for 3 x 3 convolutions on a CPU: a quarter of the multiplications.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), F(4 x 4, 3 x 3): each 4 x 4 tile of the
output comes of 36 products a channel where the sum has 144. oneDNN has no such kernel for x86-64 in float32. The
products of a strip of tiles are 36 matrix products, PyTorch's own; threads take a strip each, which stays in the cache.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from generator.nst.cpu.winograd_tiles import Source, Target, from_products, to_products

_Item = TypeVar("_Item")
# Lavin and Gray's G for the points 0, ±1, ±2 and infinity; in two dimensions of 3 x 3 values at once, row by row.
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
_KERNEL_2D = torch.kron(_KERNEL, _KERNEL).float()
# Below these the plain sum is as fast: measured with oneDNN 3.13 on AVX2.
_MIN_SIDE, _MIN_PRODUCTS = 12, 64 * 64
# Tiles worked on at a time: their 36 values a channel stay in the cache.
_TILES = 128
# No gate, and no choice of pixels: to Numba an empty array has the type of a full one.
_NO_GATE, _ALL = np.empty((0, 0, 0), np.float32), np.empty((0, 0, 0), np.int32)


class Convolution:
    """A frozen 3 x 3 convolution of stride 1 and its gradient, float32, on the CPU.

    Errors are about 1e-6 of the largest value (seen up to 6e-6), where a plain float32 sum has 3e-7.

    Args:
        weight: K x C x 3 x 3.
        bias: K.
        padding: Zeros on each side of the image, 0 or 1.
    """

    def __init__(self, weight: Tensor, bias: Tensor, padding: int = 1) -> None:
        self.bias, self.padding = bias.detach(), padding
        self.kernel = _transformed(weight)
        self._weight = weight.detach()
        self.no_bias = torch.zeros(weight.shape[1])

    @functools.cached_property
    def turned(self) -> Tensor:
        """The gradient's kernel: turned by 180°, its channels exchanged. Made when the first gradient is asked for."""
        return _transformed(self._weight.flip(2, 3).transpose(0, 1))

    def __call__(self, value: Tensor, *, relu: bool, pooling: str = "") -> Tensor:
        """Convolve images.

        Args:
            value: N x C x H x W.
            relu: Apply a ReLU afterwards.
            pooling: "max" or "average" of 2 x 2 in steps of 2, after a ReLU; "": none.

        Returns:
            N x K x H x W, channels last. Without padding H and W are 2 less; with pooling they are halved.
        """
        return _Apply.apply(value, self, relu, pooling)  # type: ignore[no-any-return]


def is_faster(weight: Tensor, height: int, width: int) -> bool:
    """Return whether `Convolution` is faster than PyTorch with this kernel.

    Args:
        weight: The kernel, K x C x 3 x 3.
        height: Height of the images in px.
        width: Width of the images in px.
    """
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and weight.shape[0] * weight.shape[1] >= _MIN_PRODUCTS
        and min(height, width) >= _MIN_SIDE
    )


@torch.no_grad()
def _transformed(weight: Tensor) -> Tensor:
    """Return the kernel in Winograd's domain: 36 x C x K."""
    kernels, channels = weight.shape[:2]
    return (_KERNEL_2D @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(36, channels, kernels)


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, convolution: Convolution, relu: bool, pooling: str) -> Tensor:
        height, width = (side + 2 * convolution.padding - 2 for side in value.shape[2:])
        shape = len(value), len(convolution.bias), height, width
        made = _channels_last(*shape[:2], height // 2, width // 2) if pooling else _channels_last(*shape)
        chosen = torch.empty_like(made, dtype=torch.int32) if pooling else None
        targets = [
            Target(*arrays, relu or bool(pooling), pooling == "average", height, width)
            for arrays in zip(_arrays(made), _arrays(chosen, _ALL, len(made)), strict=True)
        ]
        sources = _sources(value, value.shape)
        _convolve(sources, targets, convolution.kernel, convolution.bias, convolution.padding)
        ctx.convolution, ctx.value_shape, ctx.shape = convolution, value.shape, shape
        ctx.share = 0.25 if pooling == "average" else 1.0
        ctx.save_for_backward(made if relu and not pooling else None, chosen)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        convolution = ctx.convolution
        gate, chosen = ctx.saved_tensors
        gradient = _channels_last(*ctx.value_shape)
        sources = _sources(upstream, ctx.shape, gate, chosen, ctx.share)
        targets = [Target(array, _ALL, False, False, *array.shape[:2]) for array in _arrays(gradient)]
        _convolve(sources, targets, convolution.turned, convolution.no_bias, 2 - convolution.padding)
        return gradient, None, None, None


def _channels_last(*shape: int) -> Tensor:
    """Return a tensor and no view of one: to such autograd adds another gradient in place."""
    return torch.empty(shape, device="cpu", memory_format=torch.channels_last)


def _sources(
    value: Tensor,
    shape: Sequence[int],
    gate: Tensor | None = None,
    chosen: Tensor | None = None,
    share: float = 1.0,
) -> list[Source]:
    """Return the images of a batch. shape: N x C x H x W, of the images before their pooling."""
    images, _, height, width = shape
    columns = _arrays(value), _arrays(gate, _NO_GATE, images), _arrays(chosen, _ALL, images)
    return [Source(*arrays, np.float32(share), height, width) for arrays in zip(*columns, strict=True)]


def _arrays(value: Tensor | None, none: Any = None, images: int = 0) -> list[Any]:
    """Return each image of a batch as an array H x W x C; without a batch `none` for each."""
    if value is None:
        return [none] * images
    return list(value.detach().permute(0, 2, 3, 1).contiguous().numpy())


def _convolve(
    sources: Sequence[Source], targets: Sequence[Target], kernel: Tensor, bias: Tensor, padding: int
) -> None:
    """Convolve images with a kernel in Winograd's domain. padding: of zeros round each source."""
    layer = _Layer(sources, targets, kernel, bias.numpy(), padding)
    everything = layer.tiles * len(sources)
    strips = [(first, min(_TILES, everything - first)) for first in range(0, everything, _TILES)]
    threads = torch.get_num_threads()
    if len(strips) >= threads:
        on_threads(threads, lambda strip: layer.run(*strip, threads=1), strips)
    else:
        for strip in strips:
            layer.run(*strip, threads)


@dataclass
class _Layer:
    """A batch of images on its way through the transforms; its tiles are numbered through, image by image."""

    sources: Sequence[Source]
    targets: Sequence[Target]
    kernel: Tensor
    bias: Any
    padding: int

    @property
    def tiles(self) -> int:
        """Number of tiles of an image."""
        return -(-self.targets[0].height // 4) * -(-self.targets[0].width // 4)

    def run(self, first: int, tiles: int, threads: int) -> None:
        """Do a strip of tiles, each step parted among threads.

        The buffers are its own: the next strip gets the same memory while it is in the cache.
        """
        _, channels, kernels = self.kernel.shape
        inputs = self.kernel.new_empty(36, tiles, channels)
        products = self.kernel.new_empty(36, tiles, kernels)

        def fill(start: int, end: int) -> None:
            for image, own, low, high in self._images(first, start, end):
                to_products(self.sources[image], self.padding, own, low, high, inputs.numpy())

        @torch.inference_mode()  # a mode is of one thread: what was made in it is written to in it only
        def multiply(start: int, end: int) -> None:
            torch.bmm(inputs[start:end], self.kernel[start:end], out=products[start:end])

        def write(start: int, end: int) -> None:
            for image, own, low, high in self._images(first, start, end):
                from_products(products.numpy(), self.bias, own, low, high, self.targets[image])

        for step, size in (fill, tiles), (multiply, len(self.kernel)), (write, tiles):
            _in_parts(threads, size, step)

    def _images(self, first: int, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Part the places start .. end of a strip by images: image, the number of its tile at place 0, start, end."""
        for image in range((first + start) // self.tiles, -(-(first + end) // self.tiles)):
            own = first - image * self.tiles
            yield image, own, max(start, -own), min(end, self.tiles - own)


def _in_parts(threads: int, size: int, work: Callable[[int, int], None]) -> None:
    """Run `work` on 0 .. size, divided among the threads."""
    share = -(-size // threads)
    on_threads(threads, lambda start: work(start, min(size, start + share)), range(0, size, share))


def on_threads(threads: int, work: Callable[[_Item], None], items: Iterable[_Item]) -> None:
    """Do the work of every item, each thread taking the next that is left; the caller's is one of them."""
    left = iter(list(items))

    def take() -> None:
        for item in left:
            work(item)

    if threads == 1:
        take()
        return
    helpers = [_helpers(threads).submit(take) for _ in range(threads - 1)]
    torch.set_num_threads(1)
    try:
        take()
    finally:
        torch.set_num_threads(threads)
        wait(helpers)
    for helper in helpers:
        helper.result()


@functools.cache
def _helpers(threads: int) -> ThreadPoolExecutor:
    """Return all of so many threads but the caller's; in each PyTorch runs on one core."""
    pool = ThreadPoolExecutor(threads - 1, "winograd", initializer=torch.set_num_threads, initargs=(1,))
    ready = threading.Barrier(threads)
    for _ in range(threads - 1):
        pool.submit(ready.wait)
    ready.wait()
    return pool
