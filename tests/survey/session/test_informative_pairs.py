"""Pairs by information gain: what each person is given, one after the other and all at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from survey.models import Exclusion, Participant, Study, Trial
from survey.session import finishing, starting
from survey.session.answering import rate
from survey.session.pairs import pair_state
from survey.session.progress import next_trial
from survey.study.votes import STALE_AFTER, counted
from tests.survey.factories import make_study
from tests.survey.session.test_together import at_once

INFORMATIVE = 'method = "pair"\n[session]\npairs = "informative"\n'
Pair = frozenset[int | None]


def study_of(images: int = 8, more: str = "", contents: tuple[str, ...] = ("cat",)) -> Study:
    return make_study(INFORMATIVE + more, contents=contents, conditions=[f"c{i}" for i in range(images)])


def pairs_of(person: Participant, phase: str = "main") -> list[Pair]:
    trials = person.trials.filter(phase=phase).order_by("position")
    return [frozenset(pair) for pair in trials.values_list("stimulus_id", "other_id")]


def judge(person: Participant, value: str, limit: int = 1000) -> None:
    """Answer a participant's pairs with one value."""
    keys = [question.key for question in person.study.questions.all()]
    while limit and (trial := next_trial(person)):
        rate(trial.token, dict.fromkeys(keys, value))
        limit -= 1


def state_of(study: Study):
    stimuli = list(study.stimuli.filter(role="main").order_by("pk"))
    return pair_state(study, stimuli, counted(study))


@pytest.mark.django_db
def test_each_person_compares_every_image_in_one_tree_for_each_content():
    study = study_of(6, contents=("cat", "dog"))
    for _ in range(4):
        person = starting.start(study)
        pairs = pairs_of(person)
        assert len(pairs) == len(set(pairs)) == 2 * 5
        assert len({image for pair in pairs for image in pair}) == 12
        contents = [{t.stimulus.content, t.other.content} for t in person.trials.select_related()]
        assert all(len(content) == 1 for content in contents)
        judge(person, "first")


@pytest.mark.django_db
def test_no_image_stands_in_two_pairs_running():
    study = study_of(12)
    for _ in range(5):
        assert not [a & b for a, b in pairwise(pairs_of(starting.start(study))) if a & b]


@pytest.mark.django_db
def test_a_person_compares_as_many_pairs_as_the_study_says_and_none_again():
    study = study_of(5, "images = 3\nbatches = 4\n")
    person = starting.start(study)
    for batch in range(1, 4):
        assert len(set(pairs_of(person))) == len(pairs_of(person)) == 3 * batch
        judge(person, "first")
        finishing.finish(person)
        assert finishing.another_batch(person)
    assert len(set(pairs_of(person))) == 10


@pytest.mark.django_db
def test_the_answers_decide_which_pairs_come_next():
    """People who agree on an order soon compare only neighbours in it."""
    study = study_of(8)
    images = list(study.stimuli.filter(role="main").order_by("pk").values_list("pk", flat=True))

    def steps(person: Participant) -> list[int]:
        shown = person.trials.values_list("stimulus_id", "other_id")
        return [abs(images.index(a) - images.index(b)) for a, b in shown if b]

    first = 0
    for number in range(14):
        person = starting.start(study)
        first += sum(steps(person)) if number < 2 else 0
        for trial in person.trials.all():
            assert trial.other_id
            is_later = images.index(trial.stimulus_id) > images.index(trial.other_id)
            value = "first" if is_later else "second"
            rate(trial.token, {"overall": value})
    assert sum(steps(starting.start(study))) < 0.6 * first / 2


@pytest.mark.django_db
def test_pairs_that_others_are_looking_at_are_on_loan():
    study = study_of(8)
    shown = [pair for _ in range(4) for pair in pairs_of(starting.start(study))]
    # There are 28 pairs. Four random trees have about 19 different ones.
    assert len(shown) == 28
    assert len(set(shown)) > 23
    state = state_of(study)
    assert state.lent.sum() == 2 * 28
    assert not state.wins[0].any()


@pytest.mark.django_db
def test_pairs_of_those_who_left_are_on_loan_no_more_and_answers_stay():
    study = study_of(6)
    person = starting.start(study)
    judge(person, "first", limit=2)
    Participant.objects.update(last_seen_at=timezone.now() - STALE_AFTER - dt.timedelta(minutes=1))
    state = state_of(study)
    assert not state.lent.any()
    assert state.wins[0].sum() == 2


@pytest.mark.django_db
def test_a_tie_is_half_a_win_for_each():
    study = study_of(4)
    judge(starting.start(study), "tie")
    (wins,) = state_of(study).wins
    assert wins.sum() == 3
    assert (wins == wins.T).all()


@pytest.mark.django_db
def test_who_is_left_out_or_only_looks_decides_nothing():
    study = study_of(6)
    researcher = User.objects.create_user("r")
    judge(starting.start(study, preview_by=researcher), "first")
    person = starting.start(study)
    judge(person, "first")
    Exclusion.objects.create(participant=person, reason="r", by=researcher)
    state = state_of(study)
    assert not state.wins[0].any()
    assert not state.lent.any()


@pytest.mark.django_db
def test_each_question_has_its_own_choices():
    study = study_of(4, '[[questions]]\nkey = "a"\ntext = "A?"\n[[questions]]\nkey = "b"\ntext = "B?"\n')
    judge(starting.start(study), "first")
    wins = state_of(study).wins
    assert [matrix.sum() for matrix in wins] == [3, 3]
    assert not state_of(study).lent.any()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_people_who_start_at_once_get_different_pairs():
    """A count read before the others' starts were written would give all of them the same tree."""
    study_of(16, "images = 6\n")
    responses = at_once(20, lambda i: Client().post("/s/study/", {"consent": "on"}).status_code)
    assert responses == [303] * 20
    shown = Counter(frozenset(p) for p in Trial.objects.values_list("stimulus_id", "other_id"))
    assert sum(shown.values()) == 120
    # There are 120 pairs: with every start counted, each is shown about once.
    assert max(shown.values()) <= 2
    assert len(shown) > 100
