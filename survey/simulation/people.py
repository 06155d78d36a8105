"""Simulated participants take part in a study like people, through its services or through a server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from django.db import transaction
from django.forms import ChoiceField
from django.utils import timezone

from survey.access.audit import COMMAND, record
from survey.access.locking import locked
from survey.analysis.planning import simulation
from survey.analysis.planning.retrieval import preference_retrieval, retrieval
from survey.analysis.scale import ACR, plain_number
from survey.analysis.summary import Summary
from survey.models import AuditEntry, Participant, Preference, Stimulus, Study, Trial
from survey.results.collect import checked
from survey.results.tidy_table import preference_table, scales_of, tidy_table
from survey.session import answering, finishing, own_answers, progress, refusals, starting
from survey.session.answering import Showing
from survey.session.forms import AboutForm
from survey.study.definition import Definition, definition_for
from survey.study.lifecycle import copy, undo_copy
from survey.study.own_questions import Answer, OwnQuestion

# Latent qualities of the images on a scale from 1 to 5: a typical range in studies of stylised images.
QUALITY_RANGE = (2.2, 4.6)

# How long a study made by a command can be simulated without confirmation.
_NEW: Final = dt.timedelta(hours=1)

#: What simulated people write.
SAID: Final = "Simulated words"

#: Kinds of people who answer traps and gold images correctly. The others rate them like any image.
HEEDFUL: Final = ("honest", "fast")


class SimulationError(Exception):
    """A study that cannot be simulated; the message is one line that gives the fix."""


@dataclass(frozen=True)
class Person:
    """One simulated participant: their answers and response times.

    votes: {question: {item: rating}} for the first presentation; for a further one the key is `again(item)`.
    expecting: The questions that a gold or a trap has the answer to, those on the first question's scale.
    """

    kind: str
    votes: Mapping[str, Mapping[str, float]]
    rt_ms: Mapping[str, float]
    pair: bool
    expecting: frozenset[str]

    def answers(self, stimulus: Stimulus, other: Stimulus | None, *, further: bool) -> dict[str, Any]:
        """Return the answer to each question about an image, or about a pair of images as shown."""
        return {key: self._answer(key, stimulus, other, further) for key in self.votes}

    def _answer(self, key: str, stimulus: Stimulus, other: Stimulus | None, further: bool) -> Any:
        if stimulus.expected is not None and key in self.expecting and self.kind in HEEDFUL:
            return stimulus.expected
        votes = self.votes[key]
        first = votes[again(stimulus.item) if further else stimulus.item]
        if other is None or not self.pair:
            return first
        second, choice = votes[other.item], Preference.Choice
        return choice.TIE if first == second else choice.FIRST if first > second else choice.SECOND


@dataclass(frozen=True)
class Cast:
    """The people of one simulation, and the true scores behind their votes: {question: item, mos}."""

    people: list[Person]
    truth: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Outcome:
    """The participants of a simulation: {participant: kind}."""

    study: Study
    kinds: Mapping[str, str]
    truth: Mapping[str, pd.DataFrame]

    @cached_property
    def report(self) -> Summary:
        """How well the analysis of their ratings recovers the true scores (`retrieval`)."""
        pair = self.study.method == Study.Method.PAIR
        table = preference_table(self.study) if pair else tidy_table(self.study)
        mine = table[table["participant"].isin(list(self.kinds))].reset_index(drop=True)
        if pair:
            return preference_retrieval(mine, self.truth, self.kinds)
        return retrieval(checked(self.study, mine), self.truth, self.kinds)


def simulate(
    study: Study,
    *,
    participants: int,
    seed: int,
    careless: float = 0.0,
    play: Callable[[Study, Person], str] | None = None,
    copy_as: str = "",
) -> Outcome:
    """Let simulated people take part in a study, each from consent to the last page.

    The votes follow the subject model of ITU-T P.910 Annex E (quality + bias + inconsistency, rounded to the scale).
    The study is marked as simulated. The same seed gives the same people and the same votes.

    Args:
        study: The study.
        participants: Number of people.
        seed: Seed of the random numbers.
        careless: Share of people who are not honest, in equal parts of each kind of
            `analysis.simulation.CARELESS`.
        play: Plays one person's session and returns their code; `play_by_services` by default.
        copy_as: Simulate a copy of the study under this name, which is there once somebody has taken part in it.

    Raises:
        SimulationError: If real people have taken part, or the study is not open.
        PublishError: If the copy's name is taken or not fit for an address.
    """
    files: list[str] = []
    newly = False
    try:
        # In one transaction, unless a server must see it: there is a first participant, or neither copy nor mark.
        with transaction.atomic() if play is None else nullcontext():
            if copy_as:
                study = copy(study, copy_as, None, simulated=True, owner=study.owner)
                files = list(study.stimuli.values_list("image", flat=True))
            newly = _mark(study, participants=participants, seed=seed, careless=careless)
            before = study.participants.filter(is_simulated=True).count()
            cast = draw_cast(study, participants, seed, careless, before)
            first, *others = cast.people
            kinds = {(play or play_by_services)(study, first): first.kind}
    except BaseException as error:
        if copy_as and files:
            undo_copy(study, files)
        elif play is not None and isinstance(error, SimulationError) and newly:
            _unmark(study)
        raise
    for person in others:
        if Study.objects.filter(pk=study.pk, state=Study.State.PAUSED).exists():
            break  # Its own rule paused it, as it would with people.
        kinds[(play or play_by_services)(study, person)] = person.kind
    return Outcome(study, kinds, cast.truth)


@transaction.atomic
def _mark(study: Study, **asked: float) -> bool:
    """Mark a study as simulated and log it; return whether the mark is new."""
    study = locked(Study.objects, study.pk)
    refuse_people(study)
    if study.state != Study.State.OPEN:
        raise SimulationError(
            f"study {study.slug!r} is {study.state}: open it first, or `simulate {study.slug} --copy`"
        )
    newly, study.is_simulated = not study.is_simulated, True
    study.save(update_fields=["is_simulated"])
    record("study.simulate", study, None, **asked)
    return newly


@transaction.atomic
def _unmark(study: Study) -> None:
    """Remove the mark from a study that no simulated person could enter."""
    if not study.participants.exists():
        Study.objects.filter(pk=study.pk).update(is_simulated=False)
        record("study.simulate", study, None, participants=0)


def refuse_people(study: Study) -> None:
    """Raise SimulationError where people have begun the study: no program may join them."""
    if study.participants.filter(is_simulated=False, is_preview=False).exists():
        raise SimulationError(
            f"study {study.slug!r} has answers of people: `simulate {study.slug} --copy` simulates a copy of it"
        )


def is_in_use(study: Study) -> bool:
    """Return whether people may be using this open study, so that simulating it needs confirmation.

    It is False only for a study that a command made within the last hour and that nobody has used since.
    """
    if not study.takes_people:
        return False
    traces = (study.participants, study.invitations, study.share_links, study.viewers)
    is_new = timezone.now() - study.created_at < _NEW
    by_people = AuditEntry.objects.filter(study=study).exclude(who=COMMAND)
    return not is_new or by_people.exists() or any(rows.exists() for rows in traces)


def draw_cast(study: Study, participants: int, seed: int, careless: float, before: int = 0) -> Cast:
    """Return the next `participants` people after the first `before` of a seed."""
    items = sorted(study.stimuli.values_list("item", flat=True))
    kinds = ["honest"] * before + _kinds(participants, careless)
    votes, times, truth = {}, {}, {}
    scales = scales_of(study)
    for number, (key, scale) in enumerate(scales.items()):
        usual = np.random.default_rng([seed, number]).uniform(*QUALITY_RANGE, len(items))
        quality = scale.low + (usual - ACR.low) * (scale.range / ACR.range)
        # A second copy of each image has the votes of a further presentation.
        names = [*items, *map(again, items)]
        drawn = simulation.simulate(
            [*quality, *quality], len(kinds), items=names, kinds=kinds, seed=seed + number, scale=scale
        )
        truth[key] = drawn.items.loc[drawn.items["item"].isin(items), ["item", "mos"]]
        votes[key] = _by_person(drawn.table, "rating")
        times[number] = _by_person(drawn.table, "rt_ms")
    pair = study.method == Study.Method.PAIR
    expecting = frozenset(key for key, scale in scales.items() if scale == next(iter(scales.values())))
    people = [
        Person(
            kind=kinds[i],
            votes={key: of[f"p{i + 1}"] for key, of in votes.items()},
            rt_ms=times[0][f"p{i + 1}"],
            pair=pair,
            expecting=expecting,
        )
        for i in range(before, len(kinds))
    ]
    return Cast(people, truth)


def _by_person(table: pd.DataFrame, column: str) -> dict[str, dict[str, float]]:
    """Return {participant: {item: value}}, whole numbers as int."""
    people: dict[str, dict[str, float]] = {}
    values = map(plain_number, table[column].tolist())
    for person, item, value in zip(table["participant"], table["item"], values, strict=True):
        people.setdefault(person, {})[item] = value
    return people


def _kinds(participants: int, careless: float) -> list[str]:
    """Distribute careless people evenly, so that the first n people have their share of them."""
    count = round(careless * participants)
    kinds = ["honest"] * participants
    for i in range(count):
        kinds[int((i + 0.5) * participants / count)] = simulation.CARELESS[i % len(simulation.CARELESS)]
    return kinds


def again(item: str) -> str:
    """Return the name of an item's vote at a further presentation."""
    return f"{item} again"


