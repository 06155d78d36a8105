"""The names of a wide table's columns: which question each answers, and which item or participant it is of."""

from __future__ import annotations

import re
from typing import Final

from survey.analysis.reading.header import Named
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import QUESTION_WORDS, plain

GROUPED: Final = re.compile(r"^(.*?)[\s_.:/\-]*\[(.+)\]$")
"""``Text [item]``."""


def questions_of(ratings: list[str], named: Named, options: ReadOptions) -> tuple[list[str], list[str]]:
    """Split the names of rating columns into (questions, names); no questions where the columns come in no groups."""
    if named.groups:
        places = [list(named.frame.columns).index(name) for name in ratings]
        pairs = [
            (named.groups[place], str(ratings[i]).removeprefix(f"{named.groups[place]} "))
            for i, place in enumerate(places)
        ]
        return _sides(pairs)
    bracket = [GROUPED.match(name) for name in ratings]
    if all(bracket):
        pairs = [(found[1].strip(), found[2].strip()) for found in bracket if found]
        if len({group for group, _ in pairs}) > 1:
            return _sides(pairs)
        return [], [name for _, name in pairs]
    words = QUESTION_WORDS | {plain(word) for word in options.columns.get("question", "").split("+") if word}
    split = [_split_word(name, words) for name in ratings]
    if all(split) and len({part[0] for part in split if part}) > 1:
        return [part[0] for part in split if part], [part[1] for part in split if part]
    return [], list(ratings)


def _split_word(name: str, words: frozenset[str] | set[str]) -> tuple[str, str] | None:
    """Split ``img01_quality`` or ``quality.img01`` into the question and the rest."""
    for pattern in (
        r"^(?P<rest>.+?)[\s_.:/\-]+(?P<word>[^\W\d_]+(?:[ _][^\W\d_]+)?)$",
        r"^(?P<word>[^\W\d_]+(?:[ _][^\W\d_]+)?)[\s_.:/\-]+(?P<rest>.+)$",
    ):
        for found in (re.match(pattern, name), re.match(pattern.replace(r"(?:[ _][^\W\d_]+)?", ""), name)):
            if found and plain(found["word"]) in words:
                return found["word"], found["rest"]
    return None


def _sides(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return which side of the pairs is the question: the one of known words, else the one with fewer names."""
    left, right = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    if len(right) == 1 or len(left) == 1:
        return [], [pair[1] if len(left) == 1 else pair[0] for pair in pairs]
    known_left = all(plain(name) in QUESTION_WORDS for name in left)
    known_right = all(plain(name) in QUESTION_WORDS for name in right)
    swap = known_right if known_right != known_left else len(right) < len(left)
    return [pair[swap] for pair in pairs], [pair[not swap] for pair in pairs]
