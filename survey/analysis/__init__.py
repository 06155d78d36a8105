"""Opinion scores: from a tidy table of ratings to what a reviewer asks. No Django here."""

from __future__ import annotations

from survey.analysis.analysis import Analysis, QuestionAnalysis, analyse
from survey.analysis.reading.options import OptionError, ReadOptions
from survey.analysis.reading.read import read_ratings
from survey.analysis.table import Ratings, TableError, check

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
