"""The kind of a file by its first bytes: which reader it needs, or why it is refused."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import IO, Any

LOOK = 2048  # bytes read from the start of a file
_MAX_META_BYTES = 1_000_000
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BEGINNINGS = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript file",
    b"\xc5\xd0\xd3\xc6": "a PostScript file",
    b"8BPS": "a Photoshop file",
    b"\xff\x0a": "a JPEG XL file",
    b"\0\0\0\x0cJXL ": "a JPEG XL file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 file",
    b"\xff\x4f\xff\x51": "a JPEG 2000 file",
    b"\x76\x2f\x31\x01": "an OpenEXR file",
    b"#?R": "a Radiance HDR file",
    b"II\xbc\x01": "a JPEG XR file",
    b"\0\0\1\0": "an icon",
    b"icns": "an icon",
    b"DDS ": "a DirectDraw texture",
    b"\xabKTX ": "a KTX texture",
    b"qoif": "a QOI file",
    b"FLIF": "a FLIF file",
    b"BPG\xfb": "a BPG file",
    b"farbfeld": "a Farbfeld file",
    b"SIMPLE  =": "a FITS file",
    b"AT&TFORM": "a DjVu document",
    b"\x8aMNG": "an MNG animation",
    b"\x8bJNG": "a JNG file",
    b"\x01\xda": "an SGI picture",
    b"\x59\xa6\x6a\x95": "a Sun raster file",
    b"SDPX": "a DPX picture",
    b"XPDS": "a DPX picture",
    b"\x0a\5\1": "a PCX picture",
    b"\xd7\xcd\xc6\x9a": "a Windows metafile",
    b"/* XPM": "an XPM file",
    b"#define ": "an XBM file or a program",
    b"FUJIFILMCCD-RAW": "a raw photograph",
    b"IIRO": "a raw photograph",
    b"IIRS": "a raw photograph",
    b"MMOR": "a raw photograph",
    b"IIU\0": "a raw photograph",
    b"\0MRM": "a raw photograph",
    b"FOVb": "a raw photograph",
    b"gimp xcf": "a GIMP file",
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "an empty ZIP archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x1aE\xdf\xa3": "a video",
    b"\0\0\1\xba": "a video",
    b"\0\0\1\xb3": "a video",
    b"FLV\1": "a video",
    b"YUV4MPEG": "a video",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "a video",
    b"OggS": "a video or sound",
    b"ID3": "sound",
    b"fLaC": "sound",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"MATLAB": "a MATLAB file",
    b"\0\5\x16\7": "a companion file of macOS, not the picture itself",
    b"\0\0\0\1Bud1": "a companion file of macOS",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a Git LFS pointer: the file itself was not fetched",
    b"data:image/": "a picture written as text (a data URL)",
}
_RIFF = {b"AVI ": "a video", b"WAVE": "sound", b"ACON": "an animated cursor"}
_MARKUP = {
    b"<svg": "an SVG drawing",
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML document",
}
# P1 to P7 of Netpbm, and its floating-point files.
_PORTABLE = re.compile(rb"P[1-7Ff][ \t\r\n]")
# Truevision TGA has no mark of its own: colour map or none, kind, the map's place, origin and size, bits of a pixel. With
# an uncompressed one only the map's place, which is zero, differs from a cursor, whose first number is that of its pictures.
_TGA = re.compile(
    rb".(?:\x01[\x01\x09].{4}[\x0f\x10\x18\x20]|\x00[\x02\x03\x0a\x0b]\x00{5}).{8}[\x08\x0f\x10\x18\x20]",
    re.DOTALL,
)
_CURSOR = b"\0\0\2\0"
# JPEG's marker that begins a frame gives the process (ITU-T T.81, table B.1; T.87).
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)


def is_heif(head: bytes) -> bool:
    """Return whether a file is HEIF as telephones write it (HEIC)."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and b"avif" not in _brands(head)


def is_picture(head: bytes) -> bool:
    """Return whether a file begins like one of the supported picture formats."""
    if head[4:8] == b"ftyp":
        return is_heif(head) or head[8:12] in (b"avif", b"avis")
    return head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def in_words(head: bytes) -> str:
    """Return the name of a file's kind if it is not a supported picture, "" if unknown."""
    if not head:
        return "an empty file"
    if not head.strip(b"\0"):
        return "only zero bytes"
    if is_picture(head):
        return _in_words_of_picture(head)
    if head[4:8] == b"ftyp":
        return "a raw photograph" if head[8:11] == b"crx" else "a video"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"skip") or (head[:1] == b"G" and head[188:189] == b"G"):
        return "a video"
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[128:132] == b"DICM":
        return "a DICOM file"
    if head[257:262] == b"ustar":
        return "a tar archive"
    if _PORTABLE.match(head):
        return "a PNM file"
    if _TGA.match(head):
        return "a TGA picture"
    if head.startswith(_CURSOR):
        return "a cursor"
    for beginning, words in _BEGINNINGS.items():
        if head.startswith(beginning):
            return words
    # A drawing or page may be in UTF-16.
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if found := next((words for mark, words in _MARKUP.items() if mark in text), ""):
        return found
    return "text" if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head) else ""


