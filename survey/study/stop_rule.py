"""The rule by which a study pauses itself, as its study file says it: `half width 0.25` or `60 sessions`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from survey.analysis.scale import Scale, number_text

Kind = Literal["half width", "sessions"]

MAX_SESSIONS: Final = 10_000_000
#: Half widths of scores in log odds that make sense: at 0.05 the better of two equals is chosen in 51 %, at 2.5 in 92 %.
LOG_ODDS: Final = (0.05, 2.5)
_HALF_WIDTH: Final = re.compile(r"half[ _-]width\s+(\d{1,12}(?:\.\d{1,12})?)")
_SESSIONS: Final = re.compile(r"(\d{1,9})\s+sessions?")
#: What rules on differences are made of: a test, its p, or the difference itself.
_ON_SIGNIFICANCE: Final = re.compile(
    r"signific|differ|alpha|\bp\b|\bp\s*[<=≤.]|p-?value|\btest\b|<\s*\.?0?\.\d|\bbetter\b"
)
ON_SIGNIFICANCE: Final = (
    "stopping at a significant difference finds differences that are not there: with a look after each person, "
    '29 of 100 studies without any show one instead of 5; write "half width 0.25" or "60 sessions"'
)
UNKNOWN: Final = 'write "half width 0.25" or "60 sessions", not {!r}'


@dataclass(frozen=True)
class StopRule:
    """Pause when every image's 95 % interval reaches `number` points or less, or when `number` sessions are finished.

    Points are those of each question's own scale; in a pair study they are log odds.
    """

    kind: Kind
    number: float

    def __str__(self) -> str:
        number = number_text(self.number)
        if self.kind == "half width":
            return f"half width {number}"
        return f"{number} session{'s' * (self.number != 1)}"

    @property
    def in_words(self) -> str:
        """What the rule waits for, to follow "when"."""
        number = number_text(self.number)
        if self.kind == "half width":
            return f"every image’s score is known to ± {number}"
        return f"{number} session{'s are' if self.number != 1 else ' is'} finished"

    def misfit(self, scale: Scale) -> str:
        """Return why a half width cannot be reached, or says nothing, on a scale; "" where it fits."""
        least, most = scale.range / 80, scale.range / 2
        return self._outside(f"on the scale {scale.describe()}", least, most)

    @property
    def misfit_of_pairs(self) -> str:
        """Return why a half width cannot be reached, or says nothing, for scores in log odds; "" where it fits."""
        return self._outside("of a score from pairs, in log odds,", *LOG_ODDS)

    def _outside(self, of: str, least: float, most: float) -> str:
        if self.kind == "sessions" or least <= self.number <= most:
            return ""
        return (
            f"a half width {of} is {number_text(round(least, 6))} to "
            f"{number_text(round(most, 6))}, not {number_text(self.number)}"
        )


def parse_stop_rule(text: str) -> StopRule:
    """Read a rule.

    Raises:
        ValueError: It is none, or one on significance; the message says why and what to write.
    """
    said = " ".join(text.casefold().split())
    if found := _HALF_WIDTH.fullmatch(said):
        return StopRule("half width", float(found[1]))
    if found := _SESSIONS.fullmatch(said):
        if not 1 <= int(found[1]) <= MAX_SESSIONS:
            raise ValueError(f"1 to {MAX_SESSIONS} sessions, not {found[1]}")
        return StopRule("sessions", int(found[1]))
    raise ValueError(ON_SIGNIFICANCE if _ON_SIGNIFICANCE.search(said) else UNKNOWN.format(text))


def canonical_stop_rule(text: str) -> str:
    """Return a rule as `StopRule` writes it, so that the same rule has the same hash."""
    return str(parse_stop_rule(text))
