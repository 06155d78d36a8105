"""The end of a session: questions about the person, the last page, a further batch."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from survey.access.locking import locked
from survey.models import Participant, Study
from survey.session.assignment import assign, has_unseen
from survey.session.progress import BACK, waits
from survey.session.refusals import Refused, check_open, is_frozen
from survey.study.definition import definition_for, definition_of
from survey.study.duration import learn
from survey.study.own_questions import Answer
from survey.study.stopping import pause_if_enough


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
        person = locked(Participant.objects, participant.pk)
        if person.about is None and not is_frozen(person):
            person.about = dict(answers)
            person.save(update_fields=["about"])
        _finish_if_done(person, study)


def finish(participant: Participant) -> Participant:
    """Mark a participant finished if the database holds an answer to every trial and question; return their row."""
    with transaction.atomic():
        study = _lock_where_a_rule_may_stop(participant)
        person = locked(Participant.objects, participant.pk)
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
    definition = definition_for(participant)
    return participant.batches < definition.session.batches and has_unseen(participant, definition)


def another_batch(participant: Participant) -> bool:
    """Draw a further batch for a participant who has finished one; False when there is none to be had."""
    with transaction.atomic():
        study = locked(Study.objects, participant.study_id)
        person = locked(Participant.objects, participant.pk)
        definition = definition_for(person)
        if person.state != Participant.State.FINISHED or person.batches >= definition.session.batches:
            return False
        if not person.is_preview:
            check_open(study)
        person.batches += 1
        if not assign(person, definition):
            return False
        person.state, person.finished_at = Participant.State.ACTIVE, None
        person.last_seen_at = timezone.now()
        person.save(update_fields=["batches", "state", "finished_at", "last_seen_at"])
        Participant.objects.filter(pk=person.pk).update(review=BACK)
        return True


def _lock_where_a_rule_may_stop(participant: Participant) -> Study | None:
    """Lock and return an open study that may pause itself now; None for any other, which nobody has to wait for.

    Before the participant's row, as everywhere. Of two sessions that end at once the second one sees the first.
    """
    if participant.is_preview or participant.state != Participant.State.ACTIVE:
        return None
    study = Study.objects.get(pk=participant.study_id)
    if study.state != Study.State.OPEN or not definition_of(study.version).stop_when or waits(participant):
        return None
    return locked(Study.objects, study.pk)


def _finish_if_done(person: Participant, watched: Study | None) -> None:
    """Finish a session whose answers are all there; a `watched` study may pause itself by its rule."""
    definition = definition_for(person)
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
