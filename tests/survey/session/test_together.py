"""Many at once: balanced starts, one row for many identical answers, nothing lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from survey.models import Exclusion, Participant, Rating, Trial
from survey.session import assignment, progress, starting
from survey.study import erasure, lifecycle
from tests.survey.factories import answer, current, join, make_study, rate_all

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 50
FACTS = ("cat", "dog", "owl", "elk", "ant")


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Run `act(i)` in `count` threads that wait for each other; each has its own connection."""
    barrier = threading.Barrier(count)

    def run(i: int) -> Any:
        barrier.wait()
        try:
            return act(i)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def places(study) -> list[int]:
    """Return how many main trials each image has."""
    counts = Counter(Trial.objects.filter(phase="main").values_list("stimulus", flat=True))
    return [counts[pk] for pk in study.stimuli.filter(role="main").values_list("pk", flat=True)]


@pytest.mark.slow
def test_50_who_start_at_once_get_a_balanced_design():
    """P.910's server, psiTurk, reVISit: counts read before others' starts were written."""
    study = make_study("[session]\nimages = 4\n", contents=FACTS, conditions=("weak", "strong"))
    responses = at_once(PEOPLE, lambda i: Client().post("/s/study/", {"consent": "on"}).status_code)
    assert responses == [303] * PEOPLE
    assert Participant.objects.count() == PEOPLE
    assert set(places(study)) == {PEOPLE * 4 // 10}


@pytest.mark.slow
def test_50_identical_answers_at_once_give_one_row():
    study = make_study()
    person = join(Client(), study)
    trial = current(person)
    statuses = at_once(PEOPLE, lambda i: answer(Client(), trial, 4).status_code)
    assert set(statuses) == {303}
    assert list(Rating.objects.values_list("value", flat=True)) == [4]


@pytest.mark.slow
def test_50_different_answers_to_one_image_at_once_keep_one_of_them():
    study = make_study()
    person = join(Client(), study)
    trial = current(person)
    at_once(PEOPLE, lambda i: answer(Client(), trial, 1 + i % 5).status_code)
    rating = Rating.objects.get()
    assert rating.value == rating.first_value


def test_one_invitation_opened_on_many_devices_at_once_gives_one_place():
    study = make_study("invited_only = true\n")
    (ticket,) = lifecycle.invite(study, 1, None)
    form = {"consent": "on", "invitation": ticket.token}
    at_once(10, lambda i: Client().post("/s/study/", form).status_code)
    assert Participant.objects.count() == 1


@pytest.mark.slow
def test_50_whole_sessions_side_by_side_lose_nothing():
    study = make_study()

    def take_part(i: int) -> int:
        client = Client()
        person = join(client, study)
        value = 1 + i % 5
        while trial := progress.next_trial(person):
            assert answer(client, trial, value).status_code == 303
        client.get("/s/study/done/")
        return person.pk

    pks = at_once(PEOPLE, take_part)
    assert len(set(pks)) == PEOPLE
    assert Rating.objects.count() == PEOPLE * 6
    assert Participant.objects.filter(state="finished").count() == PEOPLE
    given = Rating.objects.values_list("trial__participant", "value")
    assert {(pk, value) for pk, value in given} == {(pk, 1 + i % 5) for i, pk in enumerate(pks)}


def test_withdrawing_while_an_answer_arrives_leaves_nothing_behind():
    study = make_study()
    person = join(Client(), study)
    trial = current(person)

    def act(i: int) -> None:
        if i:
            answer(Client(), trial, 3)
        else:
            erasure.withdraw(Participant.objects.get(pk=person.pk))

    at_once(2, act)
    assert not Participant.objects.exists()
    assert not Rating.objects.exists()


def test_stale_sessions_give_their_places_back_and_answered_images_keep_theirs():
    """reVISit #1387: who left two hours ago still held a place."""
    study = make_study("[session]\nimages = 3\n")
    gone = starting.start(study)
    rate_all(gone, limit=1)
    answered = gone.trials.get(outcome="rated").stimulus_id
    Participant.objects.update(last_seen_at="2020-01-01T00:00Z")
    later = [starting.start(study) for _ in range(2)]
    counts = Counter(Trial.objects.filter(participant__in=later).values_list("stimulus", flat=True))
    # Six places for the two: the five images without a vote come before any with one.
    others = study.stimuli.exclude(pk=answered).values_list("pk", flat=True)
    assert all(counts[pk] >= 1 for pk in others)
    assert counts[answered] <= 1


def test_previews_and_the_screened_out_take_no_places(django_user_model):
    study = make_study("[session]\nimages = 3\n[screening]\nvision = true\nrequired = true\n")
    admin = django_user_model.objects.create_superuser("admin", password="x")
    starting.start(study, preview_by=admin)
    starting.screen(starting.start(study), {"vision": "no"})
    first, second = starting.start(study), starting.start(study)
    shown = Trial.objects.filter(participant__in=[first, second]).values_list("stimulus", flat=True)
    assert len(set(shown)) == 6


def test_who_is_left_out_gives_their_places_to_others():
    """ "Fewest valid votes first": a rating that no table counts must not keep others from an image."""
    study = make_study("[session]\nimages = 3\n")
    cheat = starting.start(study)
    rate_all(cheat)
    Exclusion.objects.create(participant=cheat, reason="straight line")
    first, second = starting.start(study), starting.start(study)
    shown = Trial.objects.filter(participant__in=[first, second]).values_list("stimulus", flat=True)
    assert len(set(shown)) == 6
    Exclusion.objects.update(lifted_at=timezone.now())
    assert sorted(assignment.votes(study).values()) == [1, 1, 1, 2, 2, 2]


def test_each_pair_stands_in_both_orders_equally_often():
    """squintly: the better image stood second 60 times of 60."""
    study = make_study('method = "pair"\n', contents=("cat",), conditions=("a", "b", "c"))
    for _ in range(10):
        starting.start(study)
    orders = Counter(Trial.objects.values_list("stimulus__item", "other__item"))
    assert set(orders.values()) == {5}
    assert len(orders) == 6
