"""The transforms of Winograd's F(4 x 4, 3 x 3) on tiles of an image, compiled for this processor (Numba).

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), section 4.3. Written out in additions:
as matrix products the transforms take as long as the products that they save. Each function runs without the GIL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Row = tuple[Any, Any, Any, Any, Any, Any]

# A whole number times a float32 is a float64 to Numba.
_QUARTER, _0, _2, _4, _5, _8 = (np.float32(value) for value in (0.25, 0, 2, 4, 5, 8))


class Source(NamedTuple):
    """An image as a convolution reads it, H x W, float32.

    Attributes:
        image: H x W x C; with `chosen` the gradient of a pooled image, H / 2 x W / 2 x C.
        gate: H x W x C: what is not above 0 there counts as 0. Empty: all counts.
        chosen: H / 2 x W / 2 x C, int32: which of its four pixels each value goes to, bit by bit, row by row. Empty: not pooled.
        share: What each of those pixels gets of the value.
        height: H.
        width: W.
    """

    image: Any
    gate: Any
    chosen: Any
    share: Any
    height: int
    width: int


class Target(NamedTuple):
    """An image as a convolution writes it.

    Attributes:
        made: H x W x K, float32; with `chosen` pooled, H / 2 x W / 2 x K.
        chosen: H / 2 x W / 2 x K, int32: the pixels that the gradient goes to, as in `Source`. Empty: not pooled.
        relu: Apply a ReLU, as always before pooling.
        average: Pool by the mean of four pixels, not by the largest.
        height: H.
        width: W.
    """

    made: Any
    chosen: Any
    relu: bool
    average: bool
    height: int
    width: int


def _compiled(function: _Function) -> _Function:
    """Compile at the first call. Multiplying and adding may be one step, as in a matrix product; else as written."""
    settings: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **settings)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder to keep the compiled code in: each process compiles anew
        return numba.njit(**settings)(function)  # type: ignore[no-any-return]


@_compiled
def _of_input(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> _Row:
    """Bᵀ of Lavin and Gray times a column."""
    even, odd = e - _4 * c, d - _4 * b
    outer, inner = e - c, _2 * (d - b)
    return _4 * a - _5 * c + e, even + odd, even - odd, outer + inner, outer - inner, _4 * b - _5 * d + f


@_compiled
def _of_output(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> tuple[Any, Any, Any, Any]:
    """Aᵀ of Lavin and Gray times a column."""
    inner, outer = b + c, d + e
    odd_inner, odd_outer = b - c, d - e
    return a + inner + outer, odd_inner + _2 * odd_outer, inner + _4 * outer, odd_inner + _8 * odd_outer + f


@_compiled
def _read(source: Source, top: int, left: int, patch: Any) -> None:
    """Read a patch of 6 x 6 from the given place on; outside the image it is 0."""
    channels = source.image.shape[2]
    for i in range(6):
        for j in range(6):
            y, x = top + i, left + j
            if not (0 <= y < source.height and 0 <= x < source.width):
                for c in range(channels):
                    patch[i, j, c] = _0
            elif source.gate.size:
                for c in range(channels):
                    patch[i, j, c] = source.image[y, x, c] if source.gate[y, x, c] > _0 else _0
            else:
                for c in range(channels):
                    patch[i, j, c] = source.image[y, x, c]


@_compiled
def _read_unpooled(source: Source, top: int, left: int, patch: Any) -> None:
    """Read a patch of 6 x 6 of what a pooled image's gradient is before the pooling."""
    height, width, channels = source.image.shape
    share = source.share
    for i in range(6):
        for j in range(6):
            y, x = (top + i) // 2, (left + j) // 2
            if 0 <= y < height and 0 <= x < width:
                bit = np.int32(1 << (2 * ((top + i) % 2) + (left + j) % 2))
                for c in range(channels):
                    patch[i, j, c] = share * source.image[y, x, c] if source.chosen[y, x, c] & bit else _0
            else:
                for c in range(channels):
                    patch[i, j, c] = _0


