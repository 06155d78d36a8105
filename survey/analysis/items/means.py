"""Each participant's mean rating of each item, for statistics that must not count a repeated rating twice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from survey.analysis.table import Coded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_WHOLE = 2.0**51
"""Whole numbers up to here, their sums and their differences are exact as doubles."""


@dataclass(frozen=True)
class ParticipantMeans:
    """Ratings grouped by participant and item, sorted by participant, then item.

    Attributes:
        participant, item: codes, shape (pairs,).
        n, total: number and sum of the pair's ratings, as whole numbers.
        unit: rating points of 1.
        mean: of the pair's ratings.
        first: place in the table of the first of the ratings.
    """

    participant: Ints
    item: Ints
    n: Ints
    total: Ints
    first: Ints
    unit: float
    mean: Floats


class Scores(NamedTuple):
    """Participants × things, NaN where missing, compared without rounding.

    Attributes:
        value: whole numbers, the means over a common denominator, so that equal differences are equal; plain means
            where the denominator would be too large for a double (their differences then agree to 1e-10).
        unit: rating points of 1.
    """

    value: Floats
    unit: float


def participant_means(ratings: Coded) -> ParticipantMeans:
    items = len(ratings.items)
    key = ratings.participant * items + ratings.item
    whole = ratings.whole
    unique, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    n = np.bincount(inverse, minlength=len(unique))
    total = np.rint(np.bincount(inverse, whole.number, len(unique))).astype(np.int64)
    if ratings.scale.step is None:
        mean = np.bincount(inverse, ratings.rating, len(unique)) / n
    else:
        mean = whole.origin + whole.unit * (total / n)
    return ParticipantMeans(unique // items, unique % items, n, total, first, whole.unit, mean)


def common_denominator(means: ParticipantMeans) -> int | None:
    """Return the least common multiple of the numbers of ratings that means are divided by.

    It is None if whole numbers over it would be too large for a double.
    """
    denominator = math.lcm(*(int(n) for n in np.unique(means.n)))
    largest = float(np.abs(means.total / means.n).max(initial=1))
    return None if denominator > LARGEST_WHOLE / largest else denominator


def by_item(ratings: Coded, some: Ints) -> Floats:
    """Return a dense matrix of means, participants × ``some`` items, NaN without a rating."""
    means = participant_means(ratings)
    return _dense(ratings, means, means.mean, some)


def exact_by_item(ratings: Coded, some: Ints) -> Scores:
    """Return the same as ``by_item``, for exact comparison."""
    means = participant_means(ratings)
    denominator = common_denominator(means)
    if denominator is None:
        return Scores(_dense(ratings, means, means.mean, some), 1.0)
    value = (means.total * (denominator // means.n)).astype(np.float64)
    return Scores(_dense(ratings, means, value, some), means.unit / denominator)


def _dense(ratings: Coded, means: ParticipantMeans, value: Floats, some: Ints) -> Floats:
    place = np.full(len(ratings.items), -1)
    place[some] = np.arange(len(some))
    wanted = place[means.item] >= 0
    matrix = np.full((len(ratings.participants), len(some)), np.nan)
    matrix[means.participant[wanted], place[means.item[wanted]]] = value[wanted]
    return matrix


@dataclass(frozen=True)
class CompleteBlock:
    """Participants × items without gaps, or None if there are not at least 2 × 2.

    ``rule`` describes the part in words. ``exact`` has the same scores for exact comparison, see ``Scores``. ``whole``: it is
    all of the data.
    """

    scores: Floats | None
    rule: str
    exact: Floats | None = None
    whole: bool = False


def complete_block(ratings: Coded) -> CompleteBlock:
    """Return the items that every participant rated or, if these are fewer than two, the participants who rated every item."""
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
    exact = exact_by_item(ratings, items).value[everyone]
    whole = len(items) == things and len(everyone) == people
    return CompleteBlock(by_item(ratings, items)[everyone], rule, exact, whole)
