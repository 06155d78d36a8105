"""Names of participants, items and the rest: always text, in Unicode NFC; look-alikes are noted."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import pandas as pd

from survey.analysis.reading.roles import INVISIBLE

_FORMULA: Final = re.compile(r"^'(?=[=+\-@\t\r])")
_LOST: Final = re.compile(r"\?{2,}(?:[\W\d_]|\?)*(?:\.\w{1,4})?")
"""Programs write a question mark for each letter that an encoding has not."""

_SHOWN: Final = 4


def without_apostrophe(column: pd.Series) -> pd.Series:
    """Return a column of text without the apostrophes that keep spreadsheets from running a cell as a formula."""
    return column.str.replace(_FORMULA, "", regex=True)


def tidy_names(column: pd.Series, role: str, notes: dict[str, str]) -> pd.Series:
    """Return a column of names in NFC without blanks around them; "" for an empty one.

    Notes get names that this makes one, names that differ only by case, spaces or invisible characters, and names that
    the apostrophe protected from being a formula.
    """
    codes, texts = pd.factorize(column)
    before = [str(text) for text in texts]
    after = [
        _FORMULA.sub("", unicodedata.normalize("NFC", text).strip().strip("\ufeff\u200b")) for text in before
    ]
    if quoted := [
        text for text, new in zip(before, after, strict=True) if _FORMULA.match(text.strip()) and new
    ]:
        notes[f"{role}_apostrophe"] = f"{role}: the apostrophe before {_shown(quoted)} is no part of the name"
    merged = _groups(after, dict(zip(range(len(before)), before, strict=True)))
    for name, forms in merged.items():
        if len({unicodedata.normalize("NFC", form) for form in forms}) < len(forms):
            notes[f"{role}_unicode"] = (
                f"{role}: {name!r} is written in {len(forms)} Unicode forms; they are one (NFC)"
            )
        if len({form.strip() for form in forms}) < len(forms):
            notes[f"{role}_blanks"] = (
                f"{role}: {name!r} is written with and without blanks around it; they are one"
            )
    alike = {key: names for key, names in _alike(after).items() if len(names) > 1}
    if alike:
        pairs = "; ".join(" and ".join(map(_visible, names[:3])) for names in list(alike.values())[:_SHOWN])
        more = f" and {len(alike) - _SHOWN} more" if len(alike) > _SHOWN else ""
        notes[f"{role}_alike"] = (
            f"{role}: names that differ only by case, spaces, zeros or invisible characters are kept apart: {pairs}{more}"
        )
    if odd := [name for name in dict.fromkeys(after) if INVISIBLE.search(name)]:
        notes[f"{role}_invisible"] = (
            f"{role}: invisible characters in {', '.join(map(_visible, odd[:_SHOWN]))}"
        )
    if lost := [name for name in dict.fromkeys(after) if "\ufffd" in name or _LOST.fullmatch(name)]:
        notes[f"{role}_lost"] = (
            f"{role}: letters were lost when the file was saved, so that different names may have become one: {_shown(lost)}"
        )
    values = pd.Series(after, dtype="str").to_numpy(object)
    return pd.Series(values[codes], index=column.index, name=column.name, dtype="str")


def _groups(after: list[str], before: dict[int, str]) -> dict[str, list[str]]:
    """Return {name: the texts that it was written as} of names with several."""
    found: dict[str, list[str]] = {}
    for place, name in enumerate(after):
        found.setdefault(name, []).append(before[place])
    return {name: forms for name, forms in found.items() if len(forms) > 1}


def _alike(names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        found.setdefault(_fold(name), []).append(name)
    return found


def _fold(name: str) -> str:
    """Return a name for comparison: without case, blanks and invisible characters; 01 and 1.0 are 1."""
    text = re.sub(r"\s+", "", INVISIBLE.sub("", unicodedata.normalize("NFKC", name))).casefold()
    return f"{float(text):g}" if re.fullmatch(r"\d{1,15}(?:\.\d{1,15})?", text) else text


def _visible(name: str) -> str:
    return repr(name) if name.isprintable() and not INVISIBLE.search(name) else ascii(name)


def _shown(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (" ..." if len(names) > _SHOWN else "")
