"""Rating cells as numbers: digits, labels of the accepted scales, "4 - Good", "4/5", stars, missing codes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.reading.missing import MISSING
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import INVISIBLE
from survey.analysis.reading.wording import Wording, clean, fold
from survey.analysis.scale import Scale

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
_SHARE: Final = re.compile(rf"({_NUMBER.pattern})\s*(?:/|\\|of|out of|von|sur|de)\s*(\d+)")
_MIXED: Final = re.compile(r"(\d+)\s+([123])/([24])")
_THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_THOUSAND: Final = 1000
_STARS: Final = re.compile(r"(?:([★⭐🌟*]+)(½?)|([☆✩✰]+))([☆✩✰]*)")
_STAR_WORD: Final = re.compile(
    rf"({_NUMBER.pattern})\s*(?:★|⭐|🌟|stars?|sterne?|étoiles?|estrellas?|points?|punkte?|pts?\.?)"
)
_FIRST: Final = re.compile(rf"[(\[]?({_NUMBER.pattern})[)\]]?\s*[-:=.,)|]?\s*[(\[]?([^\d\W].*?)[)\]]?")
_LAST: Final = re.compile(rf"([^\d\W].*?)\s*[-:=,|]?\s*[(\[]?\s*({_NUMBER.pattern})\s*[)\]]?")
_PARTED: Final = re.compile(r"^[(\[]?[+-]?[\d.,]+[)\]]?[\s\-:=|.,)].*|.*[-:=|,(\[]\s*[+-]?[\d.,]+\s*[)\]]?$")
"""A number that is clearly set apart from a label: ``1 Meh``, ``Meh (1)``; not ``img_1`` or ``scene 1``."""


@dataclass
class Parsed:
    """Distinct texts of rating cells and what they stand for.

    Attributes:
        number: the rating on the scale; NaN for a missing or a bad one.
        bad: texts that are neither a rating of the scale nor missing, shape as ``number``.
        notes: what was read in another way than literally.
        wrong: text -> why it was refused, where more is known than that it is no number of the scale.
    """

    number: NDArray[np.float64]
    bad: NDArray[np.bool_]
    notes: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def parse_ratings(texts: Iterable[object], options: ReadOptions) -> Parsed:
    """Read distinct rating texts by the options' scale, labels and missing codes."""
    written = [str(text) for text in texts]
    reader = _Reader(options)
    raw = np.array([reader.read(text) for text in written], np.float64)
    if any(_NUMBER.fullmatch(clean(text)) for text in written):
        # Among numbers asterisks are no stars but stand for something else.
        for place in [n for n, text in enumerate(written) if re.fullmatch(r"\s*\*+\s*", text)]:
            raw[place], reader.wrong[written[place]] = (
                np.nan,
                ("are asterisks among numbers: if they mean a missing rating, name them by --missing"),
            )
    snapped = options.used_scale.snap(raw)
    missing = np.array([reader.is_missing(text) for text in written], np.bool_)
    number = np.where(missing, np.nan, snapped)
    return Parsed(number, np.isnan(number) & ~missing, reader.notes(), reader.wrong)


