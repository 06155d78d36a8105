"""Opinion scores: from a tidy table of ratings to what a reviewer asks. No Django here."""

from __future__ import annotations

from survey.analysis.analysis import Analysis, analyse
from survey.analysis.table import Ratings, TableError, check, read_csv

__all__ = ["Analysis", "Ratings", "TableError", "analyse", "check", "read_csv"]
