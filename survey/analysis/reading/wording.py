"""Labels of categories as their numbers: those of the accepted scales in all languages, or the user's own."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from survey.analysis.labels import ACR, DCR
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import INVISIBLE

OWN: Final = "own"
_PARTS: Final = {"¼": ".25", "½": ".5", "¾": ".75"}
_HALF: Final = re.compile(r"(?<![^\s\d])(\d*)\s*([¼½¾])(?!\S)")
_RAISED: Final = re.compile("(?<=[0-9])[²³¹⁰-⁹₀-₉]")
"""The mark of a footnote behind a number is no digit of it."""


def clean(text: str) -> str:
    """Return a cell's text with full-width digits and halves made plain, one kind of dash and no blanks around it."""
    text = INVISIBLE.sub("", text)
    if not text.isascii():
        text = _HALF.sub(lambda found: f"{found[1] or 0}{_PARTS[found[2]]}", text)
        text = unicodedata.normalize("NFKC", _RAISED.sub("^", text))
    text = text.strip()
    return re.sub("[\u2010-\u2015\u2212]", "-", text)


def fold(label: str) -> str:
    """Return a label for comparison: without case, accents, punctuation; an umlaut as two letters."""
    text = label.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", text).strip()


class Wording:
    """What the labels of one file mean.

    A label of the user's own counts as it is written, even where it is a number or a code of a missing rating. In
    another case, without accents or with other punctuation it counts where only one label is meant: of ``+`` and ``++``
    nothing is left without punctuation.
    """

    def __init__(self, options: ReadOptions) -> None:
        values = options.used_scale.categories or ()
        self.own = bool(options.labels)
        self._written: dict[str, float] = {}
        self._forms: dict[str, tuple[float, str]] = {}
        if self.own:
            self._written = {
                clean(label).casefold(): value for label, value in zip(options.labels, values, strict=True)
            }
            self._add(options.labels, values, OWN)
        elif len(values) == len(ACR["en"]):
            for method, languages in (("acr", ACR), ("dcr", DCR)):
                for labels in languages.values():
                    self._add(labels, values, method)

    def written(self, text: str) -> float | None:
        """Return the number of a label of the user's own that is written so, apart from its case."""
        return self._written.get(clean(text).casefold())

    def is_own(self, text: str) -> bool:
        """Return whether a text is a label of the user's own, in any writing."""
        return self.own and (self.written(text) is not None or self.find(text) is not None)

    def find(self, text: str) -> tuple[float, str] | None:
        """Return the number of a label in any writing, and of which scale it is."""
        return self._forms.get(fold(text))

    def _add(self, labels: tuple[str, ...], values: tuple[float, ...], method: str) -> None:
        doubtful: set[str] = {""}
        for label, value in zip(labels, values, strict=True):
            for form in _forms(label):
                if self._forms.setdefault(form, (value, method))[0] != value:
                    doubtful.add(form)
        for form in doubtful:
            self._forms.pop(form, None)


def _forms(label: str) -> tuple[str, str]:
    """Return a label for comparison with its umlauts written as two letters, and as one."""
    return fold(label), fold(
        "".join(c for c in unicodedata.normalize("NFKD", label) if not unicodedata.combining(c))
    )
