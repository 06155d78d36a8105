"""Which stimuli one participant sees, and in which order. Pure: no database, no clock, all randomness from a seed.

Balanced incomplete blocks by fewest votes; randomised order with the constraints of ITU-T P.910 clause 10 and
ITU-R BT.500: no content twice running, conditions spread over the session, repeats far apart.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from survey.session.orders import williams
from survey.study.tables import Order

Phase = Literal["practice", "stabilising", "main", "repeat", "gold", "trap"]

#: Positions among the scored images before which no gold or trap stands.
GOLD_FREE: Final = 3
#: Least distance between two showings of one image, where the session is long enough.
REPEAT_GAP: Final = 10
#: Random orders tried before the one with the fewest faults is taken.
_ATTEMPTS: Final = 40


class Unit(NamedTuple):
    """What one trial shows: a stimulus, or a pair of `images`. An empty `content` is unlike every other.

    A tuple, since a start makes one for each image. `place` orders the units of a study, and `block` is the one that a
    unit belongs to for everybody.
    """

    key: Hashable
    content: str = ""
    condition: str = ""
    images: tuple[int, ...] = ()
    place: tuple[int, ...] = ()
    block: str = ""

    @property
    def kinds(self) -> frozenset[Hashable]:
        """What should not come twice running: its content, and each image of a pair."""
        return _kinds(self.content, self.images)


@lru_cache(maxsize=4096)
def _kinds(content: str, images: tuple[int, ...]) -> frozenset[Hashable]:
    return frozenset(filter(None, (content, *images)))


@dataclass(frozen=True)
class Slot:
    """One trial of a design. `block` counts a participant's blocks from 1; 0 where there are none."""

    unit: Unit
    phase: Phase
    block: int = 0


@dataclass(frozen=True)
class Pool:
    """All that may be shown to one participant; `always` (hidden references) goes with its content."""

    main: Sequence[Unit]
    practice: Sequence[Unit] = ()
    gold: Sequence[Unit] = ()
    traps: Sequence[Unit] = ()
    always: Sequence[Unit] = ()


@dataclass(frozen=True)
class Rules:
    """How many of each; `images` None takes all of `main`.

    `order` is that of the blocks or, where units have none, of the units; `row` is that of the Latin square.
    `chunk` cuts a random order into blocks of so many.
    """

    images: int | None = None
    repeats: int = 0
    stabilising: int = 0
    order: Order = "random"
    row: int = 0
    chunk: int | None = None


def draw(
    pool: Pool, votes: Mapping[Hashable, int], rules: Rules, seed: int, before: Unit | None = None
) -> list[Slot]:
    """Return one participant's trials in order: practice, stabilising, then all else mixed.

    Args:
        votes: how many votes each main unit has or is about to get; those with fewest come first.
        seed: the same arguments and seed give the same design.
        before: what the participant saw last, in an earlier batch.

    Scored images keep these rules wherever any order can; else the order with the fewest faults is taken: no content
    twice running, gold and traps not among the first GOLD_FREE, repeats REPEAT_GAP apart (half the session if it is
    shorter than twice that), and conditions evenly spread. No image stands in two pairs running. Within blocks they hold
    too; a given order of the images is kept whatever it is.
    """
    rng = random.Random(seed)  # noqa: S311 - a design, not a secret
    chosen = choose(pool.main, votes, rules.images, rng)
    contents = {unit.content for unit in chosen}
    chosen += [unit for unit in pool.always if unit.content in contents]
    if len(contents) == 1 or _is_given(chosen, rules) or _is_by_content(chosen):
        # Of one content alone every order has it twice running, and a given order is kept: the other rules are left.
        chosen = [unit._replace(content="") for unit in chosen]
    practice = arrange(pool.practice, rng, before)
    before = practice[-1] if practice else before
    tries = (_attempt(chosen, practice, pool, rules, rng, before) for _ in range(_ATTEMPTS))
    return _first_faultless(tries)


