"""How far a participant is: which trials wait for an answer, and which come next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Case, Count, F, PositiveSmallIntegerField, Q, When
from django.utils import timezone

from survey.models import Participant, Trial
from survey.session.rating_sql import Upcoming, read_upcoming

#: What a sign of life makes of a session that was reviewed as over.
BACK: Final = Case(
    When(review=Participant.Review.OVER, then=Participant.Review.BACK.value),
    default=F("review"),
    output_field=PositiveSmallIntegerField(),
)


#: A sign of life is noted again after so long: a page that comes right behind another tells nothing new.
_NOTED_FOR: Final = dt.timedelta(seconds=30)


@dataclass(frozen=True)
class SessionProgress:
    """`saved` of `total` trials have an answer in the database (or a reason for none); `practice` of all are practice."""

    saved: int
    total: int
    practice: int


def next_trial(participant: Participant) -> Trial | None:
    """Return the first trial that waits for an answer, with its stimuli, or None when all are done."""
    waiting = participant.trials.filter(outcome=Trial.Outcome.OPEN)
    return waiting.select_related("stimulus", "other").order_by("position").first()


def waits(participant: Participant) -> bool:
    """Return whether a trial waits for an answer."""
    return participant.trials.filter(outcome=Trial.Outcome.OPEN).exists()


def upcoming(participant: Participant, count: int) -> list[Upcoming]:
    """Return the next `count` trials that wait for an answer, with what a page shows of their stimuli."""
    return read_upcoming(participant.pk, count)


def breaks_before(participant: Participant, trials: Sequence[Upcoming]) -> list[bool]:
    """Return of each trial whether it is the first of a block that follows another: a break stands before it."""
    if not any((trial.block or 0) > 1 for trial in trials):
        return [False] * len(trials)
    blocks = dict(participant.trials.order_by().values_list("position", "block"))
    return [(trial.block or 0) > 1 and blocks.get(trial.position - 1) != trial.block for trial in trials]


def progress(participant: Participant) -> SessionProgress:
    """Return how far a participant is, by what the database holds."""
    counts = participant.trials.aggregate(
        saved=Count("pk", filter=~Q(outcome=Trial.Outcome.OPEN)),
        total=Count("pk"),
        practice=Count("pk", filter=Q(phase=Trial.Phase.PRACTICE)),
    )
    return SessionProgress(**counts)


def seen(participant: Participant, trial: Upcoming | None = None) -> None:
    """Note that a participant is here, and that a trial's page was sent to them for the first time."""
    now = timezone.now()
    known = participant.review != Participant.Review.OVER and participant.last_seen_at > now - _NOTED_FOR
    shows = trial is not None and not trial.was_shown
    if known and not shows:
        return
    # Together: each transaction waits for the disk, and on SQLite for everybody's.
    with nullcontext() if known else transaction.atomic():
        if not known:
            Participant.objects.filter(pk=participant.pk).update(last_seen_at=now, review=BACK)
        if trial is not None and shows:
            Trial.objects.filter(pk=trial.pk, shown_at__isnull=True).update(shown_at=now)
