"""A study file: TOML text to a checked `Definition` and back, with each fault at its line."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import tomli_w
from pydantic import ValidationError

from generator.plans.complaints import in_words, place_of
from generator.plans.toml import TomlError, read_toml, toml_text
from survey.study.definition import Definition
from survey.study.parts import Part

#: How many faults are told at once: whoever has more fixes these first.
MAX_FAULTS: Final = 30
# Possessive: no line, however long, takes more than one look at each of its characters.
_HEADER: Final = re.compile(r"\s*+(\[\[?)([^\[\]]++)\]\]?\s*+(#.*)?$")
_PART: Final = r"""(?:[\w-]++|"[^"]*+"|'[^']*+')"""
_KEY: Final = re.compile(rf"\s*+({_PART}(?:\s*+\.\s*+{_PART})*+)\s*+=")
_SYNTAX: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class DefinitionError(Exception):
    """A study file that cannot be used; `lines` says, one for each fault, where and how to mend it."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Fault(NamedTuple):
    """What is wrong, and on which line (from 1); None where no line of the text is to blame."""

    line: int | None
    message: str


def load(path: Path) -> Definition:
    """Read a study file.

    Raises:
        DefinitionError: unreadable, not TOML, or not a study; one line for each fault.
    """
    try:
        return parse(toml_text(path.read_bytes()), str(path))
    except OSError as error:
        raise DefinitionError([f"{path}: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise DefinitionError([f"{path}: is not UTF-8 text; a study file is a TOML file"]) from error


def parse(text: str, source: str) -> Definition:
    """Check a study file's text; `source` names it in faults. Raises DefinitionError."""
    try:
        values = read_toml(text)
    except TomlError as error:
        raise DefinitionError([f"{source}: not TOML: {error}"]) from error
    try:
        return Definition.model_validate(values)
    except ValidationError as error:
        raise DefinitionError([f"{source}: {line}" for line in faults(error)]) from error


def faults(error: ValidationError) -> list[str]:
    """Return one line for each place of the file that is wrong, of the first MAX_FAULTS."""
    lines: dict[str, str] = {}
    for fault in error.errors()[:MAX_FAULTS]:
        loc, place = fault["loc"], place_of(fault)
        message = in_words(fault)
        if fault["type"] == "extra_forbidden":
            message = "no such key" + _meant(str(loc[-1]), _keys_of_table(list(loc[:-1])))
        elif fault["type"] == "literal_error":
            message += _meant(str(fault["input"]), re.findall("'([^']+)'", fault["ctx"]["expected"]))
        lines.setdefault(place, f"{place}: {message}" if place else message)
    if (more := error.error_count() - MAX_FAULTS) > 0:
        lines[""] = f"and {more} more"
    return list(lines.values())


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _keys_of_table(path: list[Any]) -> list[str]:
    """Return the keys of the table at `path`, found by following the models' fields."""
    table: type[Part] = Definition
    for part in path:
        if part in table.model_fields:
            table = next(_tables_in(table.model_fields[part].annotation), table)
    return list(table.model_fields)


def _tables_in(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for each in get_args(annotation):
        yield from _tables_in(each)


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