def choose(
    units: Sequence[Unit], votes: Mapping[Hashable, int], count: int | None, rng: random.Random
) -> list[Unit]:
    """Return `count` units (all for None) with the fewest votes; among equals, spread contents and conditions.

    Drawn one participant after the other, no unit ever has two votes more than another.
    """
    left = rng.sample(list(units), len(units))
    if count is None or count >= len(left):
        return left
    # One number orders the units by votes, then by how often their content, then their condition was chosen.
    wide = count + 1
    cost = [votes.get(unit.key, 0) * wide**2 for unit in left]
    never = max(cost) + wide**2
    contents: defaultdict[str, list[int]] = defaultdict(list)
    conditions: defaultdict[str, list[int]] = defaultdict(list)
    for place, unit in enumerate(left):
        contents[unit.content].append(place)
        conditions[unit.condition].append(place)
    chosen: list[Unit] = []
    for _ in range(count):
        # The first of equals is taken: the shuffle above decides.
        place = cost.index(min(cost))
        unit = left[place]
        cost[place] = never
        for other in contents[unit.content] if unit.content else ():
            cost[other] += wide
        for other in conditions[unit.condition]:
            cost[other] += 1
        chosen.append(unit)
    return chosen


def repeat_gap(scored: int) -> int:
    """Return the least distance of two showings of one image in a session of `scored` images."""
    return min(REPEAT_GAP, scored // 2)


def faults(slots: Sequence[Slot]) -> int:
    """Return how many of the order's rules a design breaks."""
    twice = sum(_alike(a.unit, b.unit) for a, b in pairwise(slots))
    scored = [slot for slot in slots if slot.phase not in ("practice", "stabilising")]
    early = sum(slot.phase in ("gold", "trap") for slot in scored[:GOLD_FREE])
    gap = repeat_gap(len(scored))
    start = len(slots) - len(scored)
    places: dict[Hashable, int] = {}
    close = 0
    for place, slot in enumerate(slots):
        if slot.unit.key in places and slot.phase != "practice":
            close += place - places[slot.unit.key] < gap
        if place >= start or slot.phase == "stabilising":
            places[slot.unit.key] = place
    return twice + early + close


def _first_faultless(tries: Iterable[list[Slot]]) -> list[Slot]:
    best: list[Slot] = []
    fewest = -1
    for slots in tries:
        count = faults(slots)
        if fewest < 0 or count < fewest:
            best, fewest = slots, count
        if not fewest:
            break
    return best


def _attempt(
    chosen: Sequence[Unit],
    practice: Sequence[Unit],
    pool: Pool,
    rules: Rules,
    rng: random.Random,
    before: Unit | None,
) -> list[Slot]:
    order = _in_blocks(chosen, rules, rng, before)
    extras = rules.repeats + len(pool.gold) + bool(pool.traps)
    gap = repeat_gap(len(order) + extras)
    for _ in range(min(rules.repeats, len(chosen))):
        _insert_repeat(order, gap, rng)
    for unit in rng.sample(list(pool.gold), len(pool.gold)):
        _insert(order, Slot(unit, "gold"), range(GOLD_FREE, len(order) + 1), rng)
    if pool.traps:
        middle = range(max(GOLD_FREE, len(order) // 3), len(order) + 1)
        _insert(order, Slot(rng.choice(list(pool.traps)), "trap"), middle, rng)
    stabilising = _stabilising(order, min(rules.stabilising, len(chosen)), gap, before, rng)
    return [*(Slot(unit, "practice") for unit in practice), *stabilising, *_counted_on(order)]


def in_order(names: Iterable[str], rules: Rules, rng: random.Random) -> list[str]:
    """Return a study's blocks in the order of one participant; `names` come in the study's order."""
    blocks = list(dict.fromkeys(names))
    if rules.order == "random":
        rng.shuffle(blocks)
    if rules.order == "latin":
        blocks = [blocks[i] for i in williams(len(blocks), rules.row)]
    return blocks


def _is_given(units: Sequence[Unit], rules: Rules) -> bool:
    """Return whether the order of single units, and not of blocks, is given."""
    return rules.order != "random" and not any(unit.block for unit in units)


def _is_by_content(units: Sequence[Unit]) -> bool:
    """Return whether each block has one content: within it the same content always follows."""
    contents: defaultdict[str, set[str]] = defaultdict(set)
    for unit in units:
        contents[unit.block].add(unit.content)
    return "" not in contents and all(len(found) == 1 for found in contents.values())


def _in_blocks(chosen: Sequence[Unit], rules: Rules, rng: random.Random, before: Unit | None) -> list[Slot]:
    """Return the main trials in the order of one participant, with the numbers of their blocks."""
    placed = sorted(chosen, key=lambda unit: unit.place)
    if _is_given(chosen, rules):
        if rules.order == "latin":
            placed = [placed[i] for i in williams(len(placed), rules.row)]
        return [Slot(unit, "main") for unit in placed]
    if not any(unit.block for unit in chosen):
        order = arrange(chosen, rng, before)
        size = rules.chunk
        return [Slot(unit, "main", i // size + 1 if size else 0) for i, unit in enumerate(order)]
    slots: list[Slot] = []
    for number, block in enumerate(in_order((unit.block for unit in placed), rules, rng), start=1):
        units = [unit for unit in chosen if unit.block == block]
        slots += [Slot(unit, "main", number) for unit in arrange(units, rng, before)]
        before = slots[-1].unit
    return slots


def _counted_on(order: Sequence[Slot]) -> list[Slot]:
    """Return the trials with what was put between them counted to the block that it stands in."""
    block = next((slot.block for slot in order if slot.phase == "main"), 0)
    found = []
    for slot in order:
        block = slot.block if slot.phase == "main" else block
        found.append(slot if slot.block == block else replace(slot, block=block))
    return found


def arrange(units: Sequence[Unit], rng: random.Random, before: Unit | None = None) -> list[Unit]:
    """Return the units in a random order without one content (or image of a pair) twice running, where there is one.

    Conditions are spread: each is drawn again only when its turn comes round. `before` is what stands in front.
    """
    # What each unit shows stands beside it: it is looked at once for each place of the order.
    left = [(unit, unit.kinds) for unit in rng.sample(list(units), len(units))]
    remaining = Counter(kind for _, kinds in left for kind in kinds)
    drawn: Counter[str] = Counter()
    order: list[Unit] = []
    key, shown = (before.key, before.kinds) if before else (None, frozenset[Hashable]())
    while left:
        # A content that fills half of what is left must come now, or two of it would meet at the end.
        pressing = {kind for kind, count in remaining.items() if 2 * count > len(left)}
        legal = [one for one in left if one[0].key != key and one[1].isdisjoint(shown)]
        urgent = [one for one in legal if one[1] & pressing] if pressing else []
        chosen = min(urgent or legal or left, key=lambda one: drawn[one[0].condition])
        left.remove(chosen)
        unit, kinds = chosen
        drawn[unit.condition] += 1
        remaining.subtract(kinds)
        order.append(unit)
        key, shown = unit.key, kinds
    return order


def _stabilising(
    order: Sequence[Slot], count: int, gap: int, before: Unit | None, rng: random.Random
) -> list[Slot]:
    """Return `count` hidden warm-up trials of images whose own turn comes late, of as many conditions as can be."""
    late = {slot.unit: place for place, slot in enumerate(order) if slot.phase == "main"}
    candidates = sorted(late, key=lambda unit: (late[unit] < gap, rng.random()))
    conditions: Counter[str] = Counter()
    picked: list[Unit] = []
    while len(picked) < count:
        unit = min(candidates, key=lambda u: (late[u] < gap, conditions[u.condition]))
        candidates.remove(unit)
        conditions[unit.condition] += 1
        picked.append(unit)
    return [Slot(unit, "stabilising") for unit in arrange(picked, rng, before)]


def _insert_repeat(order: list[Slot], gap: int, rng: random.Random) -> None:
    """Show one main image once more, `gap` places or more after its first showing."""
    repeated = {slot.unit.key for slot in order if slot.phase == "repeat"}
    originals = [
        (place, slot.unit)
        for place, slot in enumerate(order)
        if slot.phase == "main" and slot.unit.key not in repeated
    ]
    rng.shuffle(originals)
    for place, unit in originals:
        if places := [i for i in range(place + gap, len(order) + 1) if _fits(order, unit, i)]:
            order.insert(rng.choice(places), Slot(unit, "repeat"))
            return
    first = min(originals, key=lambda pair: pair[0])
    order.append(Slot(first[1], "repeat"))


def _insert(order: list[Slot], slot: Slot, places: range, rng: random.Random) -> None:
    fitting = [i for i in places if _fits(order, slot.unit, i)]
    # With nowhere that fits, the end: the attempt's faults are counted, and another order is tried.
    order.insert(rng.choice(fitting or [len(order)]), slot)


def _fits(order: Sequence[Slot], unit: Unit, place: int) -> bool:
    return not any(_alike(slot.unit, unit) for slot in order[max(0, place - 1) : place + 1])


def _alike(a: Unit, b: Unit) -> bool:
    return a.key == b.key or not a.kinds.isdisjoint(b.kinds)
