"""Which group a person who starts comes to: the one that is least full for its share."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, QuerySet
from django.utils import timezone

from survey.models import Exclusion, Participant, Study
from survey.study.definition import Definition
from survey.study.groups import shares
from survey.study.votes import STALE_AFTER

_Part = TypeVar("_Part", bound=Hashable)


def filled(study: Study) -> Counter[str]:
    """Return how many people fill each group, as `filled_by` says."""
    return filled_by(study, "group")


def filled_by(study: Study, field: str, **only: Any) -> Counter[Any]:
    """Return how many people fill each value of a participant's field: finished sessions, and those that go on and are fresh.

    Sessions that went quiet or stopped early, previews, and people who were screened out or left out fill none.
    """
    people = study.participants.filter(is_preview=False, **only).order_by()
    fresh = timezone.now() - STALE_AFTER
    # Each by an index of its own: the finished ones are counted without a look at their rows.
    finished = people.filter(state=Participant.State.FINISHED)
    under_way = people.filter(state=Participant.State.ACTIVE, last_seen_at__gte=fresh)
    left_out = Exclusion.in_force(study).values("participant")
    counts: Counter[Any] = Counter()
    for some in (finished, under_way):
        counts.update(_by(field, some))
        # Fewer than those who stay, and so looked up by themselves.
        counts.subtract(_by(field, some.filter(pk__in=left_out)))
    return counts


def _by(field: str, people: QuerySet[Participant]) -> dict[Any, int]:
    return dict(people.values_list(field).annotate(Count("pk")))


@dataclass(frozen=True)
class Filling:
    """How full one group is: of `people` at most (None for no limit), so many finished and so many are at it."""

    key: str
    finished: int
    under_way: int
    people: int | None


def filling(study: Study, definition: Definition) -> list[Filling]:
    """Return how full each group is."""
    if not definition.groups:
        return []
    both, fresh = filled(study), filled_by(study, "group", state=Participant.State.ACTIVE)
    return [
        Filling(group.key, both[group.key] - fresh[group.key], fresh[group.key], group.people)
        for group in definition.groups
    ]


def open_groups(definition: Definition, counts: Mapping[str, int]) -> list[str]:
    """Return the groups that still take people."""
    return [
        group.key
        for group in definition.groups
        if group.people is None or counts.get(group.key, 0) < group.people
    ]


def are_full(study: Study, definition: Definition, counts: Mapping[str, int] | None = None) -> bool:
    """Return whether the study has groups, and none takes people. counts: what `filled` says, where that is known."""
    limited = any(group.people for group in definition.groups)
    return limited and not open_groups(definition, filled(study) if counts is None else counts)


def next_group(
    study: Study, definition: Definition, seed: int, counts: Mapping[str, int] | None = None
) -> str:
    """Return the group of a person who starts now; "" where the study has none.

    Call it with the study's row locked: of two people who start at once, the second must count the first. Where all
    groups are full, people are told so before; programs and previews go on filling them in proportion.

    Args:
        study: the study.
        definition: the version of the study that the person starts under.
        seed: decides between groups that are equally full, so that nobody can tell whose turn it is.
        counts: what `filled` says, where that is known.
    """
    if not definition.groups:
        return ""
    counts = filled(study) if counts is None else counts
    part = shares(definition.groups)
    free = open_groups(definition, counts) or list(part)
    return least_full(counts, {key: part[key] for key in free}, seed)


def least_full(counts: Mapping[_Part, int], part: Mapping[_Part, int], seed: int) -> _Part:
    """Return the group (or another part of the people) with the fewest people for its part; the seed decides between equals.

    Counting finished and fresh sessions alike keeps groups even where people drop out, and in one more than in
    another: placing at random, in turn, or by finished sessions alone does not (`tests/survey/session/test_groups.py`).
    """
    fullness = {key: counts.get(key, 0) / share for key, share in part.items()}
    least = min(fullness.values())
    return random.Random(seed).choice([key for key in part if fullness[key] == least])  # noqa: S311 - no secret
