"""Opinion scores: from a tidy table of ratings to what a reviewer asks. No Django here."""

from __future__ import annotations

from survey.analysis.analysis import Analysis, QuestionAnalysis, analyse
from survey.analysis.table import Ratings, TableError, check, read_csv

__all__ = ["Analysis", "QuestionAnalysis", "Ratings", "TableError", "analyse", "check", "read_csv"]
