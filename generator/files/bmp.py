"""BMP files by their header: pixels in bit fields of any width, and colours that are not sRGB. Pillow reads the rest.

Source: Microsoft, BITMAPV5HEADER and [MS-WMF] 2.2.2.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from generator.files.colour import BT709, Encoding, Primaries
from generator.files.samples import Samples, full_range

MAGIC = b"BM"
_FILE_HEADER, _OLDEST, _VERSION_3, _VERSION_4, _VERSION_5 = 14, 12, 56, 108, 124
_PLAIN, _BIT_FIELDS, _ALPHA_BIT_FIELDS = 0, 3, 6
_RUN_LENGTHS = {1: 8, 2: 4}
_HOLDS = {4: "a JPEG", 5: "a PNG"}
_BITS = (1, 4, 8, 16, 24, 32)
# Of 16 bits, as Pillow reads them.
_FIVE_SIX_FIVE, _FIVE_FIVE_FIVE = (0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)
_CALIBRATED, _EMBEDDED = 0, int.from_bytes(b"MBED")
# Exponents that a screen or a camera could have.
_GAMMAS = (0.2, 5.0)


class BmpError(ValueError):
    """A BMP that cannot be read; the message says why."""


@dataclass(frozen=True)
class Bmp:
    """A BMP file.

    Attributes:
        size: Width and height.
        profile: Its ICC profile.
        encoding: The meaning of its numbers without a profile.
        masks: Bits of red, green, blue and alpha in a pixel that Pillow would misread; () if there is none.
        bits: Bits per pixel.
        start: Place of the pixels.
        upwards: Whether the last row comes first.
    """

    size: tuple[int, int]
    profile: bytes | None = None
    encoding: Encoding = field(default_factory=Encoding)
    masks: tuple[int, ...] = ()
    bits: int = 0
    start: int = 0
    upwards: bool = True

    def decode(self, file: IO[bytes]) -> Samples:
        """Return the pixels in bit fields. Raises EOFError if the file is cut short."""
        width, height = self.size
        bytes_per_row = (width * self.bits + 31) // 32 * 4
        file.seek(self.start)
        data = file.read(bytes_per_row * height)
        if len(data) < bytes_per_row * height:
            raise EOFError("rows are missing")
        rows = np.frombuffer(data, f"<u{self.bits // 8}").reshape(height, -1)[:, :width]
        rows = rows[::-1] if self.upwards else rows
        colours = np.stack([_field(rows, mask) for mask in self.masks[:3]], -1)
        alpha = _field(rows, self.masks[3]) if self.masks[3] else None
        return Samples(colours, alpha, self.profile, self.encoding)


def parse(file: IO[bytes]) -> Bmp | None:
    """Return what the header says; None for the oldest kind, which says nothing that Pillow does not read.

    Raises:
        BmpError: If the pixels are of a kind that cannot be read.
    """
    file.seek(0)
    head = file.read(_FILE_HEADER + _VERSION_5).ljust(_FILE_HEADER + _VERSION_5, b"\0")
    start, length, width, height, _, bits, packing = struct.unpack_from("<IIiiHHI", head, 10)
    if length <= _OLDEST:
        return None
    if packing in _HOLDS:
        raise BmpError(f"is a BMP that holds {_HOLDS[packing]}; save it as a PNG")
    known = (_PLAIN, _BIT_FIELDS, _ALPHA_BIT_FIELDS)
    if bits not in _BITS or (packing not in known and _RUN_LENGTHS.get(packing) != bits):
        raise BmpError(
            f"is a BMP of an unsupported kind ({bits} bits, compression {packing}); save it as a PNG"
        )
    masks: tuple[int, ...] = ()
    if packing in (_BIT_FIELDS, _ALPHA_BIT_FIELDS) and bits in (16, 32):
        *colours, alpha = struct.unpack_from("<4I", head, 54)
        alpha = alpha if length >= _VERSION_3 or packing == _ALPHA_BIT_FIELDS else 0
        is_plain = bits == 16 and not alpha and tuple(colours) in (_FIVE_SIX_FIVE, _FIVE_FIVE_FIVE)
        masks = () if is_plain or not any(colours) else (*colours, alpha)
    profile, encoding = _described(file, head, length)
    return Bmp((abs(width), abs(height)), profile, encoding, masks, bits, start, height > 0)


def _described(file: IO[bytes], head: bytes, length: int) -> tuple[bytes | None, Encoding]:
    if length < _VERSION_4:
        return None, Encoding()
    kind, *ends = struct.unpack_from("<I9i", head, 70)
    if kind == _EMBEDDED and length >= _VERSION_5:
        offset, size = struct.unpack_from("<II", head, 126)
        file.seek(_FILE_HEADER + offset)
        return file.read(size) or None, Encoding()
    gamma = sum(struct.unpack_from("<3I", head, 110)) / 3 / 65536
    if kind != _CALIBRATED or not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        return None, Encoding()
    return None, Encoding(_primaries(np.array(ends, float).reshape(3, 3)), gamma)


def _primaries(ends: NDArray[np.float64]) -> Primaries:
    """Return the chromaticities of X, Y, Z of red, green and blue; those of sRGB if they are none."""
    sums = ends.sum(1)
    if (ends < 0).any() or (sums <= 0).any() or abs(np.linalg.det(ends / sums[:, None])) < 0.01:
        return BT709
    red, green, blue = (ends / sums[:, None])[:, :2].tolist()
    # Some programs write x, y, z instead, whose sums are equal and do not give a white.
    total = ends.sum(0)
    white = BT709[6:] if np.ptp(sums) < 0.01 * sums.max() else tuple((total / total.sum())[:2].tolist())
    return (*red, *green, *blue, *white)


def _field(rows: NDArray[Any], mask: int) -> NDArray[Any]:
    """Return one field of each pixel over the full range of 8 or 16 bits."""
    lowest = (mask & -mask).bit_length() - 1 if mask else 0
    top = mask >> lowest
    return (
        full_range((rows & rows.dtype.type(mask)) >> lowest, top) if top else np.zeros(rows.shape, np.uint8)
    )
