"""The answers of a participant: rate, skip and undo, each in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from survey.access.locking import locked
from survey.models import OwnAnswer, Participant, Preference, Rating, Study, StudyVersion, Trial
from survey.session import own_answers, rating_sql
from survey.session.rating_sql import AnswerTarget, Upcoming
from survey.session.refusals import BadAnswer, Refused, check_in_time
from survey.study.definition import definition_of
from survey.study.own_questions import CHOICES, Answer
from survey.study.scales import rating_on

#: How many answers can be undone, counted back from the newest.
UNDO_DEPTH: Final = 3
#: "reported": without JavaScript only the person can see that an image is not there.
SKIP_REASONS: Final = frozenset({"failed", "truncated", "reported"})


@dataclass(frozen=True)
class Showing:
    """How an image was shown and answered, as the page measured it; None for what it could not tell.

    `waited_ms` is how long a stored answer waited for the network before it was sent.
    """

    rt_ms: int | None = None
    waited_ms: int = 0
    changes: int = 0
    input: str = ""
    viewport_w: int | None = None
    viewport_h: int | None = None
    shown_w: float | None = None
    shown_h: float | None = None
    dpr: float | None = None
    zoom: float | None = None
    enlarged: int | None = None
    load_ms: int | None = None


def rate(
    token: str,
    answers: Mapping[str, Any],
    *,
    own: Mapping[str, Sequence[str]] | None = None,
    revision: int = 0,
    showing: Showing | None = None,
) -> AnswerTarget:
    """Keep the answers to one trial: all questions or none, once.

    The token alone says whose trial it is, so that an answer is kept even when the cookie is lost. Sent again (double
    click, lost reply, second tab), the answers change nothing and the trial is returned as after the first time; only
    `undo` opens a trial again, with the next `revision`.

    Args:
        answers: by question key; a number on its scale, or text of one ("first", "second", "tie" in a pair study).
        own: what a form sent for the study's own questions about the image, by their keys.

    Raises:
        Trial.DoesNotExist: no such token.
        BadAnswer: an answer is missing or not on the scale.
        TooLate: the session or the study had ended before it was given, or its grace time is over.
    """
    showing = showing or Showing()
    with transaction.atomic():
        target, is_open = _take(token, revision, showing)
        if not is_open:
            return target
        pair = target.method == Study.Method.PAIR
        values, own_values = _checked(target, answers, own or {}, pair)
        for question, key, _ in target.questions:
            _keep(Preference if pair else Rating, target, question, values[key], showing)
        _keep_own(target, own_values)
        return _close(target, Trial.Outcome.RATED, showing)


def skip(token: str, reason: str, *, revision: int = 0, showing: Showing | None = None) -> AnswerTarget:
    """Pass over a trial whose image could not be shown, for one of SKIP_REASONS; nothing if it is answered already.

    Raises Trial.DoesNotExist for an unknown token, Refused("reason") for another reason, TooLate as `rate` does.
    """
    if reason not in SKIP_REASONS:
        raise Refused("reason")
    showing = showing or Showing()
    with transaction.atomic():
        target, is_open = _take(token, revision, showing)
        if not is_open:
            return target
        return _close(target, Trial.Outcome.SKIPPED, showing, reason)


def undo(participant: Participant) -> Trial | None:
    """Open the last answered trial again (its answers stay until given anew); None when there is none to undo.

    After the last image too: a finished session then waits for that answer. Raises Refused("closed") where the study
    shows no images: the answer could not be given anew.
    """
    with transaction.atomic():
        person = locked(Participant.objects, participant.pk)
        study = Study.objects.get(pk=person.study_id)
        if not person.is_preview and (study.is_over or study.state != Study.State.OPEN):
            raise Refused("closed")
        trial = undoable(person)
        if trial is None or person.state not in (Participant.State.ACTIVE, Participant.State.FINISHED):
            return None
        if person.state == Participant.State.FINISHED:
            person.state, person.finished_at = Participant.State.ACTIVE, None
            person.save(update_fields=["state", "finished_at"])
        trial.outcome = Trial.Outcome.OPEN
        trial.revision += 1
        trial.save(update_fields=["outcome", "revision"])
        return trial


def undoable(participant: Participant) -> Trial | None:
    """Return the trial that `undo` would open: rated, before the current one, among the last UNDO_DEPTH answered."""
    answered = participant.trials.filter(answered_at__isnull=False).order_by("-position")
    for trial in answered[:UNDO_DEPTH]:
        if trial.outcome == Trial.Outcome.RATED:
            return trial
    return None


def given_answers(trials: Iterable[Upcoming]) -> dict[int, dict[str, float | str]]:
    """Return {trial: {question: answer}} of trials that undo has opened again: what was chosen before."""
    again = [trial.pk for trial in trials if trial.revision]
    given: dict[int, dict[str, float | str]] = {}
    for kind in (Rating, Preference) if again else ():
        rows = kind.objects.filter(trial__in=again).values_list("trial", "question__key", "value")
        for trial, key, value in rows:
            given.setdefault(trial, {})[key] = value
    return given


def given_own(trials: Iterable[Upcoming]) -> dict[int, dict[str, list[str]]]:
    """Return {trial: {own question: what its form sent}} of trials that undo has opened again."""
    again = [trial.pk for trial in trials if trial.revision]
    rows = OwnAnswer.objects.filter(trial__in=again).select_related("trial__participant__version")
    given: dict[int, dict[str, list[str]]] = {}
    for row in rows if again else ():
        version = row.trial.participant.version
        first, asked = own_answers.asked_of_images(version.pk, version.sha256)
        question = next(question for question in asked if question.key == row.key)
        given.setdefault(row.trial_id, {})[row.key] = question.values_of(row.answer, first)
    return given


def _take(token: str, revision: int, showing: Showing) -> tuple[AnswerTarget, bool]:
    """Return a trial, locked for its answer, and whether it still waits for one. Raises as `rate` does."""
    target = rating_sql.take(token, timezone.now())
    if target.group:
        asked = asked_of_group(target.version, target.sha256, target.group)
        target = replace(target, questions=tuple(one for one in target.questions if one[1] in asked))
    is_open = target.outcome == Trial.Outcome.OPEN and revision == target.revision
    if is_open and target.ended:
        check_in_time(target.trial, showing.waited_ms)
    return target, is_open


@lru_cache(maxsize=256)
def asked_of_group(version: int, sha256: str, group: str) -> frozenset[str]:
    """Return the keys of the questions that a version asks a group. Kept for each hash: a version does not change."""
    definition = definition_of(StudyVersion.objects.get(pk=version, sha256=sha256))
    return frozenset(question.key for question in definition.for_group(group).questions)


def _checked(
    target: AnswerTarget, answers: Mapping[str, Any], own: Mapping[str, Sequence[str]], pair: bool
) -> tuple[dict[str, Any], dict[str, Answer]]:
    found: dict[str, Any] = {}
    for _, key, scale in target.questions:
        given = answers.get(key)
        if pair:
            found[key] = str(given) if given in Preference.Choice.values else None
        else:
            found[key] = rating_on(scale, given)
    first, asked = own_answers.asked_of_images(target.version, target.sha256)
    own_values, bad = own_answers.read(asked, own, first)
    if bad := [key for key, value in found.items() if value is None] + bad:
        raise BadAnswer(bad)
    return found, own_values


def _keep_own(target: AnswerTarget, answers: Mapping[str, Answer]) -> None:
    """Write the answers to the study's own questions; after an undo they take the place of those before."""
    if target.revision:
        OwnAnswer.objects.filter(trial=target.trial).delete()
    if not answers:
        return
    _, asked = own_answers.asked_of_images(target.version, target.sha256)
    chosen = {question.key for question in asked if question.answer in CHOICES}
    OwnAnswer.objects.bulk_create(
        OwnAnswer(trial_id=target.trial, key=key, **({"chosen": said} if key in chosen else {"words": said}))
        for key, said in answers.items()
    )


