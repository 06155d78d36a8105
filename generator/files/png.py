"""PNG files read chunk by chunk: pixels and their description, without comments, which may be damaged or endless."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import IO

import numpy as np

from generator.files.colour import BT709, Encoding, of_code_points
from generator.files.samples import Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks that the pixels need. All others are left out if their checksum is wrong.
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT")
_DESCRIBING = (b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"eXIf")
_PROFILE = b"iCCP"
# Bytes, compressed or not: more than any colour profile has.
_MAX_CHUNK_BYTES = 16_000_000
# gAMA of screens, cameras and linear light. Others are mistakes, and would make a picture black or white.
_GAMMAS = (0.2, 3.0)
_GREY = 0


@dataclass
class Png:
    """A PNG file.

    Attributes:
        data: The file with only its pixels and their description, without its profile.
        damaged: Chunks with a wrong checksum. Those that the pixels need are still read.
    """

    data: io.BytesIO
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @property
    def bits(self) -> int:
        """Bits per sample; 8 if the header is damaged."""
        header = self.chunks.get(b"IHDR", b"")
        return header[8] if len(header) == 13 else 8

    @property
    def encoding(self) -> Encoding:
        """The meaning of the numbers by cICP, else sRGB, else gAMA and cHRM.

        A profile (iCCP) precedes all but cICP; the reader applies it.

        Raises:
            ColourError: For HDR.
        """
        cicp = self.chunks.get(b"cICP", b"")
        if len(cicp) == 4:
            return replace(of_code_points(cicp[0], cicp[1]), is_narrow=not cicp[3])
        if b"sRGB" in self.chunks or _PROFILE in self.chunks:
            return Encoding()
        gamma, primaries = self.chunks.get(b"gAMA", b""), self.chunks.get(b"cHRM", b"")
        exponent = struct.unpack(">I", gamma)[0] / 100_000 if len(gamma) == 4 else 0
        return Encoding(_primaries(primaries), 1 / exponent if exponent else 0.0)

    @property
    def profile(self) -> bytes | None:
        """The colour profile, or None if there is none or cICP replaces it."""
        _, _, packed = self.chunks.get(_PROFILE, b"").partition(b"\0")
        if not packed or b"cICP" in self.chunks:
            return None
        return zlib.decompressobj().decompress(packed[1:], _MAX_CHUNK_BYTES)

    @property
    def clear_grey(self) -> int | None:
        """The transparent grey of a picture of 2 or 4 bits, over the range of 8 bits, as its pixels are decoded."""
        header, clear = self.chunks.get(b"IHDR", b""), self.chunks.get(b"tRNS", b"")
        if len(header) != 13 or header[9] != _GREY or self.bits not in (2, 4) or len(clear) != 2:
            return None
        top = (1 << self.bits) - 1
        return (int.from_bytes(clear) & top) * 255 // top

    def deep(self) -> Samples:
        """Return a 16-bit file's samples, with alpha from its last channel or tRNS."""
        from imagecodecs import png_decode

        samples = np.atleast_3d(png_decode(self._bare()))
        colours, alpha = samples, None
        if samples.shape[2] in (2, 4):
            colours, alpha = samples[..., :-1], samples[..., -1]
        elif clear := self.chunks.get(b"tRNS"):
            see_through = np.frombuffer(clear, ">u2")[: samples.shape[2]]
            alpha = np.where((samples == see_through).all(2), 0, 65535).astype(np.uint16)
        return Samples(colours, alpha, self.profile, self.encoding)

    def _bare(self) -> bytes:
        """Return the file without the chunks that a decoder could apply to the samples."""
        bare = io.BytesIO(SIGNATURE)
        bare.seek(0, io.SEEK_END)
        for kind, raw in _walk(self.data):
            if kind in _CRITICAL:
                bare.write(raw)
        return bare.getvalue()


def parse(file: IO[bytes], also: tuple[bytes, ...] = ()) -> Png:
    """Read a PNG without its comments.

    Args:
        file: The PNG.
        also: Further chunks to keep, by the first bytes of kind and data together.
    """
    png = Png(io.BytesIO())
    png.data.write(SIGNATURE)
    for kind, raw in _walk(file, also):
        body, checksum = raw[8:-4], raw[-4:]
        is_whole = zlib.crc32(raw[4:-4]).to_bytes(4) == checksum and _is_possible(kind, body)
        if not is_whole and kind.decode("latin-1") not in png.damaged:
            png.damaged.append(kind.decode("latin-1"))
        if is_whole and kind in (*_DESCRIBING, _PROFILE, b"IHDR"):
            png.chunks.setdefault(kind, body)
        if kind in _CRITICAL or (is_whole and kind != _PROFILE):
            png.data.write(raw)
    png.data.seek(0)
    return png


def _walk(file: IO[bytes], also: tuple[bytes, ...] = ()) -> list[tuple[bytes, bytes]]:
    """Return kind and bytes of each chunk that is kept. The last chunk of a cut file may be incomplete."""
    found: list[tuple[bytes, bytes]] = []
    file.seek(len(SIGNATURE))
    while len(header := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", header)
        wanted = kind in _CRITICAL or (kind in (*_DESCRIBING, _PROFILE) and length <= _MAX_CHUNK_BYTES)
        start = file.read(min(length, 40)) if also and not wanted else b""
        if not wanted and not any((kind + start).startswith(beginning) for beginning in also):
            file.seek(length + 4 - len(start), io.SEEK_CUR)
            continue
        found.append((kind, header + start + file.read(length + 4 - len(start))))
        if kind == b"IEND":
            break
    return found


def _is_possible(kind: bytes, body: bytes) -> bool:
    """Return whether a profile is complete, and a gamma one that a picture could have."""
    if kind == b"gAMA" and len(body) == 4:
        return _GAMMAS[0] <= int.from_bytes(body) / 100_000 <= _GAMMAS[1]
    return kind != _PROFILE or _unpacks(body)


def _unpacks(chunk: bytes) -> bool:
    """Return whether an iCCP chunk (name, 0, method, profile by zlib) has a complete profile."""
    name, _, packed = chunk.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        return bool(name) and bool(unpacker.decompress(packed[1:], _MAX_CHUNK_BYTES)) and unpacker.eof
    except zlib.error:
        return False


def _primaries(chunk: bytes) -> tuple[float, float, float, float, float, float, float, float]:
    """Return cHRM's chromaticities, or those of sRGB if no screen could have them."""
    if len(chunk) != 32:
        return BT709
    white_x, white_y, *rest = (value / 100_000 for value in struct.unpack(">8I", chunk))
    red_x, red_y, green_x, green_y, blue_x, blue_y = rest
    triangle = (green_x - red_x) * (blue_y - red_y) - (blue_x - red_x) * (green_y - red_y)
    if abs(triangle) < 0.01 or min(white_y, red_y, green_y, blue_y) <= 0:
        return BT709
    return red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y
