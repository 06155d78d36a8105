"""BMP files with bit fields of any width, alpha, and colours that are not sRGB."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.generator.files.pictures import (
    COLOURS,
    DOWN,
    HEIGHT,
    LIGHT,
    LINEAR_RGB,
    RGB,
    WIDTH,
    assert_is,
    on_white,
    refusal,
)


def bmp(
    pixels: bytes, bits: int, *, masks: tuple[int, ...] = (), header: int = 40, colours: bytes = b""
) -> bytes:
    """A BMP whose last row comes first. colours: what follows the masks in a header of version 4 or 5."""
    fields = struct.pack(f"<{len(masks)}I", *masks)
    body = (fields + colours).ljust(header - 40, b"\0") if header > 40 else fields
    head = struct.pack(
        "<IiiHHIIiiII", header, WIDTH, HEIGHT, 1, bits, 3 if masks else 0, len(pixels), 0, 0, 0, 0
    )
    start = 14 + len(head) + len(body)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + body + pixels


def packed(widths: tuple[int, int, int], kind: type) -> tuple[bytes, NDArray[np.float64]]:
    """Pixels with blue in the lowest bits, and the picture that they show."""
    tops = [2**width - 1 for width in widths]
    levels = [np.round(COLOURS[..., number] * top).astype(kind) for number, top in enumerate(tops)]
    red, green, blue = levels
    pixels = (red << (widths[1] + widths[2])) | (green << widths[2]) | blue
    seen = np.stack([level / top * 255 for level, top in zip(levels, tops, strict=True)], -1)
    return pixels[::-1].astype(kind).tobytes(), seen


def test_bit_fields_of_any_width_are_read() -> None:
    data, seen = packed((10, 10, 10), np.uint32)
    assert_is(bmp(data, 32, masks=(0x3FF00000, 0xFFC00, 0x3FF)), seen)
    data, seen = packed((4, 4, 4), np.uint16)
    assert_is(bmp(data, 16, masks=(0xF00, 0xF0, 0xF)), seen)
    data, seen = packed((5, 6, 5), np.uint16)
    assert_is(bmp(data, 16, masks=(0xF800, 0x7E0, 0x1F)), seen, 2)


def test_one_bit_of_alpha_counts() -> None:
    data, seen = packed((5, 5, 5), np.uint16)
    clear = (DOWN < 0.5)[::-1]
    pixels = np.frombuffer(data, np.uint16).reshape(HEIGHT, WIDTH) | np.where(clear, 0, 0x8000).astype(
        np.uint16
    )
    masks = (0x7C00, 0x3E0, 0x1F, 0x8000)
    assert_is(bmp(pixels.tobytes(), 16, masks=masks, header=56), on_white(seen, (DOWN >= 0.5) * 1.0))
    assert_is(bmp(data, 16, masks=masks, header=56), seen)


def test_a_profile_or_a_gamma_in_the_header_is_applied() -> None:
    light = np.round(LIGHT * 255).astype(np.uint8)
    seen = (
        np.where(light / 255 <= 0.0031308, light / 255 * 12.92, 1.055 * (light / 255) ** (1 / 2.4) - 0.055)
        * 255
    )
    pixels = light[::-1, :, ::-1].tobytes()
    where = struct.pack("<II", 124 + len(pixels), len(LINEAR_RGB))
    assert_is(
        bmp(pixels, 24, header=124, colours=bytes(16) + b"DEBM" + bytes(52) + where) + LINEAR_RGB, seen, 2
    )
    ends = (0.64, 0.33, 0.03, 0.3, 0.6, 0.1, 0.15, 0.06, 0.79)
    stated = bytes(20) + struct.pack("<9i3I", *(round(end * 2**30) for end in ends), *[65536] * 3)
    assert_is(bmp(pixels, 24, header=108, colours=stated), seen, 2)
    assert_is(bmp(RGB[::-1, :, ::-1].tobytes(), 24, header=108, colours=bytes(68)), RGB, 0)


@pytest.mark.parametrize(
    ("bits", "packing", "reason"), [(64, 0, "64 bits"), (24, 4, "a BMP that holds a JPEG")]
)
def test_an_unsupported_bmp_is_named(bits: int, packing: int, reason: str) -> None:
    data = bytearray(bmp(bytes(WIDTH * HEIGHT * 8), bits))
    data[30] = packing
    assert reason in refusal(bytes(data))
    assert "broken or cut short" in refusal(bmp(b"\0" * 9, 32, masks=(0x3FF00000, 0xFFC00, 0x3FF)))
