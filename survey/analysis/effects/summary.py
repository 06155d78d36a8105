"""The effects of the factors in ``summary.json``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from survey.analysis.effects.effects import Effects
from survey.analysis.summary import plain

_OF_TEST = ("f", "df1", "df2", "p", "p_holm", "people_p")


def effects_summary(effects: Effects | None) -> dict[str, Any]:
    """Return the tests by effect, the finding in words, and why an effect was not tested; empty without factors."""
    if effects is None:
        return {}
    tests = {}
    for row in effects.of_kind("test").to_dict("records"):
        tests[str(row["effect"])] = {
            name: None if pd.isna(row[name]) else plain(row[name]) for name in _OF_TEST
        }
    return {
        "effects": tests,
        "effects_finding": " ".join(effects.sentences),
        "effects_remarks": effects.remarks,
        "effects_ordinal_agrees": effects.ordinal.agrees,
        "effects_ordinal": effects.ordinal.sentence,
        "effects_not_tested": effects.untested,
    }
