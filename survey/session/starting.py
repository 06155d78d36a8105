"""A participant's start: consent, a place in the study, the way back to it, and screening."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import salted_hmac

from survey.access.locking import locked
from survey.access.together import ask_first, ask_key, in_one_go, insert
from survey.models import Exclusion, Invitation, Participant, Recruit, Study, StudyVersion, new_token
from survey.models.keys import random_seed
from survey.session.assignment import Known, ask_known, assign
from survey.session.groups import are_full, filled, next_group
from survey.session.refusals import Refused, check_open
from survey.study.definition import Definition, definition_of
from survey.study.tables import Platform

_RETURN: Final = "survey.session.return"
#: For how long a consent form that comes again is taken for the same one; later another person may sit there.
_DOUBLE_CLICK: Final = dt.timedelta(minutes=1)
_FORM_LENGTH: Final = 20


@dataclass(frozen=True)
class Recruitment:
    """What a crowd platform's link says of who comes."""

    platform: Platform
    person: str
    session: str = ""
    assignment: str = ""


def start(
    study: Study,
    *,
    language: str = "",
    invitation: str = "",
    recruitment: Recruitment | None = None,
    form: str = "",
    preview_by: User | None = None,
    preview_group: str = "",
    is_simulated: bool = False,
    window: tuple[int, int] | None = None,
) -> Participant:
    """Take a place in a study: the participant, with all trials of the first batch drawn.

    An invitation that already has a place gets that one, so that a lost cookie loses nothing. So does a consent form
    that is sent twice: `form` is the one-time value that it carries. A preview may choose its group.

    Raises:
        Refused: "closed" (or paused, or a draft), "invitation" (needed, unknown, or its answers were deleted),
            "platform" (its person's id is needed), "begun" (that person has a place; an id alone opens none),
            "window" (too small, or not measured: CSS pixels wide and high), "full" or "busy" (the limits in all, of the
            study or of each of its groups, or within an hour, are reached).
    """
    token = _form_token(study, form)
    # The last statements and the end of the transaction are sent together, since others wait for the end.
    with ExitStack() as last_together, transaction.atomic():
        # Sessions start one after the other: balance counts the places of those before.
        found = _locked(study, token)
        study, of_form = found.study, found.of_form
        ticket = _ticket(study, invitation)
        if known := _sent_just_now(study, of_form) or (ticket and ticket.participant):
            return known
        if recruitment is not None and _is_known(study, recruitment):
            raise Refused("begun")
        definition = definition_of(found.version)
        if not (is_simulated or definition.viewing.admits(window)):
            raise Refused("window")
        # Counted once: for room, and for the group.
        counts = filled(study) if definition.groups else {}
        if preview_by is None:
            check_open(study)
            _check_welcome(study, definition, is_simulated, bool(ticket), bool(recruitment))
            if not is_simulated and (lack := lacks_room(study, definition, counts)):
                raise Refused(lack)
        seed, now = random_seed(), timezone.now()
        wished = preview_group if preview_by is not None and definition.group(preview_group) else ""
        participant = Participant(
            pk=found.key,
            study=study,
            seed=seed,
            group=wished or next_group(study, definition, seed, counts),
            # Where an earlier use of the same form has its token, this is somebody else.
            token=token if token and of_form is None else new_token(),
            version=found.version,
            language=language if language in definition.languages else definition.languages[0],
            consent_version=definition.consent.version,
            consented_at=now,
            started_at=now,
            last_seen_at=now,
            is_preview=preview_by is not None,
            is_simulated=is_simulated,
        )
        last_together.enter_context(in_one_go())
        insert(participant)
        if ticket is not None:
            # Not `save`, which demands to know at once that it found the row.
            Invitation.objects.filter(pk=ticket.pk).update(participant=participant, used_at=now)
        if recruitment is not None:
            insert(Recruit(study=study, participant=participant, **vars(recruitment)))
        assign(participant, definition.for_group(participant.group), found.known)
        return participant


class _Found(NamedTuple):
    """What a start reads at once: the study, locked, and what depends on it as it is from then on.

    `of_form` is who came by the same form before; `key` is the participant's to be, as far as the database gives one.
    """

    study: Study
    version: StudyVersion
    of_form: Participant | None
    known: Known
    key: int | None


def _locked(study: Study, token: str | None) -> _Found:
    """Return a study, its row locked until the transaction ends, and its newest version, with all that a start reads."""
    with in_one_go():
        ask_study = ask_first(Study.objects.select_for_update().filter(pk=study.pk))
        newest = StudyVersion.objects.filter(study=study).order_by("-number")
        ask_version = ask_first(newest, later=["definition"])
        ask_of_form = ask_first(Participant.objects.filter(token=token)) if token else None
        known, key = ask_known(study), ask_key(Participant)
    locked_study, version = ask_study(), ask_version()
    # It went away after the page was looked up.
    if locked_study is None or version is None:
        raise Http404("no such study")
    return _Found(locked_study, version, ask_of_form and ask_of_form(), known, key())


