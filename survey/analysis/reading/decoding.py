"""The bytes of a text file as text: UTF-8, UTF-16, UTF-32, Windows-1252, or the encoding that the user names."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from survey.analysis.table import TableError

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UTF8_PAIR: Final = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_LETTERS: Final = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0160\u0161\u017d\u017e\u0152\u0153\u0178"
_DOUBTFUL: Final = re.compile(
    # Three accented letters in a row, or a word of nothing else: Cyrillic, Greek, Chinese, Korean.
    rf"[{_LETTERS}]{{3}}|(?<![A-Za-z{_LETTERS}])[{_LETTERS}]{{2,}}(?![A-Za-z{_LETTERS}])"
    # A capital inside a word: Mac Roman. The Icelandic and some Nordic letters are no signs of it.
    r"|(?<=[a-z])[\u0160\u017d\u0178\u00c0-\u00d6\u00d8-\u00de](?=[a-z]|\b)"
    r"|(?<=[A-Z])[\u0160\u017d\u0178](?=[a-z])|(?<![A-Za-z])[\u0161\u017e](?=[a-z])(?![a-z]*[\u0100-\u017f])"
    # A sign that touches a letter: DOS code pages, Shift-JIS.
    rf"|[A-Za-z{_LETTERS}][^\x00-\x7f{_LETTERS}\u2019\u00b2\u00b3\u00b0\u00aa\u00ba\u00bb\u201d\u2122\u00ae\u00a0\u2026]"
    rf"|[^\x00-\x7f{_LETTERS}\u2019\u2018\u00ab\u201c\u201e\u00a0\u00b5\u00bf\u00a1\u2013\u2014\u00b0][A-Za-z{_LETTERS}]"
    r"|[a-z]\u201d(?=[a-z])"
)
_ADVICE: Final = (
    "name its encoding, such as --encoding utf-8, shift_jis, gb18030, cp1250, cp1251 or mac_roman"
)


def decode(path: Path, data: bytes, encoding: str | None, notes: dict[str, str]) -> str:
    """Return a file's text, every line ended by a newline.

    Args:
        path: the file, for messages.
        data: its bytes.
        encoding: what the user named, or None to detect it.
        notes: gets a remark where the text was read as Windows-1252.

    Raises:
        TableError: unreadable, not text, or bytes that may mean several things.
    """
    text = _named(path, data, encoding) if encoding else _detected(path, data, notes)
    text = text.removeprefix("\ufeff").rstrip("\x1a")
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        fix = _ADVICE if found[0] == "\x1b" else "save the table as CSV, XLSX or ODS"
        raise TableError(f"{path}: line {line}: not a text file (character {ord(found[0])}): {fix}")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; TableError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from None


def _named(path: Path, data: bytes, encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding)
        # Codecs such as "hex" are no encodings of text.
        if not codec._is_text_encoding:
            raise LookupError(encoding)
    except LookupError:
        raise TableError(
            f"--encoding: {encoding!r} is no encoding that Python knows, such as utf-8, shift_jis or cp1252"
        ) from None
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        raise TableError(
            f"{path}: {_place(data, error)} is not {encoding}: name another --encoding"
        ) from None


def _detected(path: Path, data: bytes, notes: dict[str, str]) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(path, data[len(bom) :], encoding)
    if b"\0" in data:
        return _strict(path, data, _utf16(path, data))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _windows(path, data, error, notes)


def _strict(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path}: {_place(data, error)} is not {encoding.removesuffix('-le').removesuffix('-be').upper()}: the file "
            f"is damaged, or {_ADVICE}"
        ) from None


def _utf16(path: Path, data: bytes) -> str:
    """UTF-16 without a byte order mark: ASCII characters have their zero byte all at odd or all at even places."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    if len(data) % 2 or min(even, odd) or max(even, odd) < len(data) / 8:
        raise TableError(f"{path}: not a text file: save the table as CSV, XLSX or ODS")
    return "utf-16-le" if odd else "utf-16-be"


def _windows(path: Path, data: bytes, fault: UnicodeDecodeError, notes: dict[str, str]) -> str:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path}: {_place(data, error)} is neither UTF-8 nor Windows-1252: {_ADVICE}"
        ) from None
    if _UTF8_PAIR.search(data):
        raise TableError(
            f"{path}: {_place(data, fault)} is not UTF-8, but other characters of the file are: it mixes encodings or "
            f"is damaged; save it as UTF-8, or {_ADVICE}"
        )
    words = dict.fromkeys(re.findall(r"[^\s,;|\t\"]*[^\x00-\x7f][^\s,;|\t\"]*", text))
    if doubtful := next((word for word in words if _DOUBTFUL.search(word)), None):
        line = text.count("\n", 0, text.index(doubtful)) + 1
        raise TableError(
            f"{path}: line {line}: not UTF-8, and {doubtful[:40]!r} in Windows-1252 is no likely text: {_ADVICE}"
        )
    shown = ", ".join(word[:40] for word in list(words)[:5])
    notes["encoding"] = (
        f"not UTF-8, so read as Windows-1252 ({shown}); name another by --encoding if names look wrong"
    )
    return text


def _place(data: bytes, error: UnicodeError) -> str:
    if not isinstance(error, UnicodeDecodeError):
        return "a character"
    line = data.count(b"\n", 0, error.start) + 1
    return (
        f"line {line}: byte {data[error.start]:#04x}" if error.start < len(data) else f"line {line}: the end"
    )
