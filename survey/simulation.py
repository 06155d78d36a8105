"""Simulated participants play a study through the same services as people, so that a study can be tried whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction

from survey import services
from survey.analysis import simulation
from survey.audit import record
from survey.models import Preference, Study, Trial
from survey.services import Showing

# Latent qualities of the images: the range in which studies of stylised images find most of theirs.
QUALITY_RANGE = (2.2, 4.6)


class SimulationError(Exception):
    """A study that cannot be simulated; the message is one line that names the mend."""


@dataclass(frozen=True)
class _Votes:
    """One question's votes: what each simulated person says of each image, at the first and at a further look."""

    rating: Mapping[tuple[int, str], int]
    rt_ms: Mapping[tuple[int, str], float]


def simulate(study: Study, *, participants: int, seed: int) -> int:
    """Let simulated people take part in a study, each from consent to the last page; return how many did.

    The votes follow the subject model of ITU-T P.910 Annex E (quality + bias + inconsistency, rounded to the scale).
    The study is marked as simulated. With the same seed the same people say the same of each image.

    Raises:
        SimulationError: people have taken part already, or the study takes nobody now.
    """
    _mark(study, participants, seed)
    before = study.participants.filter(is_simulated=True).count()
    votes = _draw(study, before + participants, seed)
    for person in range(before, before + participants):
        _play(study, person, votes)
    return participants


@transaction.atomic
def _mark(study: Study, participants: int, seed: int) -> None:
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.participants.filter(is_simulated=False, is_preview=False).exists():
        raise SimulationError(
            f"study {study.slug!r} has answers of people: simulate another study of the same images (create_study)"
        )
    if study.state != Study.State.OPEN:
        raise SimulationError(f"study {study.slug!r} is {study.state}: open it first")
    study.is_simulated = True
    study.save(update_fields=["is_simulated"])
    record("study.simulate", study, None, participants=participants, seed=seed)


def _draw(study: Study, people: int, seed: int) -> dict[str, _Votes]:
    """Return every question's votes; a second copy of each image holds what is said at a further look."""
    items = sorted(study.stimuli.values_list("item", flat=True))
    drawn = {}
    for number, question in enumerate(study.questions.all()):
        quality = np.random.default_rng([seed, number]).uniform(*QUALITY_RANGE, len(items))
        table = simulation.simulate(
            [*quality, *quality], people, items=[*items, *map(_again, items)], seed=seed + number
        ).table
        drawn[question.key] = _votes(table)
    return drawn


def _votes(table: pd.DataFrame) -> _Votes:
    person = table["participant"].str.removeprefix("p").astype(int) - 1
    keys = list(zip(person.tolist(), table["item"].tolist(), strict=True))
    ratings, times = table["rating"].tolist(), table["rt_ms"].tolist()
    return _Votes(dict(zip(keys, ratings, strict=True)), dict(zip(keys, times, strict=True)))


def _again(item: str) -> str:
    return f"{item} again"


def _play(study: Study, person: int, votes: Mapping[str, _Votes]) -> None:
    """Let one person take part in the whole study."""
    questions = list(study.questions.all())
    try:
        participant = services.start(study, is_simulated=True)
    except services.Refused as error:
        raise SimulationError(f"study {study.slug!r} takes nobody now: {error.code}") from error
    while trial := services.next_trial(participant):
        name = trial.stimulus.item if trial.phase != Trial.Phase.REPEAT else _again(trial.stimulus.item)
        answers = {question.key: _answer(trial, name, person, votes[question.key]) for question in questions}
        rt_ms = int(votes[questions[0].key].rt_ms[person, name])
        services.rate(trial.token, answers, revision=trial.revision, showing=Showing(rt_ms=rt_ms))
    services.finish(participant)


def _answer(trial: Trial, name: str, person: int, votes: _Votes) -> Any:
    """Return the answer to one trial; those whose answer is known (gold, trap) are answered right."""
    if trial.stimulus.expected is not None:
        return trial.stimulus.expected
    first = votes.rating[person, name]
    if trial.other is None or trial.participant.study.method != Study.Method.PAIR:
        return first
    second = votes.rating[person, trial.other.item]
    choice = Preference.Choice
    return choice.TIE if first == second else choice.FIRST if first > second else choice.SECOND
