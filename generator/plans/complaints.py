"""Errors of pydantic in the words of whoever wrote the file: "must be a whole number, not 'eight'"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from pydantic import AfterValidator
from pydantic_core import ErrorDetails

MISSING: Final = "is missing"
_WHOLE: Final = "must be a whole number"
_NUMBER: Final = "must be a number"
_SWITCH: Final = "must be true or false"
_LIST: Final = "must be a list in brackets"
_TABLE: Final = "must be a table of keys and values"
_DATE: Final = "must be a date without a time, such as 2026-12-31"
_WORDS: Final = {
    "missing": MISSING,
    "string_type": "must be text in quotes",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "too_long": "must have at most {max_length} entries",
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "literal_error": "must be {expected}",
}
# Their value says nothing more, or is long.
_WITHOUT_VALUE: Final = {
    "missing",
    "string_too_long",
    "string_too_short",
    "too_short",
    "too_long",
    "value_error",
}


def in_words(error: ErrorDetails) -> str:
    """Return what is wrong with a value, such as "must be at least 1, not 0"; the place is told beside it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in ("string_too_short", "too_short"):
        words = "must not be empty" if context["min_length"] == 1 else _at_least(kind, context)
    elif kind in _WORDS:
        words = _WORDS[kind].format_map({name: _plain(value) for name, value in context.items()})
    else:
        words = error["msg"]
    return words if kind in _WITHOUT_VALUE else f"{words}, not {_shortened(error['input'])}"


def place_of(error: ErrorDetails) -> str:
    """Return where the value stands, such as `questions.2.key`; entries of lists count from 1."""
    # A union reports its branches as parts of the path ("constrained-str", "dict[...]"): no places of the file.
    parts = [part for part in error["loc"] if isinstance(part, int) or not re.search(r"\[|str$", part)]
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in parts)


def matching(pattern: str, words: str) -> AfterValidator:
    """Return a check that a text matches a pattern as a whole; `words` say what it must be ("must be ...")."""
    compiled: Callable[[str], Any] = re.compile(pattern).fullmatch

    def check(text: str) -> str:
        if not compiled(text):
            raise ValueError(f"{words}, not {_shortened(text)}")
        return text

    return AfterValidator(check)


def _at_least(kind: str, context: dict[str, Any]) -> str:
    unit = "characters" if kind == "string_too_short" else "entries"
    return f"must have at least {context['min_length']} {unit}"


def _plain(value: object) -> object:
    """Return a bound as people write it: 1.0 is 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shortened(value: object) -> str:
    """Return a value as TOML has it, or its beginning."""
    text = str(value) if isinstance(value, dt.date) else repr(value)
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= 80 else f"{text[:80]}…"
