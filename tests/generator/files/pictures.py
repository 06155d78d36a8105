"""Pictures made for tests, sample by sample and tag by tag."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from generator.files import images
from generator.files.images import ImageError

WIDTH, HEIGHT = 32, 24
ACROSS = np.linspace(0, 1, WIDTH)[None].repeat(HEIGHT, 0)
DOWN = np.linspace(0, 1, HEIGHT)[:, None].repeat(WIDTH, 1)
COLOURS = np.stack([ACROSS, DOWN, 1 - ACROSS], axis=-1)
LIGHT = np.where(COLOURS <= 0.04045, COLOURS / 12.92, ((COLOURS + 0.055) / 1.055) ** 2.4)
RGB = np.round(COLOURS * 255).astype(np.uint8)
GREY = np.round(ACROSS * 255)[..., None].repeat(3, 2)


def tiff(samples: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tifffile.imwrite(buffer, np.ascontiguousarray(samples), **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples: NDArray[Any], kind: int, extra: bytes = b"") -> bytes:
    """A PNG of 8 or 16 bits by the type of `samples`. kind: 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""
    bits = samples.dtype.itemsize * 8
    rows = samples.astype(samples.dtype.newbyteorder(">")).reshape(len(samples), -1)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], bits, kind, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = chunk(b"IHDR", header), extra, chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def read(data: bytes, warned: list[str] | None = None) -> NDArray[Any]:
    lines: list[str] = [] if warned is None else warned
    return np.asarray(images.read(io.BytesIO(data), "photo", lines.append)).astype(int)


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        images.read(io.BytesIO(data), "photo")
    assert str(caught.value).startswith("photo: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_is(data: bytes, expected: NDArray[Any], tolerance: float = 1) -> None:
    assert np.abs(read(data) - expected).max() <= tolerance


def raw_tiff(
    data: bytes, photometric: int | None, bits: tuple[int, ...], **tags: tuple[str, list[int]]
) -> bytes:
    """A TIFF of one strip. tags: `_320=("H", [...])` and so on; "2I" for pairs."""
    every: dict[int, tuple[str, list[int]]] = {
        256: ("I", [WIDTH]),
        257: ("I", [HEIGHT]),
        258: ("H", list(bits)),
        259: ("H", [1]),
        277: ("H", [len(bits)]),
        278: ("I", [HEIGHT]),
        279: ("I", [len(data)]),
        273: ("I", [0]),
    }
    if photometric is not None:
        every[262] = ("H", [photometric])
    every |= {int(name[1:]): value for name, value in tags.items()}
    codes = {"B": 1, "H": 3, "I": 4, "2I": 5}
    place = 8 + 2 + 12 * len(every) + 4
    entries, behind = b"", b""
    for number, (kind, values) in sorted(every.items()):
        raw = struct.pack(f"<{len(values)}{kind[-1]}", *values)
        count = len(values) // (2 if kind == "2I" else 1)
        if number == 273:
            raw, strip_entry = b"????", len(entries) + 8
        entries += struct.pack("<HHI", number, codes[kind], count)
        entries += raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<I", place + len(behind))
        behind += (raw + b"\0" * (len(raw) % 2)) if len(raw) > 4 else b""
    strip = struct.pack("<I", place + len(behind))
    entries = entries[:strip_entry] + strip + entries[strip_entry + 4 :]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(every)) + entries + b"\0" * 4 + behind + data


def on_white(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Colours from 0 to 255, alpha from 0 to 1."""
    return np.asarray(colours * alpha[..., None] + 255 * (1 - alpha[..., None]))


def srgb_curve(light: NDArray[Any]) -> NDArray[Any]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def profile_of(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04)."""
    table, body = b"", b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data
    white = struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1, 0.8249)))
    size = 132 + len(table) + len(body)
    head = (
        struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
    )
    return head + bytes(28) + white + bytes(48) + struct.pack(">I", len(tags)) + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


_WHITE = {b"wtpt": _xyz(0.9642, 1, 0.8249), b"desc": b"desc\0\0\0\0\0\0\0\1" + bytes(80)}
_LINEAR = b"curv\0\0\0\0\0\0\0\1\1\0\0\0"
LINEAR_GREY = profile_of(b"GRAY", {**_WHITE, b"kTRC": _LINEAR})
# sRGB's primaries, adapted to D50.
LINEAR_RGB = profile_of(
    b"RGB ",
    {
        **_WHITE,
        b"rXYZ": _xyz(0.43607, 0.22249, 0.01392),
        b"gXYZ": _xyz(0.38515, 0.71687, 0.09708),
        b"bXYZ": _xyz(0.14307, 0.06061, 0.71410),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _LINEAR),
    },
)