def play_by_services(study: Study, person: Person) -> str:
    """Play one person's session through the services of the pages; return their code."""
    try:
        participant = starting.start(study, is_simulated=True)
    except refusals.Refused as error:
        raise SimulationError(f"study {study.slug!r} accepts no participants now: {error.code}") from error
    definition = definition_for(participant)
    if asked := _screening_answers(definition):
        starting.screen(participant, asked)
    drawn = np.random.default_rng(participant.seed)
    if definition.viewing.asks:
        starting.tell_viewing(participant, _viewing_answers(definition, drawn))
    if before := definition.asked_of_person("before"):
        finishing.tell_before(participant, own_answers_of(before, definition, drawn))
    while trial := progress.next_trial(participant):
        further = trial.phase == Trial.Phase.REPEAT
        other = trial.other if person.pair else None
        name = again(trial.stimulus.item) if further else trial.stimulus.item
        answering.rate(
            trial.token,
            person.answers(trial.stimulus, other, further=further),
            own=own_values_of(definition.asked_of_images, drawn),
            revision=trial.revision,
            showing=Showing(rt_ms=round(person.rt_ms[name])),
        )
    if definition.asks_after:
        after = own_answers_of(definition.asked_of_person("after"), definition, drawn)
        finishing.tell_about(participant, {**_about_answers(definition, participant.seed), **after})
    finished = finishing.finish(participant)
    if finished.state != Participant.State.FINISHED:
        raise SimulationError(
            f"study {study.slug!r}: simulated participant {finished.code} is {finished.state} after the last image"
        )
    return participant.code


