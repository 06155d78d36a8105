"""The pairs of a pair study: which there are, which one person compares by the study's rule, and which side each is on."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.db.models import Count

from survey.models import Participant, Preference, Study
from survey.session.design import Slot, Unit
from survey.session.rating_sql import Drawn
from survey.study.votes import Place

if TYPE_CHECKING:
    from survey.analysis.pairs.gain import PairState


class Image(Protocol):
    """What pairs are made of: a stimulus, or what was read of it."""

    @property
    def pk(self) -> int: ...
    @property
    def content(self) -> str: ...
    @property
    def condition(self) -> str: ...


#: How much of a choice each answer is for the image shown first: a tie is half to each.
_SHARE: Final = {"first": 1.0, "second": 0.0, "tie": 0.5}


def all_pairs(stimuli: Iterable[Image], seen: Collection[Place]) -> list[Unit]:
    """Return all pairs of images of one content (of all images, where contents are not known)."""
    return [
        _unit(a, b)
        for some in _by_content(stimuli).values()
        for a, b in combinations(some, 2)
        if (a.pk, b.pk) not in seen
    ]


def informative_pairs(
    study: Study,
    stimuli: Sequence[Image],
    places: Counter[Place],
    seen: Collection[Place],
    count: int | None,
    seed: int,
) -> list[Unit]:
    """Return the pairs whose answers are expected to tell most about the images' scores, for one person.

    Call it with the study's row locked, as `assign` does: the pairs of other sessions that wait for an answer are on
    loan, so that the next person gets others.

    Args:
        stimuli: the images that are rated, by their keys.
        places: the votes that each pair as shown has or is about to get (`votes.counted`).
        seen: the pairs that this person had before.
        count: how many pairs; None for one batch, a spanning tree of each content's images.
        seed: decides between pairs of the same gain.
    """
    drawn = draw_informative(pair_state(study, stimuli, places), stimuli, seen, count, seed)
    return [_unit(stimuli[i], stimuli[j]) for i, j in drawn]


def draw_informative(
    state: PairState, stimuli: Sequence[Image], seen: Collection[Place], count: int | None, seed: int
) -> list[tuple[int, int]]:
    """Return the places among `stimuli` of the pairs that one person would be given, greatest gain first."""
    # Imported here, since every command imports this module and scipy takes a second.
    import numpy as np

    from survey.analysis.pairs.gain import next_pairs

    allowed = np.zeros(state.lent.shape, dtype=bool)
    place = {stimulus.pk: number for number, stimulus in enumerate(stimuli)}
    for some in _by_content(stimuli).values():
        rows = [place[stimulus.pk] for stimulus in some]
        allowed[np.ix_(rows, rows)] = True
    for a, b in seen:
        if b is not None and a in place and b in place:
            allowed[place[a], place[b]] = allowed[place[b], place[a]] = False
    return next_pairs(state, allowed, count, np.random.default_rng(seed))


def pair_state(study: Study, stimuli: Sequence[Image], places: Counter[Place]) -> PairState:
    """Return how the pairs of these images were judged so far, and which are being shown now, by two queries."""
    import numpy as np

    from survey.analysis.pairs.gain import PairState

    size = len(stimuli)
    place = {stimulus.pk: number for number, stimulus in enumerate(stimuli)}
    questions = list(study.questions.order_by("position").values_list("pk", flat=True))
    wins = {question: np.zeros((size, size)) for question in questions}
    for question, a, b, value, n in _choices(study):
        if a in place and b in place:
            wins[question][place[a], place[b]] += n * _SHARE[value]
            wins[question][place[b], place[a]] += n * (1 - _SHARE[value])
    promised = np.zeros((size, size))
    for (a, b), n in places.items():
        if b is not None and a in place and b in place:
            promised[place[a], place[b]] += n
            promised[place[b], place[a]] += n
    answered = [matrix + matrix.T for matrix in wins.values()]
    lent = np.maximum(promised - np.maximum.reduce(answered), 0)
    return PairState(tuple(wins.values()), lent)


def _choices(study: Study) -> Iterable[tuple[Any, ...]]:
    """Return (question, first, second, answer, how often) of the trials that count."""
    rows = Preference.objects.filter(trial__participant__study=study, trial__counted=True)
    shown = rows.order_by().values_list("question_id", "trial__stimulus_id", "trial__other_id", "value")
    return shown.annotate(n=Count("pk"))


def pair_trials(participant: Participant, slots: Iterable[Slot], places: Counter[Place]) -> list[Drawn]:
    """Put each pair's images in the order that was shown less often so far: no image gains by its place."""
    times = Counter(places)
    rng = random.Random(participant.seed)  # noqa: S311 - a design, not a secret
    trials = []
    for slot in slots:
        a, b = slot.unit.images
        if (times[(a, b)], rng.random()) > (times[(b, a)], rng.random()):
            a, b = b, a
        times[(a, b)] += 1
        trials.append(Drawn((a, b), slot.phase, slot.block or None))
    return trials


def _unit(a: Image, b: Image) -> Unit:
    return Unit((a.pk, b.pk), a.content, f"{a.condition}\n{b.condition}", (a.pk, b.pk), (a.pk, b.pk))


def _by_content(stimuli: Iterable[Image]) -> dict[str, list[Image]]:
    by_content: defaultdict[str, list[Image]] = defaultdict(list)
    for stimulus in stimuli:
        by_content[stimulus.content].append(stimulus)
    return by_content
