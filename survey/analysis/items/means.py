"""Each participant's mean rating of each item: the unit of everything that must not count a repeat twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey.analysis.table import Coded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ParticipantMeans:
    """Ratings of one participant and item put together, sorted by participant, then item.

    Attributes:
        participant, item: codes, shape (pairs,).
        n, total: number and sum of the pair's ratings; ``mean`` is their quotient.
        first: the first of the ratings in the table's order.
    """

    participant: Ints
    item: Ints
    n: Ints
    total: Ints
    first: Ints

    @property
    def mean(self) -> Floats:
        return self.total / self.n


def participant_means(ratings: Coded) -> ParticipantMeans:
    items = len(ratings.items)
    key = ratings.participant * items + ratings.item
    unique, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return ParticipantMeans(
        unique // items,
        unique % items,
        np.bincount(inverse, minlength=len(unique)),
        np.bincount(inverse, ratings.rating, len(unique)).astype(np.int64),
        ratings.rating[first],
    )


def by_item(ratings: Coded, some: Ints) -> Floats:
    """Dense participants × ``some`` items matrix of means, NaN where there is no rating."""
    means = participant_means(ratings)
    place = np.full(len(ratings.items), -1)
    place[some] = np.arange(len(some))
    wanted = place[means.item] >= 0
    matrix = np.full((len(ratings.participants), len(some)), np.nan)
    matrix[means.participant[wanted], place[means.item[wanted]]] = means.mean[wanted]
    return matrix


@dataclass(frozen=True)
class CompleteBlock:
    """Participants × items without a gap, or None where there is none of at least 2 × 2; ``rule`` says which part."""

    scores: Floats | None
    rule: str


def complete_block(ratings: Coded) -> CompleteBlock:
    """The items that every participant rated or, if fewer than two are, the participants who rated every item."""
    means = participant_means(ratings)
    people, things = len(ratings.participants), len(ratings.items)
    of_item = np.bincount(means.item, minlength=things)
    of_person = np.bincount(means.participant, minlength=people)
    items, everyone = np.flatnonzero(of_item == people), np.arange(people)
    rule = f"{len(items)} of {things} items, those that all {people} participants rated"
    if len(items) < 2:
        items, everyone = np.arange(things), np.flatnonzero(of_person == things)
        rule = f"{len(everyone)} of {people} participants, those who rated all {things} items"
    if len(items) < 2 or len(everyone) < 2:
        return CompleteBlock(None, "no two items that all rated, nor two participants who rated all")
    return CompleteBlock(by_item(ratings, items)[everyone], rule)