def parse_numbers(column: pd.Series, options: ReadOptions) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a column of plain numbers, NaN for missing ones, and which cells are neither."""
    codes, texts = pd.factorize(column)
    reader = _Reader(options)
    cleaned = [clean(str(text)) for text in texts]
    missing = np.array([reader.is_missing(text) for text in cleaned], np.bool_)
    number = np.array(
        [_to_float(text) if _NUMBER.fullmatch(text) else np.nan for text in cleaned], np.float64
    )
    number[missing] = np.nan
    bad = np.isnan(number) & ~missing
    return np.r_[number, np.nan][codes], np.r_[bad, False][codes]


def hint_of_range(numbers: NDArray[np.float64], scale: Scale) -> str:
    """Return what to do where ratings are off the scale; ``numbers`` are all that the table has."""
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return "; for labels of your own give --labels from the lowest category to the highest"
    low, high = numbers.min(), numbers.max()
    inside = numbers[(numbers >= scale.low) & (numbers <= scale.high)]
    outside = np.unique(numbers[(numbers < scale.low) | (numbers > scale.high)])
    if not len(outside):
        return f"; for ratings between them add a step, such as --scale {scale.low:g}:{scale.high:g}:0.5, or 0 for none"
    if len(inside) >= len(numbers) / 2 and len(outside) == 1:
        code = f"{outside[0]:g}"
        return f"; if {code} means a missing rating, add --missing={code}, else name the scale by --scale LOW:HIGH"
    return (
        f"; the ratings go from {low:g} to {high:g}: name their scale, such as --scale {_likely(low, high)}"
    )


def _likely(low: float, high: float) -> str:
    for ends in (
        (1, 5),
        (0, 5),
        (1, 7),
        (1, 9),
        (0, 10),
        (1, 10),
        (1, 11),
        (0, 100),
        (-3, 3),
        (-50, 50),
        (-100, 100),
    ):
        if ends[0] <= low and high <= ends[1]:
            return f"{ends[0]}:{ends[1]}"
    return f"{np.floor(low):g}:{np.ceil(high):g}"


class _Reader:
    """Reads texts one by one and remembers what forms they had."""

    def __init__(self, options: ReadOptions) -> None:
        self.scale = options.used_scale
        self.wording = Wording(options)
        self.missing = {clean(code).casefold() for code in options.missing}
        self.missing_numbers = {_to_float(code) for code in self.missing if _NUMBER.fullmatch(code)}
        self.used: dict[str, float] = {}
        self.label_of: dict[float, str] = {}
        self.seen_missing: dict[str, None] = {}
        self.forms: dict[str, str] = {}
        self.wrong: dict[str, str] = {}
        self.methods: set[str] = set()

    def is_missing(self, text: str) -> bool:
        plain = clean(text).casefold()
        if self.wording.is_own(plain):
            return False
        named = plain in self.missing or (
            bool(_NUMBER.fullmatch(plain)) and _to_float(plain) in self.missing_numbers
        )
        if named or plain in MISSING:
            if plain:
                self.seen_missing[text.strip()] = None
            return True
        return False

    def read(self, text: str) -> float:
        plain = clean(text)
        if (own := self.wording.written(plain)) is not None:
            self.used[plain] = own
            return own
        if not plain or self.is_missing(text):
            return np.nan
        if _THOUSANDS.fullmatch(plain) and self.scale.high >= _THOUSAND:
            self.wrong[text] = (
                f"may be {plain.replace(',', '')} or {plain.replace(',', '.')}: write it without a comma"
            )
            return np.nan
        if _NUMBER.fullmatch(plain):
            number = _to_float(plain)
            snapped = float(self.scale.snap(number))
            if not np.isnan(snapped) and snapped != number:
                self.forms["rounding"] = f"{text.strip()} is read as {snapped:g}"
            elif "," in plain:
                self.forms.setdefault(
                    "decimal_comma", f"{text.strip()} is read as {number:g} (decimal comma)"
                )
            elif plain != text.strip():
                self.forms.setdefault("digits", f"{text.strip()} is read as {plain}")
            return number
        value = self._other_form(text, plain)
        if not np.isnan(value):
            return value
        return self._labelled(text, plain)

    def _other_form(self, text: str, plain: str) -> float:
        low = plain.casefold()
        value = np.nan
        if found := _SHARE.fullmatch(low):
            value = _to_float(found[1]) if float(found[2]) == self.scale.high else np.nan
            if np.isnan(value):
                self.wrong[text] = f"is out of {found[2]}, and the scale ends at {self.scale.high:g}"
        elif (
            low.endswith("%")
            and _NUMBER.fullmatch(low[:-1].strip())
            and (self.scale.low, self.scale.high) == (0, 100)
        ):
            value = _to_float(low[:-1].strip())
        elif found := _STARS.fullmatch(INVISIBLE.sub("", plain).replace(" ", "").replace("1⁄2", "½")):
            shown = len(found[1] or "") + len(found[3] or "") + len(found[4])
            value = len(found[1] or "") + 0.5 * bool(found[2])
            if shown > self.scale.high:
                self.wrong[text] = f"shows {shown} stars, and the scale ends at {self.scale.high:g}"
                value = np.nan
        elif found := _STAR_WORD.fullmatch(low):
            value = _to_float(found[1])
        elif found := _MIXED.fullmatch(plain):
            value = float(found[1]) + float(found[2]) / float(found[3])
        if not np.isnan(value):
            self.forms.setdefault("forms", f"{text.strip()} is read as {value:g}")
        return value

    def _labelled(self, text: str, plain: str) -> float:
        if meant := self.wording.find(plain):
            value, method = meant
            self.used[plain] = value
            self.methods.add(method)
            return value
        for pattern, place in ((_FIRST, 1), (_LAST, 2)):
            if found := pattern.fullmatch(plain):
                number, label = _to_float(found[place]), found[3 - place]
                known = self.wording.find(label)
                if known is not None and known[0] != number:
                    self.wrong[text] = f"has the number {number:g}, but {label!r} is category {known[0]:g}"
                    return np.nan
                if known is None and (self.wording.own or not _is_worded(label) or not _PARTED.match(plain)):
                    continue
                if known is None and self.label_of.setdefault(number, fold(label)) != fold(label):
                    self.wrong[text] = f"gives the number {number:g} to {label!r} and to another label"
                    return np.nan
                if self.used.setdefault(label, number) != number:
                    self.wrong[text] = (
                        f"gives {label!r} the number {number:g}, elsewhere {self.used[label]:g}"
                    )
                    return np.nan
                if known is not None:
                    self.methods.add(known[1])
                return number
        return np.nan

    def notes(self) -> dict[str, str]:
        notes = {}
        if self.used:
            pairs = sorted(self.used.items(), key=lambda pair: (pair[1], pair[0]))
            notes["labels"] = "labels read as numbers: " + ", ".join(f"{k} = {v:g}" for k, v in pairs[:12])
        if self.seen_missing:
            shown = ", ".join(repr(code) for code in list(self.seen_missing)[:8])
            notes["missing_codes"] = f"read as missing ratings: {shown}"
        return notes | {f"ratings_{name}": text for name, text in self.forms.items()}


def _is_worded(label: str) -> bool:
    """Whether text beside a number can be a category's label: a word of three letters or more, no unit."""
    return len(label) > 2 and label.casefold() not in {"sec", "min", "pct", "percent", "seconds", "minutes"}


def _to_float(text: str) -> float:
    return float(text.replace(",", "."))
