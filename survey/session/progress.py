"""How far a participant is: which trials wait for an answer, and which come next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Case, Count, F, PositiveSmallIntegerField, Q, When
from django.utils import timezone

from survey.models import Participant, Trial

#: What a sign of life makes of a session that was reviewed as over.
BACK: Final = Case(
    When(review=Participant.Review.OVER, then=Participant.Review.BACK.value),
    default=F("review"),
    output_field=PositiveSmallIntegerField(),
)


@dataclass(frozen=True)
class SessionProgress:
    """`saved` of `total` trials have an answer in the database (or a reason for none); `practice` of all are practice."""

    saved: int
    total: int
    practice: int


def next_trial(participant: Participant) -> Trial | None:
    """Return the first trial that waits for an answer, with its stimuli, or None when all are done."""
    return next(iter(upcoming(participant, 1)), None)


def waits(participant: Participant) -> bool:
    """Return whether a trial waits for an answer."""
    return participant.trials.filter(outcome=Trial.Outcome.OPEN).exists()


def upcoming(participant: Participant, count: int) -> list[Trial]:
    """Return the next `count` trials that wait for an answer, with their stimuli."""
    waiting = participant.trials.filter(outcome=Trial.Outcome.OPEN)
    return list(waiting.select_related("stimulus", "other").order_by("position")[:count])


def breaks_before(participant: Participant, trials: Sequence[Trial]) -> list[bool]:
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


def seen(participant: Participant, trial: Trial | None = None) -> None:
    """Note that a participant is here, and that a trial's page was sent to them for the first time."""
    now = timezone.now()
    Participant.objects.filter(pk=participant.pk).update(last_seen_at=now, review=BACK)
    if trial is not None:
        Trial.objects.filter(pk=trial.pk, shown_at__isnull=True).update(shown_at=now)
