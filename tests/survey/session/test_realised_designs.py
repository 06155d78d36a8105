"""The trials that people really got, read back from the database: a flag that is set and does nothing shows here.

WebAudioEvaluationTool #248, #260, #267: switches for the order were silently ignored.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from django.utils import timezone

from survey.models import Participant, Study, Trial
from survey.session import finishing, starting
from survey.session.design import GOLD_FREE, repeat_gap
from survey.study.pictures import Picture
from tests.survey.factories import make_study, picture, rate_all

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.one_database]

FACTS = ("cat", "dog", "owl", "elk", "ant")
PEOPLE = 40
EXTRA = [
    Picture(f"warm-{content}-{kind}", lambda: picture(99), content=content, condition=kind)
    for content in ("sea", "hill")
    for kind in ("low", "high")
]
EXTRA += [Picture(name, lambda: picture(98), content=name) for name in ("noise", "clean")]
EXTRA += [
    Picture(f"photo-{content}", lambda: picture(97), content=content)
    for content in (*FACTS, "sea", "hill", "noise", "clean")
]
RULES = """
[session]
images = 10
repeats = 2
stabilising = 3
batches = 2
[images]
practice = ["warm-*"]
gold = [{item = "noise", answer = 1}, {item = "clean", answer = 5}]
trap = 4
references = ["photo-*"]
"""
METHODS = {
    "acr": RULES.replace('references = ["photo-*"]', ""),
    "acr-hr": RULES,
    "dcr": RULES,
    "pair": '[session]\nimages = 10\nrepeats = 2\n[images]\npractice = ["warm-*"]\n',
}


def realised(method: str, people: int = PEOPLE) -> tuple[Study, list[list[Trial]]]:
    """Return a study and every participant's trials in the order in which they see them."""
    extra = [p for p in EXTRA if method in ("acr-hr", "dcr") or not p.item.startswith("photo-")]
    if method == "pair":
        extra = [p for p in extra if p.item.startswith("warm-")]
    toml = f'method = "{method}"\n{METHODS[method]}'
    study = make_study(toml, contents=FACTS, conditions=("a", "b", "c", "d"), extra=extra)
    return study, [trials(starting.start(study)) for _ in range(people)]


def trials(person: Participant) -> list[Trial]:
    return list(person.trials.select_related("stimulus", "other").order_by("position"))


def shown(trial: Trial) -> frozenset[int | None]:
    """Return what a trial shows: a pair's images in either order."""
    return frozenset((trial.stimulus_id, trial.other_id))


def scored(order: list[Trial]) -> list[Trial]:
    return [trial for trial in order if trial.phase not in ("practice", "stabilising")]


@pytest.mark.parametrize("method", METHODS)
def test_the_order_that_people_get_keeps_every_rule(method):
    _, orders = realised(method)
    for order in orders:
        contents = [trial.stimulus.content for trial in order]
        assert not [a for a, b in pairwise(contents) if a and a == b]
        assert not [t for t in scored(order)[:GOLD_FREE] if t.phase in ("gold", "trap")]
        places: dict[frozenset[int | None], int] = {}
        for place, trial in enumerate(order):
            if shown(trial) in places:
                assert place - places[shown(trial)] >= repeat_gap(len(scored(order)))
            places[shown(trial)] = place


@pytest.mark.parametrize("method", METHODS)
def test_every_phase_that_the_study_asks_for_is_there_in_its_place(method):
    _, orders = realised(method, people=5)
    extras = {"repeat": 2} if method == "pair" else {"stabilising": 3, "repeat": 2, "gold": 2, "trap": 1}
    practice = 2 if method == "pair" else 4
    for order in orders:
        phases = Counter(trial.phase for trial in order)
        hidden = [trial for trial in order if trial.stimulus.role == "reference" and trial.phase == "main"]
        assert phases == Counter(extras | {"practice": practice, "main": 10 + len(hidden)})
        assert [trial.phase for trial in order[:practice]] == ["practice"] * practice
        assert [trial.position for trial in order] == list(range(1, len(order) + 1))
        again = {shown(trial) for trial in order if trial.phase in ("repeat", "stabilising")}
        assert again <= {shown(trial) for trial in order if trial.phase == "main"}
    assert len({tuple(trial.stimulus_id for trial in order) for order in orders}) == 5


@pytest.mark.parametrize("method", METHODS)
def test_after_every_start_no_image_is_two_votes_ahead(method):
    """reVISit #298: nested Latin squares came out unbalanced."""
    study, orders = realised(method)
    units = [
        shown(trial)
        for order in orders
        for trial in order
        if trial.phase == "main" and trial.stimulus.role != "reference"
    ]
    whole = 5 * 6 if method == "pair" else study.stimuli.filter(role="main").count()
    counts: Counter[frozenset[int | None]] = Counter()
    for start in range(0, len(units), 10):
        counts.update(units[start : start + 10])
        fewest = min(counts.values()) if len(counts) == whole else 0
        assert max(counts.values()) - fewest <= 1


def test_each_condition_stands_in_each_part_of_the_session():
    _, orders = realised("acr", people=60)
    counts = Counter(
        (trial.stimulus.condition, place // 5)
        for order in orders
        for place, trial in enumerate(trial for trial in order if trial.phase == "main")
    )
    # 60 people × 5 places / 4 conditions = 75 expected; in each half 1 or 2 of 5, so 60 to 120 by the rule alone.
    assert len(counts) == 8
    assert all(abs(count - 75) < 30 for count in counts.values())


def test_the_next_batch_does_not_begin_with_the_content_that_the_last_one_ended_with():
    study, _ = realised("acr", people=0)
    for _ in range(12):
        person = starting.start(study)
        rate_all(person)
        Participant.objects.filter(pk=person.pk).update(state="finished", finished_at=timezone.now())
        first = len(trials(person))
        assert finishing.another_batch(Participant.objects.get(pk=person.pk))
        order = trials(person)
        assert order[first - 1].stimulus.content != order[first].stimulus.content
        assert {trial.phase for trial in order[first:]} == {"stabilising", "main", "repeat"}
        earlier = {trial.stimulus_id for trial in order[:first]}
        assert not earlier & {trial.stimulus_id for trial in order[first:]}


def test_the_hidden_reference_of_each_content_that_somebody_rates_is_shown_to_them():
    study, orders = realised("acr-hr", people=5)
    reference_of = dict(study.stimuli.filter(role="reference").values_list("content", "pk"))
    for order in orders:
        rated = [trial.stimulus for trial in order if trial.phase == "main"]
        contents = {stimulus.content for stimulus in rated if stimulus.role == "main"}
        assert {reference_of[content] for content in contents} <= {stimulus.pk for stimulus in rated}


def test_a_session_of_many_images_is_saved_whole_and_in_order():
    """A statement takes a hundred trials."""
    study = make_study(
        "[session]\nimages = 110\n", contents=[f"c{i}" for i in range(11)], conditions=list("abcdefghij")
    )
    person = starting.start(study)
    assert list(person.trials.values_list("position", flat=True)) == list(range(1, 111))
    assert person.trials.values("stimulus").distinct().count() == 110
    assert person.trials.values("token").distinct().count() == 110