def _keep(
    kind: type[Rating] | type[Preference], target: AnswerTarget, question: int, value: Any, showing: Showing
) -> None:
    """Write one answer; after an undo the first one given is kept beside the new one."""
    # Never opened again, a trial has no answer yet.
    given = kind.objects.filter(trial=target.trial, question=question).first() if target.revision else None
    if given is None:
        rating_sql.keep(kind, target, question, value, showing.changes, showing.rt_ms, showing.input)
        return
    given.value = value
    given.changes += 1 + showing.changes
    given.rt_ms, given.input = showing.rt_ms, showing.input
    given.save()


def _close(target: AnswerTarget, outcome: str, showing: Showing, reason: str = "") -> AnswerTarget:
    """Close a trial, and keep how it was shown. Times are the server's, less what the page says it waited."""
    answered = timezone.now() - dt.timedelta(milliseconds=showing.waited_ms)
    shown = None if showing.rt_ms is None else answered - dt.timedelta(milliseconds=showing.rt_ms)
    names = ("viewport_w", "viewport_h", "shown_w", "shown_h", "dpr", "zoom", "enlarged", "load_ms")
    rating_sql.close(target, outcome, reason, answered, shown, [getattr(showing, name) for name in names])
    return replace(target, outcome=outcome, saved=target.saved + 1)
