"""The kind of a file by its first bytes: which reader it needs, or why it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

LOOK = 256  # bytes read from the start of a file
_MAX_META_BYTES = 1_000_000
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BEGINNINGS = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript file",
    b"8BPS": "a Photoshop file",
    b"\xff\x0a": "a JPEG XL file",
    b"\0\0\0\x0cJXL ": "a JPEG XL file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 file",
    b"\xff\x4f\xff\x51": "a JPEG 2000 file",
    b"\x76\x2f\x31\x01": "an OpenEXR file",
    b"#?RADIANCE": "a Radiance HDR file",
    b"II\xbc\x01": "a JPEG XR file",
    b"\0\0\1\0": "an icon",
    b"DDS ": "a DirectDraw texture",
    b"FUJIFILMCCD-RAW": "a raw photograph",
    b"IIRO": "a raw photograph",
    b"IIRS": "a raw photograph",
    b"IIU\0": "a raw photograph",
    b"gimp xcf": "a GIMP file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1aE\xdf\xa3": "a video",
    b"version https://git-lfs": "a Git LFS pointer: the file itself was not fetched",
}
_MARKUP = {b"<svg": "an SVG drawing", b"<!doctype html": "an HTML page", b"<html": "an HTML page"}


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
    if head[4:8] == b"ftyp":
        return "a raw photograph" if head[8:11] == b"crx" else "a video"
    for beginning, words in _BEGINNINGS.items():
        if head.startswith(beginning):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((words for mark, words in _MARKUP.items() if mark in text), "")


def code_points(stream: IO[bytes], image: Any) -> tuple[int, int] | None:
    """Return the numbers of primaries and transfer (H.273) that an AVIF or HEIF file states, or None."""
    if nclx := image.info.get("nclx_profile"):
        return int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
    return _avif_code_points(stream) if image.format == "AVIF" else None


def _avif_code_points(stream: IO[bytes]) -> tuple[int, int] | None:
    """Return the `colr` property of an AVIF's primary item (ISO 14496-12, 12.1.5; ISO 23008-12, 9.3)."""
    stream.seek(0)
    data = stream.read(_MAX_META_BYTES)
    meta = dict(_boxes(data)).get(b"meta", b"")[4:]
    parts = dict(_boxes(meta))
    properties = dict(_boxes(parts.get(b"iprp", b"")))
    primary = int.from_bytes(parts.get(b"pitm", b"\0" * 6)[4:6])
    listed = list(_boxes(properties.get(b"ipco", b"")))
    for number in _associated(properties.get(b"ipma", b""), primary):
        kind, body = listed[number - 1] if 0 < number <= len(listed) else (b"", b"")
        if kind == b"colr" and body[:4] == b"nclx":
            return int.from_bytes(body[4:6]), int.from_bytes(body[6:8])
    return None


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
