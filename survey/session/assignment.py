"""The database's side of the design: what may be shown, how many votes each has, and the trials drawn from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from survey.access.together import in_one_go
from survey.models import Participant, Stimulus, Study, Trial
from survey.session.design import Pool, Rules, Slot, Unit, draw
from survey.session.groups import filled_by, least_full
from survey.session.orders import rows_of
from survey.session.pairs import all_pairs, informative_pairs, pair_trials
from survey.session.rating_sql import Drawn, ask_images, insert_trials
from survey.study.definition import Definition
from survey.study.tables import Session
from survey.study.votes import Place, ask_standing, counted, counts_of, take, tallied

Key = Place


@dataclass(frozen=True)
class Known:
    """What a draw begins from: the study's images and the counts of their votes, as the database answers."""

    images: Callable[[], list[tuple[Any, ...]]]
    standing: Callable[[], list[tuple[Any, ...]]]


def ask_known(study: Study) -> Known:
    """Ask for what a draw begins from. Call it with the study's row locked."""
    return Known(ask_images(study.pk), ask_standing(study))


def assign(participant: Participant, definition: Definition, known: Known | None = None) -> int:
    """Draw and save the trials of a participant's next batch; return how many.

    `definition` is what the study says to their group. `known` is what was asked for already. Votes are balanced within
    each group. Call within a transaction that has locked the study's row: of two sessions that start at once, the second
    must count the first one's places.
    """
    study = participant.study
    if known is None:
        with in_one_go():
            known = ask_known(study)
    stimuli = _stimuli(participant, definition, known.images())
    session, seed = definition.session, participant.seed + participant.batches
    # Of a first batch there is nothing to look up.
    is_first = participant.batches == 1
    seen = set() if is_first else _seen(participant)
    last = None if is_first else participant.trials.select_related("stimulus").order_by("position").last()
    rules = Rules(session.images, session.repeats, session.stabilising, session.order, chunk=_chunk(session))
    tally = tallied(study, known.standing)
    # What an answer about a pair is expected to tell depends on everybody's.
    places = counts_of(tally, None if session.pairs == "informative" else participant.group)
    chosen = None
    if session.pairs == "informative":
        main = [stimulus for stimulus in stimuli if stimulus.role == Stimulus.Role.MAIN]
        chosen = informative_pairs(study, main, places, seen, session.images, seed)
        rules = replace(rules, images=None)
    pool = _pool(stimuli, definition, participant, seen, chosen)
    if not pool.main:
        return 0
    pool = _with_blocks(pool, stimuli, session)
    rules = replace(rules, row=_row(participant, session, pool))
    before = _unit(last.stimulus, last.other_id) if last else None
    slots = draw(pool, _unordered(study, places), rules, seed, before)
    drawn = _drawn(participant, slots, definition, stimuli, places)
    # A further batch is counted when its session is reviewed: it may be one that is left out of the results.
    counts = is_first and not participant.is_preview
    with in_one_go():
        insert_trials(participant.pk, drawn, first=last.position + 1 if last else 1, counted=counts)
        if counts:
            take(
                tally, (trial.place for trial in drawn if trial.phase == Trial.Phase.MAIN), participant.group
            )
    _keep_order(participant, slots)
    return len(drawn)


def _chunk(session: Session) -> int | None:
    """Return after how many images of a random order a block ends; None where blocks are the same for everybody."""
    return session.blocks if isinstance(session.blocks, int) and session.order == "random" else None


