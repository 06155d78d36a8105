"""Many participants left out of the results at once, and counted again: after somebody stuffed the ballot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.access.locking import locked
from survey.models import Exclusion, Participant, Study, new_token
from survey.study.decisions import checked_reason

Came = Literal["", "invited", "uninvited"]
CAME: Final[dict[Came, str]] = {
    "": "in any way",
    "invited": "by a personal link",
    "uninvited": "by the open link",
}


@dataclass(frozen=True)
class Choice:
    """Which participants are meant: all who fit every part that is given.

    Attributes:
        since, until: when they started, both included.
        came: by which kind of link.
        invitation: the token of the single-use link that they came by; "" for any.
        codes: only these, such as the flagged; None for no such bound.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    came: Came = ""
    invitation: str = ""
    codes: Collection[str] | None = None


def chosen(study: Study, choice: Choice) -> QuerySet[Participant]:
    """Return whom a choice means of those who count now; previews never do."""
    left_out = Exclusion.in_force(study)
    people = study.participants.filter(is_preview=False).exclude(pk__in=left_out.values("participant"))
    if choice.since:
        people = people.filter(started_at__gte=choice.since)
    if choice.until:
        people = people.filter(started_at__lte=choice.until)
    if choice.came:
        people = people.filter(invitation__isnull=choice.came == "uninvited")
    if choice.invitation:
        people = people.filter(invitation__token=choice.invitation)
    if choice.codes is not None:
        people = people.filter(code__in=choice.codes)
    return people.order_by("pk")


@transaction.atomic
def exclude_many(study: Study, choice: Choice, reason: str, by: User, *, expected: int | None = None) -> int:
    """Leave out all whom a choice means, as one batch that `lift_many` takes back; return how many.

    Args:
        expected: how many the researcher was told; where others came meanwhile, nothing happens.

    Raises:
        DeskError: no reason, nobody is meant, or another number than expected.
    """
    reason = checked_reason(reason)
    study = locked(Study.objects, study.pk)
    people = list(chosen(study, choice).values_list("pk", flat=True))
    if not people:
        raise DeskError("Nobody who counts fits this choice.")
    if expected is not None and len(people) != expected:
        raise DeskError(f"It is {len(people)} people now, not {expected}: look again.")
    batch = new_token()
    Exclusion.objects.bulk_create(
        (Exclusion(participant_id=pk, reason=reason, by=by, batch=batch) for pk in people), batch_size=500
    )
    record("exclusion.make_many", study, by, batch=batch, participants=len(people), choice=_in_words(choice))
    return len(people)


@transaction.atomic
def lift_many(study: Study, batch: str, by: User) -> int:
    """Count all of a batch again who are still left out; return how many. Lifting twice changes nothing."""
    in_force = Exclusion.in_force(study).filter(batch=batch)
    count = in_force.update(lifted_at=timezone.now(), lifted_by=by) if batch else 0
    if count:
        record("exclusion.lift_many", study, by, batch=batch, participants=count)
    return count


def batches(study: Study) -> list[dict[str, Any]]:
    """Return the batches in force, newest first: `batch`, `reason`, `count`, `at` and `by`."""
    in_force = Exclusion.in_force(study).exclude(batch="")
    rows: Any = in_force.order_by().values("batch", "reason")
    rows = rows.annotate(count=Count("pk"), at=Min("created_at"), by=Max("by__username"))
    return [dict(row) for row in rows.order_by("-at")]


def _in_words(choice: Choice) -> dict[str, Any]:
    """Return a choice for the log, which names no participant and holds no secret of a link."""
    return {
        "since": choice.since.isoformat() if choice.since else None,
        "until": choice.until.isoformat() if choice.until else None,
        "came": CAME[choice.came],
        "by one invitation": bool(choice.invitation),
        "flagged only": choice.codes is not None,
    }
