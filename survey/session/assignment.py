"""The database's side of the design: what may be shown, how many votes each has, and the trials drawn from it."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from itertools import combinations
from typing import Final, cast

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from survey.models import Exclusion, Participant, Stimulus, Study, Trial
from survey.session.design import Pool, Rules, Slot, Unit, draw
from survey.study.definition import Definition

#: A session without a sign of life for so long gives its unanswered places back.
STALE_AFTER: Final = dt.timedelta(minutes=45)

Key = tuple[int, int | None]


def assign(participant: Participant, definition: Definition) -> int:
    """Draw and save the trials of a participant's next batch; return how many.

    Call within a transaction that has locked the study's row: of two sessions that start at once, the second must
    count the first one's places.
    """
    known = participant.study.stimuli.only("study", "role", "content", "condition", "factors")
    stimuli = list(known.order_by("pk"))
    seen = _seen(participant)
    pool = _pool(stimuli, definition, participant, seen)
    if not pool.main:
        return 0
    rules = Rules(definition.session.images, definition.session.repeats, definition.session.stabilising)
    last = participant.trials.select_related("stimulus").order_by("position").last()
    before = _unit(last.stimulus) if last else None
    slots = draw(pool, votes(participant.study), rules, participant.seed + participant.batches, before)
    trials = _trials(participant, slots, definition, stimuli)
    for position, trial in enumerate(trials, start=last.position + 1 if last else 1):
        trial.position = position
    Trial.objects.bulk_create(trials)
    return len(trials)


def has_unseen(participant: Participant, definition: Definition) -> bool:
    """Return whether there are images (or pairs) to rate that a participant has not been shown."""
    stimuli = participant.study.stimuli.order_by("pk")
    return bool(_pool(stimuli, definition, participant, _seen(participant)).main)


def _pool(
    stimuli: Iterable[Stimulus], definition: Definition, participant: Participant, seen: set[Key]
) -> Pool:
    """Return what this participant may be shown; practice, gold and traps belong to the first batch alone."""
    by_role: defaultdict[str, list[Stimulus]] = defaultdict(list)
    for stimulus in stimuli:
        if stimulus.role != Stimulus.Role.TRAP or stimulus.factors.get("language") == participant.language:
            by_role[stimulus.role].append(stimulus)
    units = {role: [_unit(s) for s in some if (s.pk, None) not in seen] for role, some in by_role.items()}
    pairs = definition.method == "pair"
    main = _pairs(by_role["main"], seen) if pairs else units.get("main", [])
    always = units.get("reference", []) if definition.method == "acr-hr" else []
    if participant.batches > 1:
        return Pool(main, always=always)
    practice = _pairs(by_role["practice"], seen) if pairs else units.get("practice", [])
    return Pool(main, practice, units.get("gold", []), units.get("trap", []), always)


def _unit(stimulus: Stimulus) -> Unit:
    return Unit((stimulus.pk, None), stimulus.content, stimulus.condition)


def _pairs(stimuli: Iterable[Stimulus], seen: set[Key]) -> list[Unit]:
    """Return all pairs of images of one content (of all images, where contents are not known)."""
    by_content: defaultdict[str, list[Stimulus]] = defaultdict(list)
    for stimulus in stimuli:
        by_content[stimulus.content].append(stimulus)
    return [
        Unit((a.pk, b.pk), a.content, f"{a.condition}\n{b.condition}")
        for some in by_content.values()
        for a, b in combinations(some, 2)
        if (a.pk, b.pk) not in seen
    ]


def _seen(participant: Participant) -> set[Key]:
    """Return the units that the participant had in earlier batches; a pair in the order of its keys."""
    shown = participant.trials.values_list("stimulus_id", "other_id")
    pair = participant.study.method == Study.Method.PAIR
    return {(min(a, b), max(a, b)) if pair and b else (a, None) for a, b in shown}


def _live(study: Study) -> QuerySet[Trial]:
    """Return the main trials that are votes, or will soon be: answered ones, and those of sessions still fresh.

    Previews, the screened-out and those whom a researcher left out have none: the images they saw want others' votes.
    """
    fresh = timezone.now() - STALE_AFTER
    waiting = Q(outcome="open", participant__state="active", participant__last_seen_at__gte=fresh)
    # A trial opened again by undo keeps its rating, and so its vote.
    rated = Q(outcome="rated") | Q(outcome="open", answered_at__isnull=False)
    people = Trial.objects.filter(
        participant__study=study, participant__is_preview=False, phase=Trial.Phase.MAIN
    )
    left_out = Exclusion.objects.filter(participant__study=study, lifted_at__isnull=True).values(
        "participant"
    )
    people = people.exclude(participant__state=Participant.State.SCREENED_OUT)
    return people.exclude(participant__in=left_out).filter(waiting | rated)


def votes(study: Study) -> dict[Hashable, int]:
    """Return how many votes each image (or pair) of a study has or is about to get."""
    counts: Counter[Hashable] = Counter()
    pair = study.method == Study.Method.PAIR
    rows = _live(study).order_by().values_list("stimulus_id", "other_id").annotate(count=Count("pk"))
    for a, b, count in rows:
        counts[(min(a, b), max(a, b)) if pair and b else (a, None)] += count
    return counts


def _trials(
    participant: Participant, slots: Iterable[Slot], definition: Definition, stimuli: Iterable[Stimulus]
) -> list[Trial]:
    if definition.method == "pair":
        return _pair_trials(participant, slots)
    references = {s.content: s.pk for s in stimuli if s.role == Stimulus.Role.REFERENCE}
    contents = {s.pk: s.content for s in stimuli}
    trials = []
    for slot in slots:
        key, _ = cast(Key, slot.unit.key)
        other = references.get(contents[key]) if definition.method == "dcr" else None
        trials.append(Trial(participant=participant, stimulus_id=key, other_id=other, phase=slot.phase))
    return trials


def _pair_trials(participant: Participant, slots: Iterable[Slot]) -> list[Trial]:
    """Put each pair's images in the order that was shown less often so far: no image gains by its place."""
    shown = (
        _live(participant.study).order_by().values_list("stimulus_id", "other_id").annotate(count=Count("pk"))
    )
    times: Counter[Key] = Counter({(first, second): count for first, second, count in shown})
    rng = random.Random(participant.seed)  # noqa: S311 - a design, not a secret
    trials = []
    for slot in slots:
        a, b = cast("tuple[int, int]", slot.unit.key)
        if (times[(a, b)], rng.random()) > (times[(b, a)], rng.random()):
            a, b = b, a
        times[(a, b)] += 1
        trials.append(Trial(participant=participant, stimulus_id=a, other_id=b, phase=slot.phase))
    return trials
