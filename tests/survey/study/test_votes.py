"""The running counts are what counting every trial would give, whatever happened to the sessions."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from survey.models import Exclusion, Participant, Study, Tally, Trial
from survey.session import answering, finishing, progress, starting
from survey.session.assignment import votes
from survey.session.refusals import TooLate
from survey.study import bulk, decisions, erasure
from survey.study import votes as votes_
from survey.study.bulk import Choice
from survey.study.votes import STALE_AFTER, counted
from tests.survey.factories import current, make_study, rate_all

pytestmark = pytest.mark.django_db


def recount(study: Study) -> Counter[tuple[int, int | None]]:
    """Count by one look at every trial."""
    left_out = Exclusion.objects.filter(lifted_at__isnull=True).values("participant")
    people = (
        study.participants.filter(is_preview=False).exclude(pk__in=left_out).exclude(state="screened-out")
    )
    live = people.filter(state="active", last_seen_at__gte=timezone.now() - STALE_AFTER)
    votes = Q(outcome="rated") | Q(outcome="open", answered_at__isnull=False)
    waiting = Q(outcome="open", participant__in=live)
    main = Trial.objects.filter(participant__in=people, phase="main").filter(votes | waiting)
    return Counter(main.values_list("stimulus_id", "other_id"))


def quiet(person: Participant) -> None:
    gone = timezone.now() - 2 * STALE_AFTER
    Participant.objects.filter(pk=person.pk).update(last_seen_at=gone)


@pytest.mark.parametrize(
    "toml", ["[session]\nimages = 3\nbatches = 2\n", 'method = "pair"\n[session]\nimages = 2\n']
)
@pytest.mark.parametrize("seed", range(2))
def test_after_any_history_the_counts_are_those_of_a_whole_count(toml, seed):
    study, rng = make_study(toml), random.Random(seed)
    owner = User.objects.create_superuser("owner")

    def lift() -> None:
        for exclusion in Exclusion.objects.filter(lifted_at__isnull=True)[:1]:
            decisions.lift(exclusion, owner)

    def finish(person: Participant) -> None:
        rate_all(person)
        finishing.finish(person)

    def exclude(person: Participant) -> None:
        if not person.exclusions.filter(lifted_at__isnull=True).exists():
            decisions.exclude(person, "x", owner)

    acts: dict[str, Callable[[Participant], object]] = {
        "rate": lambda person: rate_all(person, limit=rng.randint(1, 3)),
        "finish": finish,
        "undo": answering.undo,
        "again": finishing.another_batch,
        "stop": finishing.stop_session,
        "quiet": quiet,
        "back": progress.seen,
        "withdraw": erasure.withdraw,
        "exclude": exclude,
        "lift": lambda _: lift(),
        "preview": lambda _: starting.start(study, preview_by=owner),
    }
    for _ in range(60):
        act = rng.choice([*acts, "start", "start", "rate", "rate"])
        if act == "start":
            starting.start(study)
        elif people := list(study.participants.order_by("pk")):
            with suppress(TooLate):
                acts[act](rng.choice(people))
        if rng.random() < 0.4:
            assert +counted(study) == recount(study), act
    assert +counted(study) == recount(study)


def test_a_study_from_before_the_counts_is_counted_once():
    study = make_study()
    for _ in range(3):
        rate_all(starting.start(study), limit=2)
    before = votes(study)
    Tally.objects.all().delete()
    Trial.objects.update(counted=False)
    assert votes(study) == before


def test_a_skipped_image_gives_its_place_back_when_the_session_is_over():
    study = make_study()
    person = starting.start(study)
    trial = current(person)
    answering.skip(trial.token, "failed")
    rate_all(person)
    finishing.finish(person)
    assert counted(study)[trial.stimulus_id, None] == 0


def test_many_who_are_left_out_at_once_give_their_places_to_others():
    study = make_study()
    owner = User.objects.create_superuser("owner")
    for _ in range(4):
        rate_all(starting.start(study))
    assert set(votes(study).values()) == {4}
    bulk.exclude_many(study, Choice(), "bots", owner)
    assert +counted(study) == Counter()
    bulk.lift_many(study, bulk.batches(study)[0]["batch"], owner)
    assert set(votes(study).values()) == {4}


def test_a_start_reads_no_trial_of_a_session_that_is_over(django_assert_max_num_queries):
    study = make_study()
    for _ in range(5):
        finishing.finish(starting.start(study))
    Participant.objects.update(last_seen_at=timezone.now() - dt.timedelta(hours=2))
    starting.start(study)
    # Whatever those of before say by now, it is not asked again.
    Trial.objects.update(counted=F("counted"), outcome="skipped", answered_at=timezone.now())
    with django_assert_max_num_queries(30):
        counts = votes(study)
    assert sum(counts.values()) == 6


def test_a_start_looks_at_no_session_that_goes_on_or_is_over():
    """SQLite's plan: every search is by the verdicts, or by the exclusions, of which there are few."""
    if connection.vendor != "sqlite":
        pytest.skip("a plan of SQLite")
    study = make_study()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {votes_._CHANGED}", {"study": study.pk, "fresh": ""})
        steps = [row[-1] for row in cursor.fetchall() if row[-1].startswith(("SCAN", "SEARCH"))]
    bounded = [step for step in steps if "participant_by_verdict (study_id=? AND review=?" in step]
    by_key = [step for step in steps if step.startswith("SEARCH person USING INTEGER PRIMARY KEY")]
    exclusions = [step for step in steps if "exclusion" in step]
    assert len(bounded) == 5
    assert len(bounded) + len(by_key) + len(exclusions) == len(steps)