def _screening_answers(definition: Definition) -> dict[str, str]:
    """Return the screening answers of somebody with normal vision; {} without questions."""
    asked = definition.screening
    plates = {f"plate_{number}": "right" for number in range(1, asked.plates + 1)}
    eyes = {name: "yes" for name in ("display", "vision") if getattr(asked, name)}
    return eyes | plates


def _viewing_answers(definition: Definition, drawn: np.random.Generator) -> dict[str, Any]:
    """Return what somebody with a usual screen, at a usual distance, would say."""
    asked, said = definition.viewing, dict[str, Any]()
    if asked.card:
        said |= {"pixels_per_mm": round(float(drawn.uniform(3.2, 6.4)), 3), "dpr": 1.0}
    if asked.distance:
        said |= {"distance_by": "said", "distance_cm": round(float(np.clip(drawn.normal(60, 10), 30, 100)))}
    return said


def _about_answers(definition: Definition, seed: int) -> dict[str, str]:
    """Return answers to the questions about the person, drawn at random by the seed."""
    drawn = np.random.default_rng(seed)
    fields = AboutForm(asked=definition.about, adults_only=definition.consent.adults_only).fields
    choices = {
        name: [value for value, _ in cast(Any, field.choices) if value]
        for name, field in fields.items()
        if isinstance(field, ChoiceField)
    }
    return {name: str(drawn.choice(values)) for name, values in choices.items()}


def own_values_of(questions: Sequence[OwnQuestion], drawn: np.random.Generator) -> dict[str, list[str]]:
    """Return what a form would send of somebody who answers each of a study's own questions."""
    sent = {}
    for question in questions:
        numbers = question.numbers
        sent[question.key] = [str(drawn.choice(numbers))] if numbers else [SAID[: question.max_length]]
    return sent


def own_answers_of(
    questions: Sequence[OwnQuestion], definition: Definition, drawn: np.random.Generator
) -> dict[str, Answer]:
    """Return those answers as they are kept."""
    return own_answers.read(questions, own_values_of(questions, drawn), definition.languages[0])[0]
