"""Why a step is refused, and how long after the end of a study answers are still taken."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from survey.models import Participant, Study, Trial
from survey.study.definition import definition_of


class Refused(Exception):
    """A step that cannot be taken; `code` says why in one word, for the page to say it in the reader's language."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TooLate(Refused):
    """An answer that was given, or came, after its session or its study had ended."""

    def __init__(self) -> None:
        super().__init__("ended")


class BadAnswer(Exception):
    """Answers that are missing or are not on the scale; `questions` are their keys."""

    def __init__(self, questions: list[str]) -> None:
        super().__init__(f"no valid answer to {', '.join(questions)}")
        self.questions = questions


def check_open(study: Study) -> None:
    if study.state != Study.State.OPEN or study.is_over:
        raise Refused("closed")


def check_in_time(trial_pk: int, waited_ms: int) -> None:
    """Raise TooLate unless an answer was given before the end and comes within the study's grace time.

    When it was given is the page's word (`waited_ms`), which no server can check: the grace time bounds what a false
    one is worth, and an image first shown after the end has no answer from before it.
    """
    rows = Trial.objects.select_related("participant__study", "participant__version")
    trial, now = rows.get(pk=trial_pk), timezone.now()
    person = trial.participant
    end = _end_of(person)
    given = now - dt.timedelta(milliseconds=waited_ms)
    is_late = end is None or given >= end or now > end + _grace(person)
    if is_late or (trial.shown_at and end and trial.shown_at > end):
        raise TooLate


def _end_of(person: Participant) -> dt.datetime | None:
    """Return when a session that takes no more answers ended: it stopped, or its study did. None for long ago."""
    ends = []
    if person.state != Participant.State.ACTIVE:
        ends.append(person.last_seen_at if person.state == Participant.State.STOPPED else None)
    if person.study.is_over and not person.is_preview:
        ends.append(person.study.over_since)
    return None if None in ends else min((end for end in ends if end), default=None)


def _grace(person: Participant) -> dt.timedelta:
    return dt.timedelta(minutes=definition_of(person.version).limits.grace_minutes)


def is_frozen(person: Participant) -> bool:
    """Return whether the study is over and its grace time too: of this session only a deletion is written."""
    if not person.study.is_over or person.is_preview:
        return False
    end = person.study.over_since
    return end is None or timezone.now() > end + _grace(person)
