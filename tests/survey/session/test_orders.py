"""Orders and blocks: fixed, random or a Latin square, with a break between blocks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from django.test import Client

from survey.models import Participant
from survey.session import finishing, starting
from survey.session.orders import rows_of, williams
from survey.study.pictures import PublishError
from survey.study.revise import revise
from tests.survey.factories import answer, current, definition, join, make_study, rate_all

PAGE = "/s/study/rate/"


def shown(person: Participant) -> list[str]:
    """Return the main images in the order in which a person sees them."""
    return list(
        person.trials.filter(phase="main").order_by("position").values_list("stimulus__item", flat=True)
    )


def blocks(person: Participant) -> list[tuple[int, list[str]]]:
    """Return each block's number with its images."""
    found: dict[int, list[str]] = {}
    for block, item in (
        person.trials.filter(phase="main").order_by("position").values_list("block", "stimulus__item")
    ):
        found.setdefault(block or 0, []).append(item)
    return list(found.items())


@pytest.mark.parametrize("things", range(1, 13))
def test_in_a_latin_square_each_follows_each_other_equally_often(things):
    rows = [williams(things, row) for row in range(rows_of(things))]
    follow = Counter(pair for row in rows for pair in pairwise(row))
    places = Counter((place, thing) for row in rows for place, thing in enumerate(row))
    assert all(sorted(row) == list(range(things)) for row in rows)
    assert len(set(places.values())) == 1
    if things > 1:
        assert len(follow) == things * (things - 1)
        assert len(set(follow.values())) == 1


@pytest.mark.django_db
def test_a_fixed_order_is_that_of_the_study_for_everybody():
    study = make_study('[session]\norder = "fixed"\n')
    items = list(study.stimuli.order_by("pk").values_list("item", flat=True))
    assert shown(starting.start(study)) == shown(starting.start(study)) == items


@pytest.mark.django_db
def test_people_take_the_rows_of_a_latin_square_of_images_in_turn():
    study = make_study('[session]\norder = "latin"\n')
    people = [starting.start(study) for _ in range(12)]
    orders = Counter(tuple(shown(person)) for person in people)
    assert set(orders.values()) == {2}
    assert len(orders) == 6
    assert Counter(person.order_row for person in people) == dict.fromkeys(range(6), 2)
    follow = Counter(pair for order in orders for pair in pairwise(order))
    assert set(follow.values()) == {1}


@pytest.mark.django_db
def test_a_row_whose_person_left_is_given_again():
    study = make_study('[session]\norder = "latin"\n')
    gone = starting.start(study)
    finishing.stop_session(gone)
    rows = {starting.start(study).order_row for _ in range(6)}
    assert rows == set(range(6))


@pytest.mark.django_db
def test_each_group_has_a_latin_square_of_its_own():
    groups = '[[groups]]\nkey = "a"\n[[groups]]\nkey = "b"\n'
    study = make_study(f'{groups}[session]\norder = "latin"\n')
    people = [starting.start(study) for _ in range(12)]
    for group in "ab":
        assert Counter(p.order_row for p in people if p.group == group) == Counter(range(6))


@pytest.mark.django_db
def test_blocks_by_a_column_come_whole_and_in_balanced_orders():
    study = make_study(
        '[session]\nblocks = "content"\norder = "latin"\n', contents=("cat", "dog", "owl", "elk")
    )
    people = [starting.start(study) for _ in range(4)]
    for person in people:
        assert [number for number, _ in blocks(person)] == [1, 2, 3, 4]
        names = [{item.partition("-")[0] for item in items} for _, items in blocks(person)]
        assert all(len(name) == 1 for name in names)
        assert person.block_order == [name.pop() for name in names]
    assert len({tuple(person.block_order or ()) for person in people}) == 4


@pytest.mark.django_db
def test_blocks_of_a_size_cut_a_random_order():
    study = make_study("[session]\nblocks = 4\nrepeats = 1\n")
    person = starting.start(study)
    assert [len(items) for _, items in blocks(person)] == [4, 2]
    # What stands between the images belongs to the block around it.
    numbers = list(person.trials.order_by("position").values_list("block", flat=True))
    assert numbers == [1] * numbers.count(1) + [2] * numbers.count(2)
    assert person.block_order == ["1", "2"]


@pytest.mark.django_db
def test_no_content_comes_twice_running_within_blocks():
    study = make_study('[session]\nblocks = "strength"\n')
    for _ in range(10):
        order = [item.partition("-")[0] for item in shown(starting.start(study))]
        assert all(a != b for a, b in pairwise(order))


@pytest.mark.django_db
def test_a_break_says_how_far_one_is_and_comes_once():
    study = make_study("[session]\nblocks = 3\n")
    browser = Client()
    person = join(browser, study)
    for _ in range(3):
        assert b"<img" in browser.get(PAGE).content
        answer(browser, current(person))
    page = browser.get(PAGE).content.decode()
    assert "You have rated 3 of 6 images." in page
    assert "<img" not in page
    assert b"<img" in browser.get(f"{PAGE}?on=1").content
    assert b"<img" in browser.get(PAGE).content
    rate_all(person)
    assert finishing.finish(person).state == "finished"


@pytest.mark.django_db
def test_the_script_knows_of_the_break_beforehand():
    study = make_study("[session]\nblocks = 3\n")
    browser = Client()
    join(browser, study)
    state = browser.get(PAGE).context["state"]
    assert [trial["break"] for trial in state["ahead"]] == [False, False, False, True, False, False]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("session", "told"),
    [
        (
            'blocks = "colour"',
            "session.blocks: image 'cat-weak' has no 'colour' (it has content, condition, ",
        ),
        ('blocks = "style"', "session.blocks: image 'cat-weak' has no 'style'"),
    ],
)
def test_a_column_that_an_image_lacks_forms_no_blocks(session, told):
    with pytest.raises(PublishError) as caught:
        make_study(f"[session]\n{session}\n")
    assert told in str(caught.value)
    study = make_study()
    starting.start(study)
    with pytest.raises(PublishError, match=r"session\.blocks"):
        revise(study, definition(f"[session]\n{session}\n"))
