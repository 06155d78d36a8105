"""The transforms of Winograd's F(4 x 4, 3 x 3) on tiles of an image, compiled for the processor at hand (Numba).

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), section 4.3. Written out in additions:
as matrix products the transforms take as long as the products that they save. Each function runs without the GIL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Row = tuple[Any, Any, Any, Any, Any, Any]

# A whole number times a float32 is a float64 to Numba.
_0, _2, _4, _5, _8 = (np.float32(value) for value in (0, 2, 4, 5, 8))


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
def to_products(
    image: Any,
    gate: Any,
    gated: bool,
    padding: int,
    first: int,
    start: int,
    end: int,
    inputs: Any,
) -> None:
    """Transform some tiles of an image (H x W x C) into `inputs` (36 x tiles x C) at start .. end.

    first: the number of the tile that stands at 0 there; tiles are numbered row by row. padding: of zeros round the
    image. gated: what is not above 0 in the gate (H x W x C) counts as 0 in the image.
    """
    height, width, channels = image.shape
    across = (width + 2 * padding + 1) // 4  # tiles of 4 that cover the output's width - 2 + 2 * padding
    patch = np.empty((6, 6, channels), np.float32)
    half = np.empty((6, 6, channels), np.float32)
    for tile in range(start, end):
        top = 4 * ((first + tile) // across) - padding
        left = 4 * ((first + tile) % across) - padding
        for i in range(6):
            for j in range(6):
                y, x = top + i, left + j
                inside = 0 <= y < height and 0 <= x < width
                if inside and gated:
                    for c in range(channels):
                        patch[i, j, c] = image[y, x, c] if gate[y, x, c] > _0 else _0
                elif inside:
                    for c in range(channels):
                        patch[i, j, c] = image[y, x, c]
                else:
                    for c in range(channels):
                        patch[i, j, c] = _0
        for j in range(6):
            for c in range(channels):
                (
                    half[0, j, c],
                    half[1, j, c],
                    half[2, j, c],
                    half[3, j, c],
                    half[4, j, c],
                    half[5, j, c],
                ) = _of_input(
                    patch[0, j, c],
                    patch[1, j, c],
                    patch[2, j, c],
                    patch[3, j, c],
                    patch[4, j, c],
                    patch[5, j, c],
                )
        for i in range(6):
            at = 6 * i
            for c in range(channels):
                (
                    inputs[at, tile, c],
                    inputs[at + 1, tile, c],
                    inputs[at + 2, tile, c],
                    inputs[at + 3, tile, c],
                    inputs[at + 4, tile, c],
                    inputs[at + 5, tile, c],
                ) = _of_input(
                    half[i, 0, c], half[i, 1, c], half[i, 2, c], half[i, 3, c], half[i, 4, c], half[i, 5, c]
                )


@_compiled
def from_products(products: Any, bias: Any, relu: bool, first: int, start: int, end: int, made: Any) -> None:
    """Transform `products` (36 x tiles x K) at start .. end, with the bias (K) added, into the image `made` (H x W x K).

    relu: followed by a ReLU. first: as in `to_products`.
    """
    height, width, channels = made.shape
    across = (width + 3) // 4
    least = _0 if relu else np.float32(-np.inf)
    half = np.empty((4, 6, channels), np.float32)
    line = np.empty((4, channels), np.float32)
    for tile in range(start, end):
        top, left = 4 * ((first + tile) // across), 4 * ((first + tile) % across)
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
        for i in range(min(4, height - top)):
            for c in range(channels):
                row = _of_output(
                    half[i, 0, c], half[i, 1, c], half[i, 2, c], half[i, 3, c], half[i, 4, c], half[i, 5, c]
                )
                line[0, c], line[1, c] = max(row[0] + bias[c], least), max(row[1] + bias[c], least)
                line[2, c], line[3, c] = max(row[2] + bias[c], least), max(row[3] + bias[c], least)
            for j in range(min(4, width - left)):
                for c in range(channels):
                    made[top + i, left + j, c] = line[j, c]
