"""Parsing of untrusted TOML, with limits on its size and depth.

The standard library's parser takes minutes for 120 kB of one dotted key, and raises RecursionError for deep arrays.
"""

from __future__ import annotations

import codecs
import re
import tomllib
import unicodedata
from typing import Any, Final

MAX_CHARACTERS: Final = 200_000
MAX_LINES: Final = 20_000
MAX_DEPTH: Final = 12
# Limit of integers in the databases and in JavaScript tools.
_MAX_INTEGER: Final = 2**63

# Possessive, and never failing after its first character: linear in the length of the text.
_STRING_OR_COMMENT: Final = re.compile(
    r'''
    """(?:[^"\\]|\\.|"(?!""))*+(?:"""|\\?\Z)
    | \'\'\'(?:[^']|'(?!''))*+(?:\'\'\'|\Z)
    | "(?:[^"\\\n]|\\.)*+"?
    | '[^'\n]*+'?
    | \#[^\n]*+
    ''',
    re.VERBOSE | re.DOTALL,
)
_PART: Final = r"[^\s.,=\[\]{}]++"
_LONG_KEY: Final = re.compile(rf"(?<![^\s.,=\[\]{{}}]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_DEPTH},}}")
_BRACKET: Final = re.compile(r"[\[\]{}]")
_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)$")
#: What people write who have not met TOML, and what they may write instead. Lines are cut to _MAX_HINTED characters.
_HINTS: Final = (
    (re.compile("[=\\[,]\\s*+[“”„‘’‚]"), "write straight quotation marks"),
    (re.compile(r"=\s*+(?i:true|false|yes|no|on|off)\s*+(?:#|$)"), "write true or false"),
    (re.compile(r"=\s*+[-+]?\d++,\d"), "write a decimal point"),
    (re.compile(r'=\s*+"[^"]*\\'), "write / in paths, or single quotation marks around the text"),
    (re.compile(r"^\s*+[\w-]++\s*+:"), "write = between a key and its value"),
    (
        re.compile(r"^\s*+[A-Za-z0-9_-]*+[^\W\d_a-zA-Z]"),
        "write quotation marks around a key with such letters",
    ),
    (re.compile(r"=\s*+[A-Za-z]"), "write quotation marks around text"),
)
_MAX_HINTED: Final = 500


class TomlError(ValueError):
    """A text that is not TOML, or exceeds a limit; the message is one line."""


def toml_text(data: bytes) -> str:
    """Return a file's text: UTF-8, or UTF-16 or UTF-32, as Windows programs write it, mostly with a mark before it.

    Raises:
        UnicodeDecodeError: If it is neither.
    """
    return data.decode(_encoding(data)).replace("\r\n", "\n").replace("\r", "\n")


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without a mark: a plan begins with an ASCII character, whose other byte is 0.
    without_mark = {(False, True): "utf-16-le", (True, False): "utf-16-be"}
    return without_mark.get((data[:1] == b"\0", data[1:2] == b"\0"), "utf-8-sig")


def read_toml(text: str) -> dict[str, Any]:
    """Parse TOML of at most MAX_CHARACTERS, nested at most MAX_DEPTH deep, with integers of 64 bits.

    Raises:
        TomlError: If the text is not TOML or exceeds a limit.
    """
    if len(text) > MAX_CHARACTERS:
        raise TomlError(f"{len(text)} characters; the limit is {MAX_CHARACTERS}")
    if text.count("\n") > MAX_LINES:
        raise TomlError(f"{text.count(chr(10))} lines; the limit is {MAX_LINES}")
    bare = _STRING_OR_COMMENT.sub(_stand_in, text)
    if _LONG_KEY.search(bare) or _depth(bare) > MAX_DEPTH:
        raise TomlError(f"tables or arrays are nested more than {MAX_DEPTH} deep; write them flatter")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(_with_hint(str(error), text)) from error
    except ValueError as error:
        # A number of thousands of digits, or an impossible time zone.
        raise TomlError(f"a number or a time is out of range ({str(error).partition(';')[0]})") from error
    _check_integers(values)
    return values


def _with_hint(message: str, text: str) -> str:
    """Add how to mend a line to what the parser says of it."""
    if message.startswith("Cannot overwrite a value"):
        return message.replace(
            "Cannot overwrite a value", "a key stands twice, or is a table as well as a value"
        )
    if not (found := _LINE.search(message)):
        return message
    # The parser's own count: a line ends at a line feed.
    line = text.split("\n")[int(found[1]) - 1][:_MAX_HINTED]
    hint = _invisible(line) or next((words for sign, words in _HINTS if sign.search(line)), "")
    return f"{message[: found.start()]}in `{line.strip()[:80]}`{hint and ': '}{hint} {found[0]}"


def _invisible(line: str) -> str:
    """Return advice on the first character of a line that nobody sees; it comes along when text is pasted."""
    for letter in line:
        if letter not in " \t" and unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Zs"):
            name = unicodedata.name(letter, "a control character").lower()
            return f"delete the invisible character U+{ord(letter):04X} ({name})"
    return ""


def _stand_in(found: re.Match[str]) -> str:
    return "" if found[0].startswith("#") else "x"


def _depth(bare: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _check_integers(value: Any) -> None:
    if isinstance(value, dict):
        for part in value.values():
            _check_integers(part)
    elif isinstance(value, list):
        for part in value:
            _check_integers(part)
    elif isinstance(value, int) and not -_MAX_INTEGER <= value < _MAX_INTEGER:
        raise TomlError("a whole number has more than 64 bits; write a smaller one")