def _with_blocks(pool: Pool, stimuli: Iterable[Image], session: Session) -> Pool:
    """Return the units that are rated with the blocks that they belong to for everybody."""
    if session.blocks is None or _chunk(session):
        return pool
    if isinstance(session.blocks, int):
        placed = sorted([*pool.main, *pool.always], key=lambda unit: unit.place)
        block_of = {unit.key: str(place // session.blocks + 1) for place, unit in enumerate(placed)}
    else:
        column = session.blocks
        named = {stimulus.pk: stimulus.value_of(column) for stimulus in stimuli}
        block_of = {unit.key: named[unit.place[0]] for unit in (*pool.main, *pool.always)}
    main, always = (
        [unit._replace(block=block_of[unit.key]) for unit in units] for units in (pool.main, pool.always)
    )
    return replace(pool, main=main, always=always)


def _row(participant: Participant, session: Session, pool: Pool) -> int:
    """Return the row of the Latin square that a participant follows: of their group's, the one that is least full."""
    if session.order != "latin":
        return 0
    units = [*pool.main, *pool.always]
    rows = rows_of(len({unit.block for unit in units} if session.blocks is not None else units))
    if participant.order_row is None:
        counts = filled_by(participant.study, "order_row", group=participant.group)
        participant.order_row = least_full(counts, dict.fromkeys(range(rows), 1), participant.seed)
    return participant.order_row % rows


def _keep_order(participant: Participant, slots: Iterable[Slot]) -> None:
    """Keep which row and which blocks a participant got; blocks of a further batch follow those before."""
    named = [(slot.block, slot.unit.block) for slot in slots if slot.phase == "main" and slot.block]
    names = [name or str(number) for number, name in dict.fromkeys(named)]
    if names:
        participant.block_order = [*(participant.block_order or []), *names]
    if names or participant.order_row is not None:
        # Not `save`, which demands to know at once that it found the row (`together.in_one_go`).
        kept = {"order_row": participant.order_row, "block_order": participant.block_order}
        Participant.objects.filter(pk=participant.pk).update(**kept)


def has_unseen(participant: Participant, definition: Definition) -> bool:
    """Return whether there are images (or pairs) to rate that a participant has not been shown."""
    stimuli = _stimuli(participant, definition, ask_images(participant.study_id)())
    return bool(_pool(stimuli, definition, participant, _seen(participant)).main)


_NO_FACTORS: Final[Mapping[str, Any]] = MappingProxyType({})


class Image(NamedTuple):
    """What a draw needs to know of a stimulus: a row, since models of a thousand take longer than all else of a start."""

    pk: int
    item: str
    role: str
    content: str
    style: str
    condition: str
    factors: Mapping[str, Any]

    def value_of(self, column: str) -> str:
        """Return what a column of the image says, as text: content, style, condition or a factor; "" for nothing."""
        if column in ("content", "style", "condition"):
            return str(getattr(self, column))
        value = self.factors.get(column)
        return "" if value is None else str(value)


def _stimuli(
    participant: Participant, definition: Definition, rows: Iterable[tuple[Any, ...]]
) -> list[Image]:
    """Return the images that a participant may see: of the main ones, those of their group. `rows`: see `ask_images`."""
    found, known = list(rows), participant.study.stimuli.all()
    factors: dict[int, Mapping[str, Any]] = {}
    # Factors are read where the draw asks for one: blocks go by it, or traps say their language in it.
    if isinstance(definition.session.blocks, str):
        factors = dict(known.values_list("pk", "factors"))
    elif traps := [row[0] for row in found if row[2] == Stimulus.Role.TRAP]:
        factors = dict(known.filter(pk__in=traps).values_list("pk", "factors"))
    images = [Image._make((*row, factors.get(row[0], _NO_FACTORS))) for row in found]
    group = definition.group(participant.group)
    if group is None:
        return images
    return [image for image in images if image.role != Stimulus.Role.MAIN or group.shows(image.item)]


def _pool(
    stimuli: Iterable[Image],
    definition: Definition,
    participant: Participant,
    seen: set[Key],
    chosen: Sequence[Unit] | None = None,
) -> Pool:
    """Return what this participant may be shown; practice, gold and traps belong to the first batch alone.

    `chosen` are the pairs where they are chosen already.
    """
    by_role: defaultdict[str, list[Image]] = defaultdict(list)
    for stimulus in stimuli:
        if stimulus.role != Stimulus.Role.TRAP or stimulus.factors.get("language") == participant.language:
            by_role[stimulus.role].append(stimulus)
    units = {role: [_unit(s) for s in some if (s.pk, None) not in seen] for role, some in by_role.items()}
    pairs = definition.method == "pair"
    main = chosen if chosen is not None else units.get("main", [])
    if pairs and chosen is None:
        main = all_pairs(by_role["main"], seen)
    always = units.get("reference", []) if definition.method == "acr-hr" else []
    if participant.batches > 1:
        return Pool(main, always=always)
    practice = all_pairs(by_role["practice"], seen) if pairs else units.get("practice", [])
    return Pool(main, practice, units.get("gold", []), units.get("trap", []), always)


def _unit(stimulus: Image | Stimulus, other: int | None = None) -> Unit:
    images = (stimulus.pk, other) if other else ()
    return Unit((stimulus.pk, None), stimulus.content, stimulus.condition, images, (stimulus.pk,))


def _seen(participant: Participant) -> set[Key]:
    """Return the units that the participant had in earlier batches; a pair in the order of its keys."""
    shown = participant.trials.values_list("stimulus_id", "other_id")
    pair = participant.study.method == Study.Method.PAIR
    return {(min(a, b), max(a, b)) if pair and b else (a, None) for a, b in shown}


def votes(study: Study) -> dict[Hashable, int]:
    """Return how many votes each image (or pair) of a study has or is about to get."""
    return _unordered(study, counted(study))


def _unordered(study: Study, places: Counter[Key]) -> dict[Hashable, int]:
    counts: Counter[Hashable] = Counter()
    pair = study.method == Study.Method.PAIR
    for (a, b), count in places.items():
        counts[(min(a, b), max(a, b)) if pair and b else (a, None)] += count
    return counts


def _drawn(
    participant: Participant,
    slots: Iterable[Slot],
    definition: Definition,
    stimuli: Iterable[Image],
    places: Counter[Key],
) -> list[Drawn]:
    if definition.method == "pair":
        return pair_trials(participant, slots, places)
    references: dict[str, int] = {}
    contents: dict[int, str] = {}
    if definition.method == "dcr":
        references = {s.content: s.pk for s in stimuli if s.role == Stimulus.Role.REFERENCE}
        contents = {s.pk: s.content for s in stimuli}
    drawn = []
    for slot in slots:
        key, _ = cast(Key, slot.unit.key)
        drawn.append(Drawn((key, references.get(contents.get(key, ""))), slot.phase, slot.block or None))
    return drawn
