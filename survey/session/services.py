"""One function for each change of a participant's state, each in one transaction. Views and commands call these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.db.models import Case, Count, F, PositiveSmallIntegerField, Q, When
from django.utils import timezone
from django.utils.crypto import salted_hmac

from survey.models import (
    Exclusion,
    Invitation,
    OwnAnswer,
    Participant,
    Preference,
    Rating,
    Recruit,
    Study,
    Trial,
    new_token,
)
from survey.session import own_answers, rating_sql
from survey.session.assignment import assign, has_unseen
from survey.session.rating_sql import AnswerTarget
from survey.study.definition import Definition, Platform, definition_of
from survey.study.duration import learn
from survey.study.own_questions import Answer
from survey.study.scales import rating_on
from survey.study.stopping import pause_if_enough

#: How many answers can be undone, counted back from the newest.
UNDO_DEPTH: Final = 3
#: "reported": without JavaScript only the person can see that an image is not there.
SKIP_REASONS: Final = frozenset({"failed", "truncated", "reported"})
#: What a sign of life makes of a session that was reviewed as over.
_BACK: Final = Case(
    When(review=Participant.Review.OVER, then=Participant.Review.BACK.value),
    default=F("review"),
    output_field=PositiveSmallIntegerField(),
)
_RETURN: Final = "survey.session.return"
#: For how long a consent form that comes again is taken for the same one; later another person may sit there.
_DOUBLE_CLICK: Final = dt.timedelta(minutes=1)
_FORM_LENGTH: Final = 20


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


@dataclass(frozen=True)
class Recruitment:
    """What a crowd platform's link says of who comes."""

    platform: Platform
    person: str
    session: str = ""
    assignment: str = ""


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


@dataclass(frozen=True)
class SessionProgress:
    """`saved` of `total` trials have an answer in the database (or a reason for none); `practice` of all are practice."""

    saved: int
    total: int
    practice: int


@transaction.atomic
def start(
    study: Study,
    *,
    language: str = "",
    invitation: str = "",
    recruitment: Recruitment | None = None,
    form: str = "",
    preview_by: User | None = None,
    is_simulated: bool = False,
) -> Participant:
    """Take a place in a study: the participant, with all trials of the first batch drawn.

    An invitation that already has a place gets that one, so that a lost cookie loses nothing. So does a consent form
    that is sent twice: `form` is the one-time value that it carries.

    Raises:
        Refused: "closed" (or paused, or a draft), "invitation" (needed, unknown, or its answers were deleted),
            "platform" (its person's id is needed), "begun" (that person has a place; an id alone opens none),
            "full" or "busy" (the study's limit in all, or within an hour, is reached).
    """
    # Sessions start one after the other: balance counts the places of those before.
    study = Study.objects.select_for_update().get(pk=study.pk)
    ticket = _ticket(study, invitation)
    if known := _sent_before(study, form) or (ticket and ticket.participant):
        return known
    if recruitment is not None and _is_known(study, recruitment):
        raise Refused("begun")
    version = study.version
    definition = definition_of(version)
    if preview_by is None:
        _check_open(study)
        if study.is_simulated and not is_simulated:
            # Answers of people and of a program must never stand in one table.
            raise Refused("closed")
        if definition.invited_only and ticket is None and not is_simulated:
            raise Refused("invitation")
        wants_id = definition.recruitment is not None and not definition.recruitment.open_to_others
        if wants_id and recruitment is None and ticket is None and not is_simulated:
            raise Refused("platform")
        if not is_simulated and (lack := lacks_room(study, definition)):
            raise Refused(lack)
    participant = Participant.objects.create(
        study=study,
        token=_token_of(study, form) or new_token(),
        version=version,
        language=language if language in definition.languages else definition.languages[0],
        consent_version=definition.consent.version,
        consented_at=timezone.now(),
        is_preview=preview_by is not None,
        is_simulated=is_simulated,
    )
    if ticket is not None:
        ticket.participant, ticket.used_at = participant, timezone.now()
        ticket.save(update_fields=["participant", "used_at"])
    if recruitment is not None:
        Recruit.objects.create(study=study, participant=participant, **vars(recruitment))
    assign(participant, definition)
    return participant


def lacks_room(study: Study, definition: Definition) -> str:
    """Return why nobody more may begin: "full", "busy" within the last hour, or "" for room."""
    limits, people = definition.limits, study.participants.filter(is_preview=False)
    if limits.participants:
        left_out = Exclusion.in_force(study)
        counted = people.exclude(state=Participant.State.SCREENED_OUT).exclude(
            pk__in=left_out.values("participant")
        )
        if counted.count() >= limits.participants:
            return "full"
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    if limits.per_hour and people.filter(started_at__gt=an_hour_ago).count() >= limits.per_hour:
        return "busy"
    return ""


