"""How people came to their groups, in words for a methods section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from survey.analysis.groups import sessions_by_group
from survey.study.definition import Definition
from survey.study.groups import shares


def assignment_text(people: pd.DataFrame, definition: Mapping[str, Any]) -> str:
    """Say how people came to groups; empty without groups.

    Args:
        people: the participants' table of an export.
        definition: of the study, as stored.
    """
    sessions = sessions_by_group(people[people["excluded"].isna()])
    if sessions.empty:
        return ""
    part = shares(Definition.model_validate(definition).groups)
    even = len(set(part.values())) < 2
    ways = "evenly" if even else "in the proportion " + " : ".join(f"{name} {n}" for name, n in part.items())
    return (
        f"When they began, participants were assigned to {len(sessions)} groups ({', '.join(sessions['group'])}), each to the group with "
        f"the fewest finished and current sessions for its share, ties by lot, so that groups filled {ways}."
    )
