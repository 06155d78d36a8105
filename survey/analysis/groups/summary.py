"""The comparison of the groups in ``summary.json``."""

from __future__ import annotations

from typing import Any

from survey.analysis.groups.compare import Comparison
from survey.analysis.summary import plain

_OF_DIFFERENCE = ("estimate", "ci_low", "ci_high", "statistic", "df2", "p", "p_holm", "g")


def groups_summary(comparison: Comparison | None) -> dict[str, Any]:
    """Return the differences of people's means and of the model, and the finding in words; empty without groups."""
    if comparison is None:
        return {}
    found: dict[str, Any] = {}
    for kind, name in (("difference", "groups"), ("model", "groups_model")):
        found[name] = [
            plain({key: row[key] for key in ("group", "against", *_OF_DIFFERENCE)})
            for row in comparison.of_kind(kind).to_dict("records")
        ]
    return found | {
        "groups_finding": " ".join(comparison.sentences),
        "groups_remarks": comparison.remarks,
    }
