"""How lists show studies: cards with their state and the one act that comes next, and names that tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse

from survey.models import Stimulus, Study
from survey.study.definition import definition_of
from survey.study.readiness import blocking
from survey.study.stopping import pause_note

PICTURES: Final = 4
#: What asks people to take part; a share link is another thing, and shows results.
INVITE: Final = "Link for participants"
#: Those that need something come first.
_ORDER: Final = {state: place for place, state in enumerate(("draft", "open", "paused", "closed"))}


@dataclass(frozen=True)
class Card:
    """One study: a line of fact, the names of some images, and what its one button says and opens."""

    study: Study
    fact: str
    pictures: list[str]
    act: str
    address: str
    is_own: bool


def cards(studies: Iterable[Any], own: set[int]) -> list[Card]:
    """Return the cards of studies with their counts (`survey.results.counts`)."""
    found = [_card(study, study.pk in own) for study in studies]
    # Stable: within a state the order stays, newest first.
    return sorted(found, key=lambda card: _ORDER.get(card.study.state, len(_ORDER)))


def names(studies: Iterable[Study]) -> list[tuple[str, str]]:
    """Return (slug, title) of each study for a drop-down; equal titles have their slug behind them."""
    found = [(study.slug, study.title) for study in studies]
    often = Counter(title for _, title in found)
    return [(slug, f"{title} ({slug})" if often[title] > 1 else title) for slug, title in found]


def _card(study: Any, is_own: bool) -> Card:
    act, page = _next_act(study, is_own)
    rated = study.stimuli.filter(role=Stimulus.Role.MAIN).order_by("pk")
    return Card(
        study,
        _fact(study, is_own),
        list(rated.values_list("name", flat=True)[:PICTURES]),
        act,
        reverse(page, args=[study.slug]) + ("#link" if act == INVITE else ""),
        is_own,
    )


def _next_act(study: Study, is_own: bool) -> tuple[str, str]:
    if is_own and study.state == Study.State.DRAFT:
        return "Continue set-up", "setup"
    if is_own and study.state == Study.State.OPEN and study.takes_people:
        return INVITE, "setup"
    return "Results", "results"


def _fact(study: Any, is_own: bool) -> str:
    images = f"{study.images} image{'s' * (study.images != 1)}"
    if study.state == Study.State.DRAFT:
        left = len(blocking(study, definition_of(study.version))) if is_own else 0
        todo = f"{left} thing{'s' * (left != 1)} left before it can open" if left else "ready to open"
        return f"{images} · {todo}" if is_own else f"{images} · not open yet"
    if not study.people:
        return f"{images} · nobody has begun"
    several = "simulated people" if study.is_simulated else "people"
    people = (
        f"1 {several.replace('people', 'person')} has"
        if study.people == 1
        else f"{study.people} {several} have"
    )
    stop = pause_note(study)
    return f"{images} · {people} begun, {study.finished} finished{f' · {stop}' if stop else ''}"
