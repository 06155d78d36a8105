"""Deleting a participant, or what may tie answers to a person: each function is one transaction."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from survey.access.audit import PARTICIPANT, record
from survey.access.locking import locked
from survey.models import Invitation, OwnAnswer, Participant, Recruit, Study
from survey.study import stored, votes


def withdraw(participant: Participant, *, asked_at_desk: bool = False) -> None:
    """Delete a participant with every answer and all else that is known of them.

    Where the study is over, the log keeps that its results changed; what was asked for at the desk is logged there.
    """
    with transaction.atomic():
        # Its row first, as every start does.
        study = locked(Study.objects, participant.study_id)
        if study.is_over and not participant.is_preview and not asked_at_desk:
            record("participant.leave", study, PARTICIPANT)
        # An answer on its way is written first, and deleted, or finds its trial gone.
        list(Participant.objects.select_for_update().filter(pk=participant.pk))
        votes.forget(participant)
        stored.forget(study)
        participant.delete()


def withdraw_by_code(study: Study, code: str) -> bool:
    """Delete the participant whose withdrawal code this is; False when there is none. Case and spaces do not count."""
    wanted = "".join(code.split()).replace("-", "").upper()
    person = Participant.objects.filter(study=study, withdrawal=wanted).first() if wanted else None
    if person is None:
        return False
    withdraw(person)
    return True


def purge_expired(today: dt.date) -> int:
    """Delete what may tie answers to a person in every study whose purge date has come; return how many people.

    Gone are cookies, withdrawal codes, invitations, platform ids, what people said of themselves, and what they wrote
    about images in their own words; ratings and choices stay, and nobody can tell whose they are.
    """
    return sum(purge(study, None) for study in due(today))


def overdue() -> QuerySet[Study]:
    """Return those that are late by a day: the site deletes within minutes, so something is broken."""
    return due(timezone.localdate() - dt.timedelta(days=1))


def due(today: dt.date) -> QuerySet[Study]:
    """Return the studies whose purge date has come, and which still hold what ties answers to a person."""
    # What people wrote goes in the transaction that takes their cookies, and nobody writes without one.
    people = Participant.objects.filter(study=OuterRef("pk"), token__isnull=False)
    others = (model.objects.filter(study=OuterRef("pk")) for model in (Recruit, Invitation))
    holds = Q(Exists(people))
    for rows in others:
        holds |= Q(Exists(rows))
    return Study.objects.filter(holds, purge_on__lte=today)


@transaction.atomic
def purge(study: Study, by: User | None) -> int:
    """Do what `purge_expired` does to one study, whatever its purge date; `by` is None for a command."""
    recruits, _ = Recruit.objects.filter(study=study).delete()
    invitations, _ = Invitation.objects.filter(study=study).delete()
    people = Participant.objects.filter(study=study, token__isnull=False)
    count = people.update(token=None, withdrawal=None, screening=None, before=None, about=None)
    # Words may tell who wrote them, or of others.
    OwnAnswer.objects.filter(trial__participant__study=study).exclude(words="").delete()
    stored.forget(study)
    if count or recruits or invitations:
        record("study.purge", study, by, participants=count, recruits=recruits, invitations=invitations)
    return count
