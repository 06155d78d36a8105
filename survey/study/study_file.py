"""A study's definition as TOML text, there and back, with each fault at its line."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, NamedTuple

import tomli_w

from survey.study.definition import Definition, DefinitionError

# Possessive: no line, however long, takes more than one look at each of its characters.
_HEADER: Final = re.compile(r"\s*+(\[\[?)([^\[\]]++)\]\]?\s*+(#.*)?$")
_PART: Final = r"""(?:[\w-]++|"[^"]*+"|'[^']*+')"""
_KEY: Final = re.compile(rf"\s*+({_PART}(?:\s*+\.\s*+{_PART})*+)\s*+=")
_SYNTAX: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Fault(NamedTuple):
    """What is wrong, and on which line (from 1); None where no line of the text is to blame."""

    line: int | None
    message: str


def to_toml(definition: Definition) -> str:
    """Return the shortest file that says the same: what has its default is left out."""
    values = definition.model_dump(exclude_none=True, exclude_defaults=True)
    return tomli_w.dumps(values, multiline_strings=True)


def located(text: str, error: DefinitionError, source: str) -> list[Fault]:
    """Return a study file's faults, in the order of the lines of `text` that they are about."""
    found = []
    for line in error.lines:
        message = line.removeprefix(f"{source}: ")
        if syntax := _SYNTAX.search(message):
            found.append(Fault(int(syntax[1]) if syntax[1] else len(text.splitlines()), message))
        else:
            found.append(Fault(line_of(text, message.partition(": ")[0]), message))
    return sorted(found, key=lambda fault: fault.line or 0)


def line_of(text: str, place: str) -> int | None:
    """Return the line (from 1) where `place` stands (`consent.minutes`, `questions.2.key`), or its nearest parent."""
    wanted = place.split(".")
    best, line_of_best = 0, None
    table: list[str] = []
    seen: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        here = table
        if header := _HEADER.match(line):
            table = here = _parts(header[2])
            if header[1] == "[[":
                name = header[2].strip()
                seen[name] += 1
                table = here = [*table, str(seen[name])]
        elif key := _KEY.match(line):
            here = table + _parts(key[1])
        else:
            continue
        shared = _shared(here, wanted)
        # A parent's line serves only as a whole: `consent` for `consent.minutes`, never `consent.version`.
        if shared == len(here) and shared > best:
            best, line_of_best = shared, number
    return line_of_best


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _shared(here: list[str], wanted: list[str]) -> int:
    count = 0
    for mine, theirs in zip(here, wanted, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