def _check_open(study: Study) -> None:
    if study.state != Study.State.OPEN or study.is_over:
        raise Refused("closed")


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


def _sent_before(study: Study, form: str) -> Participant | None:
    """Return whom a consent form made that was sent a moment ago: a double click, or a lost reply."""
    just_now = timezone.now() - _DOUBLE_CLICK
    token = _form_token(study, form)
    return (
        Participant.objects.filter(study=study, token=token, started_at__gte=just_now).first()
        if token
        else None
    )


def _token_of(study: Study, form: str) -> str | None:
    """Return the token of whom a consent form makes; None where an earlier use of the same form has it."""
    token = _form_token(study, form)
    return None if Participant.objects.filter(token=token).exists() else token


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
        person = Participant.objects.select_for_update().get(pk=participant.pk)
        if person.screening is not None:
            return
        person.screening = dict(answers)
        if definition.screening.required and not passed_screening(answers):
            person.state = Participant.State.SCREENED_OUT
        person.save(update_fields=["screening", "state"])


def passed_screening(answers: Mapping[str, str]) -> bool:
    """Return whether no screening answer tells of trouble; a plate counts as read within one miss of all."""
    plates = [value for key, value in answers.items() if key.startswith("plate_")]
    misses = sum(value != "right" for value in plates)
    return answers.get("display", "yes") == "yes" and answers.get("vision", "yes") == "yes" and misses <= 1


def next_trial(participant: Participant) -> Trial | None:
    """Return the first trial that waits for an answer, with its stimuli, or None when all are done."""
    waiting = participant.trials.filter(outcome=Trial.Outcome.OPEN)
    return waiting.select_related("stimulus", "other").order_by("position").first()


def waits(participant: Participant) -> bool:
    """Return whether a trial waits for an answer."""
    return participant.trials.filter(outcome=Trial.Outcome.OPEN).exists()


def upcoming(participant: Participant, count: int) -> list[Trial]:
    """Return the next `count` trials that wait for an answer, with their stimuli."""
    waiting = participant.trials.filter(outcome=Trial.Outcome.OPEN)
    return list(waiting.select_related("stimulus", "other").order_by("position")[:count])


def progress(participant: Participant) -> SessionProgress:
    """Return how far a participant is, by what the database holds."""
    counts = participant.trials.aggregate(
        saved=Count("pk", filter=~Q(outcome=Trial.Outcome.OPEN)),
        total=Count("pk"),
        practice=Count("pk", filter=Q(phase=Trial.Phase.PRACTICE)),
    )
    return SessionProgress(**counts)


def given_answers(trials: Iterable[Trial]) -> dict[int, dict[str, float | str]]:
    """Return {trial: {question: answer}} of trials that undo has opened again: what was chosen before."""
    again = [trial.pk for trial in trials if trial.revision]
    given: dict[int, dict[str, float | str]] = {}
    for kind in (Rating, Preference) if again else ():
        rows = kind.objects.filter(trial__in=again).values_list("trial", "question__key", "value")
        for trial, key, value in rows:
            given.setdefault(trial, {})[key] = value
    return given


def given_own(trials: Iterable[Trial]) -> dict[int, dict[str, list[str]]]:
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


def seen(participant: Participant, trial: Trial | None = None) -> None:
    """Note that a participant is here, and that a trial's page was sent to them for the first time."""
    now = timezone.now()
    Participant.objects.filter(pk=participant.pk).update(last_seen_at=now, review=_BACK)
    if trial is not None:
        Trial.objects.filter(pk=trial.pk, shown_at__isnull=True).update(shown_at=now)


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
        target = rating_sql.take(token, timezone.now())
        if target.outcome != Trial.Outcome.OPEN or revision != target.revision:
            return target
        if target.ended:
            _check_in_time(target, showing)
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
        target = rating_sql.take(token, timezone.now())
        if target.outcome != Trial.Outcome.OPEN or revision != target.revision:
            return target
        if target.ended:
            _check_in_time(target, showing)
        return _close(target, Trial.Outcome.SKIPPED, showing, reason)


def _check_in_time(target: AnswerTarget, showing: Showing) -> None:
    """Raise TooLate unless an answer was given before the end and comes within the study's grace time.

    When it was given is the page's word (`waited_ms`), which no server can check: the grace time bounds what a false
    one is worth, and an image first shown after the end has no answer from before it.
    """
    rows = Trial.objects.select_related("participant__study", "participant__version")
    trial, now = rows.get(pk=target.trial), timezone.now()
    person = trial.participant
    end = _end_of(person)
    given = now - dt.timedelta(milliseconds=showing.waited_ms)
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