def _in_words_of_picture(head: bytes) -> str:
    """Return the variant of a supported format that no reader here knows, "" if there is none."""
    if head[12:16] == b"CgBI":
        return "a PNG in Apple's own format for apps"
    return _jpeg_in_words(head) if head.startswith(b"\xff\xd8") else ""


def _jpeg_in_words(head: bytes) -> str:
    place = 2
    while len(head) - place >= 10 and head[place] == 0xFF:
        marker, length = head[place + 1], int.from_bytes(head[place + 2 : place + 4])
        if marker == 0xF7:
            return "a JPEG-LS file"
        if marker in _FRAMES:
            bits = head[place + 4]
            kind = "a lossless JPEG" if marker in _LOSSLESS else "a JPEG"
            return f"{kind} with {bits} bits a sample" if bits != 8 or marker in _LOSSLESS else ""
        place += 2 + length
    return ""


def code_points(stream: IO[bytes], image: Any) -> tuple[int, int] | None:
    """Return the numbers of primaries and transfer (H.273) that an AVIF or HEIF file states, or None."""
    if nclx := image.info.get("nclx_profile"):
        return int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
    if image.format != "AVIF":
        return None
    for kind, body in _avif_properties(stream):
        if kind == b"colr" and body[:4] == b"nclx":
            return int.from_bytes(body[4:6]), int.from_bytes(body[6:8])
    return None


def clean_aperture(stream: IO[bytes], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the part of an AVIF that is shown, before it is turned: left, top, right, bottom (ISO 14496-12, 12.1.4)."""
    for kind, body in _avif_properties(stream):
        if kind != b"clap" or len(body) != 32:
            continue
        numbers = struct.unpack(">IIIIiIiI", body)
        if not all(numbers[1::2]):
            continue
        width, height, right, down = (
            over / under for over, under in zip(numbers[0::2], numbers[1::2], strict=True)
        )
        left, top = round((size[0] - width) / 2 + right), round((size[1] - height) / 2 + down)
        box = left, top, left + round(width), top + round(height)
        if 0 <= left < box[2] <= size[0] and 0 <= top < box[3] <= size[1]:
            return box
    return None


def _avif_properties(stream: IO[bytes]) -> list[tuple[bytes, bytes]]:
    """Return kind and body of each property of an AVIF's primary item (ISO 14496-12, 12.1.5; ISO 23008-12, 9.3)."""
    stream.seek(0)
    data = stream.read(_MAX_META_BYTES)
    meta = dict(_boxes(data)).get(b"meta", b"")[4:]
    parts = dict(_boxes(meta))
    properties = dict(_boxes(parts.get(b"iprp", b"")))
    primary = int.from_bytes(parts.get(b"pitm", b"\0" * 6)[4:6])
    listed = list(_boxes(properties.get(b"ipco", b"")))
    numbers = _associated(properties.get(b"ipma", b""), primary)
    return [listed[number - 1] for number in numbers if 0 < number <= len(listed)]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each box, up to the first that is cut short."""
    place = 0
    while len(data) - place >= 8:
        size = int.from_bytes(data[place : place + 4])
        if size < 8:
            return
        yield data[place + 4 : place + 8], data[place + 8 : place + size]
        place += size


def _associated(ipma: bytes, item: int) -> list[int]:
    """Return the numbers, from 1, of an item's properties."""
    wide = bool(ipma[3:4] and ipma[3] & 1)
    id_bytes = 4 if ipma[:1] == b"\1" else 2
    place, step = 8, 2 if wide else 1
    for _ in range(int.from_bytes(ipma[4:8])):
        if place >= len(ipma):
            break
        found = int.from_bytes(ipma[place : place + id_bytes])
        place += id_bytes
        count = ipma[place] if place < len(ipma) else 0
        place += 1
        numbers = [int.from_bytes(ipma[at : at + step]) for at in range(place, place + count * step, step)]
        if found == item:
            return [number & (0x7FFF if wide else 0x7F) for number in numbers]
        place += count * step
    return []


def _brands(head: bytes) -> bytes:
    return head[8 : int.from_bytes(head[:4])]
