"""Groups of participants who were shown or asked different things, compared with one another."""

from __future__ import annotations

from survey.analysis.groups.compare import GROUP_COLUMNS, Comparison, GroupComparison
from survey.analysis.groups.sessions import sessions_by_group

__all__ = ["GROUP_COLUMNS", "Comparison", "GroupComparison", "sessions_by_group"]
