"""Which images a participant sees and in which order: laws that every realised design keeps."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.session.design import GOLD_FREE, Pool, Rules, Unit, choose, draw, faults, repeat_gap


def grid(contents: int, conditions: int) -> list[Unit]:
    return [Unit((c, k), f"content{c}", f"condition{k}") for c in range(contents) for k in range(conditions)]


GOLD = [Unit("gold1", "gold-a"), Unit("gold2", "gold-b")]
PRACTICE = [Unit(f"practice{i}", f"warm{i}") for i in range(5)]
TRAP = [Unit("trap")]


def full_design(seed: int, contents: int = 5, conditions: int = 6) -> list:
    pool = Pool(grid(contents, conditions), PRACTICE, GOLD, TRAP)
    return draw(pool, {}, Rules(repeats=3, stabilising=3), seed)


@pytest.fixture(scope="module")
def designs() -> list[list]:
    """2000 designs, drawn once for all laws that each must keep."""
    return [full_design(seed) for seed in range(2000)]


@pytest.mark.slow
def test_no_content_stands_twice_running_in_2000_designs(designs):
    for slots in designs:
        assert all(a.unit.content != b.unit.content for a, b in pairwise(slots))


def test_gold_and_trap_are_never_among_the_first_three_scored_images_in_2000_designs(designs):
    for slots in designs:
        scored = [slot for slot in slots if slot.phase not in ("practice", "stabilising")]
        assert not any(slot.phase in ("gold", "trap") for slot in scored[:GOLD_FREE])


def test_repeats_stand_far_from_their_first_showing_in_2000_designs(designs):
    for slots in designs:
        scored = [slot for slot in slots if slot.phase not in ("practice", "stabilising")]
        first = {slot.unit.key: place for place, slot in enumerate(scored) if slot.phase == "main"}
        repeats = [(slot.unit.key, place) for place, slot in enumerate(scored) if slot.phase == "repeat"]
        assert len(repeats) == 3
        assert all(place - first[key] >= repeat_gap(len(scored)) for key, place in repeats)


@pytest.mark.slow
def test_conditions_are_spread_evenly_over_positions():
    """Over many participants each condition stands equally often in each sixth of the session."""
    counts: Counter[tuple[str, int]] = Counter()
    for seed in range(1200):
        main = draw(Pool(grid(5, 6)), {}, Rules(), seed)
        counts.update((slot.unit.condition, place // 5) for place, slot in enumerate(main))
    # 1200 designs × 5 places / 6 conditions = 1000 expected; 5 standard deviations of a binomial are about 145.
    assert all(abs(count - 1000) < 145 for count in counts.values())
    assert len(counts) == 36


@pytest.mark.slow
@given(
    contents=st.integers(2, 6),
    conditions=st.integers(1, 6),
    repeats=st.integers(0, 4),
    stabilising=st.integers(0, 4),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=300)
def test_every_image_is_shown_once_and_extras_come_on_top(contents, conditions, repeats, stabilising, seed):
    main = grid(contents, conditions)
    slots = draw(Pool(main, PRACTICE, GOLD, TRAP), {}, Rules(repeats=repeats, stabilising=stabilising), seed)
    phases = Counter(slot.phase for slot in slots)
    assert Counter(slot.unit.key for slot in slots if slot.phase == "main") == Counter(
        unit.key for unit in main
    )
    assert phases["repeat"] == min(repeats, len(main))
    assert phases["stabilising"] == min(stabilising, len(main))
    assert (phases["practice"], phases["gold"], phases["trap"]) == (5, 2, 1)
    order = [slot.phase for slot in slots]
    assert order[:5] == ["practice"] * 5
    assert "stabilising" not in order[5 + phases["stabilising"] :]


@given(contents=st.integers(2, 5), conditions=st.integers(1, 5), seed=st.integers(0, 2**31))
@settings(max_examples=300)
def test_two_contents_are_enough_for_an_order_without_faults(contents, conditions, seed):
    assert faults(draw(Pool(grid(contents, conditions)), {}, Rules(), seed)) == 0


@given(
    counts=st.lists(st.integers(1, 6), min_size=2, max_size=5).filter(lambda n: 2 * max(n) <= sum(n) + 1),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=300)
def test_contents_of_unequal_number_never_meet_where_an_order_exists(counts, seed):
    units = [Unit((c, i), f"content{c}") for c, n in enumerate(counts) for i in range(n)]
    slots = draw(Pool(units), {}, Rules(), seed)
    assert all(a.unit.content != b.unit.content for a, b in pairwise(slots))


def test_images_without_a_known_content_may_follow_each_other():
    slots = draw(Pool([Unit(i) for i in range(20)]), {}, Rules(repeats=2), 1)
    assert faults(slots) == 0


def test_a_single_content_gives_a_design_all_the_same():
    slots = draw(Pool(grid(1, 8)), {}, Rules(repeats=1), 1)
    assert len(slots) == 9


@given(
    images=st.integers(1, 40),
    size=st.integers(1, 40),
    people=st.integers(1, 30),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=100)
def test_votes_never_differ_by_more_than_one_at_any_prefix(images, size, people, seed):
    units = [Unit(i, f"content{i % 4}", f"condition{i % 3}") for i in range(images)]
    votes: Counter = Counter()
    for person in range(people):
        votes.update(
            unit.key for unit in choose(units, votes, min(size, images), random.Random(seed + person))
        )
        counts = [votes[unit.key] for unit in units]
        assert max(counts) - min(counts) <= 1


def test_a_subset_spreads_contents_and_conditions():
    """webMUSHRA's and reVISit's users asked for it: a random subset alone may be all of one kind."""
    for seed in range(200):
        slots = draw(Pool(grid(6, 6)), {}, Rules(images=12), seed)
        assert set(Counter(slot.unit.content for slot in slots).values()) == {2}


def test_dropouts_do_not_starve_an_image():
    """The ones who leave early answer what comes first in their own order, not the same images each time."""
    units = grid(5, 4)
    votes: Counter = Counter()
    rng = random.Random(5)
    for person in range(400):
        slots = draw(Pool(units), votes, Rules(images=10), person)
        answered = slots[: rng.randint(0, 10)]
        votes.update(slot.unit.key for slot in answered)
    counts = [votes[unit.key] for unit in units]
    assert max(counts) - min(counts) <= 3


def test_the_hidden_reference_goes_with_its_content():
    references = [Unit(f"reference{c}", f"content{c}", "reference") for c in range(6)]
    slots = draw(Pool(grid(6, 4), always=references), {}, Rules(images=3), 3)
    contents = {slot.unit.content for slot in slots if slot.unit not in references}
    assert {slot.unit.content for slot in slots if slot.unit in references} == contents
    assert len(slots) == 6


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_design_and_another_seed_another(seed):
    assert full_design(seed) == full_design(seed)
    assert full_design(seed) != full_design(seed + 1)


def test_no_image_stands_in_two_pairs_running():
    """All pairs of six images of one content: every order has the content twice running, not every one an image."""
    units = [Unit((a, b), "cat", f"{a} {b}", (a, b)) for a in range(1, 7) for b in range(a + 1, 7)]
    for seed in range(10):
        order = [slot.unit.images for slot in draw(Pool(units), {}, Rules(), seed)]
        assert len(order) == 15
        assert not [a for a, b in pairwise(order) if {*a} & {*b}]


def test_repeats_in_a_study_of_one_content_are_not_all_at_the_end():
    units = [Unit(key, "cat", str(key)) for key in range(20)]
    for seed in range(10):
        slots = draw(Pool(units), {}, Rules(repeats=4), seed)
        assert faults(slots) == 0
        assert [slot.phase for slot in slots[-4:]] != ["repeat"] * 4
