"""Opinion scores: from a tidy table of ratings to what a reviewer asks. No Django here.

A name below is imported when it is first used: scipy and its like take a second, and the tables need only scales.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from survey.analysis.analysis import Analysis, QuestionAnalysis, analyse
    from survey.analysis.reading.options import OptionError, ReadOptions
    from survey.analysis.reading.read import read_ratings
    from survey.analysis.table import Ratings, TableError, check

# The module of each name.
_LAZY = {
    **dict.fromkeys(("Analysis", "QuestionAnalysis", "analyse"), "analysis"),
    **dict.fromkeys(("OptionError", "ReadOptions"), "reading.options"),
    "read_ratings": "reading.read",
    **dict.fromkeys(("Ratings", "TableError", "check"), "table"),
}

__all__ = [
    "Analysis",
    "OptionError",
    "QuestionAnalysis",
    "Ratings",
    "ReadOptions",
    "TableError",
    "analyse",
    "check",
    "read_ratings",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