@_compiled
def to_products(source: Source, padding: int, first: int, start: int, end: int, inputs: Any) -> None:
    """Transform some tiles of an image into Winograd's domain.

    Args:
        source: The image.
        padding: Zeros round the image.
        first: Number of the tile that stands at place 0 of `inputs`. Tiles are numbered row by row.
        start: First place to fill.
        end: The place after the last.
        inputs: Filled at start .. end: 36 x tiles x C, float32.
    """
    channels = source.image.shape[2]
    across = (source.width + 2 * padding + 1) // 4  # tiles that cover the output's width - 2 + 2 * padding
    # The compiler uses vectors where it sees that the places written to lie apart: in a small array of one step, but not
    # in `inputs`, into which whole lines are copied.
    patch = np.empty((6, 6, channels), np.float32)
    columns, half = patch.reshape(6, -1), np.empty((6, 6 * channels), np.float32)
    rows, line = half.reshape(6, 6, channels), np.empty((6, channels), np.float32)
    for tile in range(start, end):
        top = 4 * ((first + tile) // across) - padding
        left = 4 * ((first + tile) % across) - padding
        if source.chosen.size:
            _read_unpooled(source, top, left, patch)
        else:
            _read(source, top, left, patch)
        for c in range(6 * channels):
            half[0, c], half[1, c], half[2, c], half[3, c], half[4, c], half[5, c] = _of_input(
                columns[0, c], columns[1, c], columns[2, c], columns[3, c], columns[4, c], columns[5, c]
            )
        for i in range(6):
            for c in range(channels):
                line[0, c], line[1, c], line[2, c], line[3, c], line[4, c], line[5, c] = _of_input(
                    rows[i, 0, c], rows[i, 1, c], rows[i, 2, c], rows[i, 3, c], rows[i, 4, c], rows[i, 5, c]
                )
            for j in range(6):
                for c in range(channels):
                    inputs[6 * i + j, tile, c] = line[j, c]


@_compiled
def _write(tile: Any, target: Target, top: int, left: int) -> None:
    """Write 4 x 4 pixels, or what of them lies in the image."""
    for i in range(min(4, target.height - top)):
        for j in range(min(4, target.width - left)):
            for c in range(tile.shape[2]):
                target.made[top + i, left + j, c] = tile[i, j, c]


@_compiled
def _write_pooled(tile: Any, target: Target, top: int, left: int) -> None:
    """Write what 4 x 4 pixels give by pooling after a ReLU, and which of them the gradient will go to."""
    height, width, channels = target.made.shape
    top, left = top // 2, left // 2
    for i in range(min(2, height - top)):
        for j in range(min(2, width - left)):
            for c in range(channels):
                w, x = tile[2 * i, 2 * j, c], tile[2 * i, 2 * j + 1, c]
                y, z = tile[2 * i + 1, 2 * j, c], tile[2 * i + 1, 2 * j + 1, c]
                if target.average:
                    chosen = (w > _0) | (x > _0) << 1 | (y > _0) << 2 | (z > _0) << 3
                    made = _QUARTER * (w + x + y + z)
                else:
                    upper, lower = max(w, x), max(y, z)
                    made = max(upper, lower)
                    chosen = (1 if w >= x else 2) if upper >= lower else (4 if y >= z else 8)
                    chosen = chosen if made > _0 else 0
                target.made[top + i, left + j, c] = made
                target.chosen[top + i, left + j, c] = np.int32(chosen)


@_compiled
def from_products(products: Any, bias: Any, first: int, start: int, end: int, target: Target) -> None:
    """Transform some tiles back into an image, with the bias added.

    Args:
        products: 36 x tiles x K, float32.
        bias: K.
        first: Number of the tile that stands at place 0 of `products`.
        start: First place to read.
        end: The place after the last.
        target: The image.
    """
    channels = products.shape[2]
    across = (target.width + 3) // 4
    least = _0 if target.relu else np.float32(-np.inf)
    half = np.empty((4, 6, channels), np.float32)
    made = np.empty((4, 4, channels), np.float32)
    for tile in range(start, end):
        for j in range(6):
            for c in range(channels):
                half[0, j, c], half[1, j, c], half[2, j, c], half[3, j, c] = _of_output(
                    products[j, tile, c],
                    products[6 + j, tile, c],
                    products[12 + j, tile, c],
                    products[18 + j, tile, c],
                    products[24 + j, tile, c],
                    products[30 + j, tile, c],
                )
        for i in range(4):
            for c in range(channels):
                row = _of_output(
                    half[i, 0, c], half[i, 1, c], half[i, 2, c], half[i, 3, c], half[i, 4, c], half[i, 5, c]
                )
                made[i, 0, c], made[i, 1, c] = max(row[0] + bias[c], least), max(row[1] + bias[c], least)
                made[i, 2, c], made[i, 3, c] = max(row[2] + bias[c], least), max(row[3] + bias[c], least)
        top, left = 4 * ((first + tile) // across), 4 * ((first + tile) % across)
        if target.chosen.size:
            _write_pooled(made, target, top, left)
        else:
            _write(made, target, top, left)