def _check_welcome(
    study: Study, definition: Definition, is_simulated: bool, is_invited: bool, is_recruited: bool
) -> None:
    """Refuse who may not come to an open study: people to a simulated one, and those whose link lacks what it needs."""
    if study.is_simulated and not is_simulated:
        # Answers of people and of a program must never stand in one table.
        raise Refused("closed")
    if is_simulated or is_invited:
        return
    if definition.invited_only:
        raise Refused("invitation")
    wants_id = definition.recruitment is not None and not definition.recruitment.open_to_others
    if wants_id and not is_recruited:
        raise Refused("platform")


def lacks_room(study: Study, definition: Definition, counts: Mapping[str, int] | None = None) -> str:
    """Return why nobody more may begin: "full", "busy" within the last hour, or "" for room.

    counts: how many people fill each group, where that is known.
    """
    limits, people = definition.limits, study.participants.filter(is_preview=False)
    if limits.participants:
        left_out = Exclusion.in_force(study)
        counted = people.exclude(state=Participant.State.SCREENED_OUT).exclude(
            pk__in=left_out.values("participant")
        )
        if counted.count() >= limits.participants:
            return "full"
    if are_full(study, definition, counts):
        return "full"
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    if limits.per_hour and people.filter(started_at__gt=an_hour_ago).count() >= limits.per_hour:
        return "busy"
    return ""


def _ticket(study: Study, token: str) -> Invitation | None:
    if not token:
        return None
    ticket = Invitation.objects.filter(study=study, token=token).select_related("participant").first()
    if ticket is None or (ticket.used_at and ticket.participant is None):
        raise Refused("invitation")
    return ticket


def _is_known(study: Study, recruitment: Recruitment) -> bool:
    known = Recruit.objects.filter(study=study, platform=recruitment.platform, person=recruitment.person)
    return known.exists()


def _sent_just_now(study: Study, of_form: Participant | None) -> Participant | None:
    """Return whom a consent form made if it was sent a moment ago: a double click, or a lost reply."""
    if of_form is None or of_form.study_id != study.pk or of_form.started_at < timezone.now() - _DOUBLE_CLICK:
        return None
    return of_form


def _form_token(study: Study, form: str) -> str | None:
    # Keyed, so that the page gives away no cookie, and nobody can choose one.
    if len(form) < _FORM_LENGTH:
        return None
    return salted_hmac("survey.session.form", f"{study.pk} {form}").hexdigest()[:32]


def return_token(participant: Participant) -> str:
    """Return the secret part of a person's own link, which brings them back to their session on any device."""
    return signing.dumps(participant.pk, salt=_RETURN)


def returning(study: Study, token: str) -> Participant | None:
    """Return whose link this is; None for a false one, of another study, or whose person was purged or deleted."""
    try:
        pk = signing.loads(token, salt=_RETURN)
    except signing.BadSignature:
        return None
    return Participant.objects.filter(study=study, pk=pk, token__isnull=False).first()


def screen(participant: Participant, answers: Mapping[str, str]) -> None:
    """Keep the screening's answers; where the study requires them right, a wrong one ends the session.

    Raises Refused("closed") where the study is over.
    """
    definition = definition_of(participant.version)
    if participant.study.is_over and not participant.is_preview:
        raise Refused("closed")
    with transaction.atomic():
        person = locked(Participant.objects, participant.pk)
        if person.screening is not None:
            return
        person.screening = dict(answers)
        if definition.screening.required and not passed_screening(answers):
            person.state = Participant.State.SCREENED_OUT
        person.save(update_fields=["screening", "state"])


def tell_viewing(participant: Participant, answers: Mapping[str, Any]) -> None:
    """Keep what is known of a person's screen, once.

    Raises Refused("closed") where the study is over.
    """
    if participant.study.is_over and not participant.is_preview:
        raise Refused("closed")
    Participant.objects.filter(pk=participant.pk, viewing__isnull=True).update(viewing=dict(answers))


def passed_screening(answers: Mapping[str, str]) -> bool:
    """Return whether no screening answer tells of trouble; a plate counts as read within one miss of all."""
    plates = [value for key, value in answers.items() if key.startswith("plate_")]
    misses = sum(value != "right" for value in plates)
    return answers.get("display", "yes") == "yes" and answers.get("vision", "yes") == "yes" and misses <= 1