def undo(participant: Participant) -> Trial | None:
    """Open the last answered trial again (its answers stay until given anew); None when there is none to undo.

    After the last image too: a finished session then waits for that answer. Raises Refused("closed") where the study
    shows no images: the answer could not be given anew.
    """
    with transaction.atomic():
        person = Participant.objects.select_for_update().get(pk=participant.pk)
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


def tell_before(participant: Participant, answers: Mapping[str, Answer]) -> None:
    """Keep what a person answers about themselves before the images, once.

    Raises Refused("closed") where the study is over.
    """
    if participant.study.is_over and not participant.is_preview:
        raise Refused("closed")
    Participant.objects.filter(pk=participant.pk, before__isnull=True).update(before=dict(answers))


def tell_about(participant: Participant, answers: Mapping[str, Answer]) -> None:
    """Keep what a person says about themselves (an empty mapping for nothing), and finish.

    Once the study's grace time is over nothing more is kept.
    """
    with transaction.atomic():
        study = _lock_where_a_rule_may_stop(participant)
        person = Participant.objects.select_for_update().get(pk=participant.pk)
        if person.about is None and not is_frozen(person):
            person.about = dict(answers)
            person.save(update_fields=["about"])
        _finish_if_done(person, study)


def finish(participant: Participant) -> Participant:
    """Mark a participant finished if the database holds an answer to every trial and question; return their row."""
    with transaction.atomic():
        study = _lock_where_a_rule_may_stop(participant)
        person = Participant.objects.select_for_update().get(pk=participant.pk)
        _finish_if_done(person, study)
    return person


def stop_session(participant: Participant) -> None:
    """End a session early and keep its answers; nothing where the study is over for good."""
    if is_frozen(participant):
        return
    Participant.objects.filter(pk=participant.pk, state=Participant.State.ACTIVE).update(
        state=Participant.State.STOPPED, last_seen_at=timezone.now()
    )


def may_take_more(participant: Participant) -> bool:
    """Return whether `another_batch` would find images that this participant has not seen."""
    definition = definition_of(participant.version)
    return participant.batches < definition.session.batches and has_unseen(participant, definition)


def another_batch(participant: Participant) -> bool:
    """Draw a further batch for a participant who has finished one; False when there is none to be had."""
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=participant.study_id)
        person = Participant.objects.select_for_update().get(pk=participant.pk)
        definition = definition_of(person.version)
        if person.state != Participant.State.FINISHED or person.batches >= definition.session.batches:
            return False
        if not person.is_preview:
            _check_open(study)
        person.batches += 1
        if not assign(person, definition):
            return False
        person.state, person.finished_at = Participant.State.ACTIVE, None
        person.last_seen_at = timezone.now()
        person.save(update_fields=["batches", "state", "finished_at", "last_seen_at"])
        Participant.objects.filter(pk=person.pk).update(review=_BACK)
        return True


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
    in_words = {question.key for question in asked if question.answer == "text"}
    OwnAnswer.objects.bulk_create(
        OwnAnswer(
            trial_id=target.trial, key=key, **({"words": said} if key in in_words else {"chosen": said})
        )
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


def _lock_where_a_rule_may_stop(participant: Participant) -> Study | None:
    """Lock and return an open study that may pause itself now; None for any other, which nobody has to wait for.

    Before the participant's row, as everywhere. Of two sessions that end at once the second one sees the first.
    """
    if participant.is_preview or participant.state != Participant.State.ACTIVE:
        return None
    study = Study.objects.get(pk=participant.study_id)
    # The raw definition: this runs on every last page, and few studies have a rule.
    if study.state != Study.State.OPEN or not study.version.definition.get("stop_when") or waits(participant):
        return None
    return Study.objects.select_for_update().get(pk=study.pk)


def _finish_if_done(person: Participant, watched: Study | None) -> None:
    """Finish a session whose answers are all there; a `watched` study may pause itself by its rule."""
    definition = definition_of(person.version)
    frozen = is_frozen(person)
    asked = person.about is not None or not definition.asks_after or frozen
    if person.state == Participant.State.ACTIVE and asked and not waits(person):
        person.state, person.finished_at = Participant.State.FINISHED, timezone.now()
        # They gave every answer and get their code; the results of a study that is over stay as they are.
        if not frozen:
            person.save(update_fields=["state", "finished_at"])
            learn(person)
            if watched is not None:
                pause_if_enough(watched)
