"""Means of items and their variances, with participants as the unit.

One participant's ratings of one item are correlated. The interval of a mean therefore counts participants, not
ratings: the ratio estimator of W. Cochran, Sampling Techniques, 1977, section 2.11, with participants as clusters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from survey.analysis.scale import ACR, Scale
from survey.analysis.table import Coded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_REPEATS = 10
"""Degrees of freedom within participants below which a repeated rating counts as no new information."""


@dataclass(frozen=True)
class Cells:
    """Ratings of one participant and item put together; ``weight`` such participants. Sorted by item.

    Attributes:
        item, weight, n: codes, participants and ratings of each of them, shape (cells,).
        total: sum of one participant's ratings, as whole numbers.
    """

    item: Ints
    weight: Ints
    n: Ints
    total: Ints


@dataclass(frozen=True)
class Tally:
    """What means and intervals of items are made of, each of shape (items,).

    Attributes:
        n, participants: ratings, and the participants that gave them.
        mean: of all ratings; NaN without any.
        variance: of all ratings (ddof 1); NaN for fewer than two, exactly 0 where all agree.
        mean_variance: of the mean, by the ratio estimator; ``variance / n`` where each participant rated once; NaN for
            fewer than two participants.
        per_participant: ratings a participant, those who gave many counted more (Σ n_ij² / n_j, from 1); NaN without
            ratings.
        within: mean square of the ratings of one participant and item about their mean, over all items; NaN without
            repeats.
        within_freedom: its degrees of freedom.
        unit, origin: a whole number of ``cells`` is rating = origin + unit × number.
    """

    scale: Scale
    n: Ints
    participants: Ints
    mean: Floats
    variance: Floats
    mean_variance: Floats
    per_participant: Floats
    within: float
    within_freedom: int
    cells: Cells
    unit: float
    origin: float


def tally(ratings: Coded) -> Tally:
    """Sum the ratings of each item."""
    whole = ratings.whole
    key = ratings.item * len(ratings.participants) + ratings.participant
    cell, inverse = np.unique(key, return_inverse=True)
    item = cell // max(1, len(ratings.participants))
    n = np.bincount(inverse, minlength=len(cell))
    items = len(ratings.items)
    centre = _centre(ratings.item, whole.number, np.ones_like(whole.number), items)
    deviation = whole.number - centre[ratings.item]
    sums = _sums(inverse, deviation, len(cell))
    squares = np.asarray(np.bincount(inverse, deviation.astype(np.float64) ** 2, len(cell)), np.float64)
    cells = Cells(item, np.ones_like(n), n, sums + n * centre[item])
    result = _tally(cells, sums, squares, centre, ratings.scale, whole.unit, whole.origin)
    return result if ratings.scale.step is not None else _with_all_digits(result, ratings, inverse)


def _with_all_digits(rounded: Tally, ratings: Coded, cell: Ints) -> Tally:
    """Return the moments of a continuous scale from all digits of the ratings; whole numbers may have fewer.

    Args:
        rounded: The tally from whole numbers.
        ratings: The ratings.
        cell: Place of each rating among the cells.
    """
    items, n = len(ratings.items), rounded.n
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(ratings.item, ratings.rating, items) / n
        deviation = ratings.rating - mean[ratings.item]
        variance = np.bincount(ratings.item, deviation**2, items) / (n - 1.0)
        excess = np.bincount(cell, deviation, len(rounded.cells.item)) ** 2
        k = rounded.participants
        ratio = k / (k - 1.0) * np.bincount(rounded.cells.item, excess, items) / n**2.0
        ratio = np.where(n == k, variance / n, ratio)
    return replace(
        rounded,
        mean=np.where(n > 0, mean, np.nan),
        variance=np.where(rounded.variance > 0, variance, rounded.variance),
        mean_variance=np.where(rounded.mean_variance > 0, ratio, rounded.mean_variance),
    )


def tally_counts(counts: ArrayLike, scale: Scale = ACR) -> Tally:
    """Return the tally from counts of ratings, each by another participant.

    Args:
        counts: Ratings of each item in each category, shape (items, categories).
        scale: Of the ratings.

    Raises:
        ValueError: If the scale is continuous.
    """
    counts = np.asarray(counts, np.int64)
    if scale.categories is None:
        raise ValueError("a continuous scale has no categories")
    whole = scale.whole(np.asarray(scale.categories, np.float64))
    item, category = np.nonzero(counts)
    weight = counts[item, category]
    centre = _centre(item, whole.number[category], weight, len(counts))
    deviation = whole.number[category] - centre[item]
    cells = Cells(item, weight, np.ones_like(weight), whole.number[category])
    return _tally(
        cells, deviation, deviation.astype(np.float64) ** 2, centre, scale, whole.unit, whole.origin
    )


def tally_moments(n: ArrayLike, mean: ArrayLike, variance: ArrayLike, scale: Scale = ACR) -> Tally:
    """Return the tally from moments of ratings, each by another participant; it has no ``cells``.

    Args:
        n: Ratings of each item, shape (items,).
        mean: Of each item; ignored where there are none.
        variance: Of each item (ddof 1); ignored for fewer than two.
        scale: Of the ratings.
    """
    count, none = np.asarray(n, np.int64), np.empty(0, np.int64)
    spread = np.where(count > 1, np.asarray(variance, np.float64), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Tally(
            scale=scale,
            n=count,
            participants=count,
            mean=np.where(count > 0, np.asarray(mean, np.float64), np.nan),
            variance=spread,
            mean_variance=spread / count,
            per_participant=np.where(count > 0, 1.0, np.nan),
            within=float("nan"),
            within_freedom=0,
            cells=Cells(none, none, none, none),
            unit=1.0,
            origin=0.0,
        )


def _centre(item: Ints, number: Ints, weight: Ints, items: int) -> Ints:
    """Return a whole number near each item's mean, so that sums of squares around it lose no digits."""
    n = np.bincount(item, weight, items)
    return np.rint(np.bincount(item, weight * number.astype(np.float64), items) / np.maximum(n, 1)).astype(
        np.int64
    )


def _sums(codes: Ints, values: Ints, size: int) -> Ints:
    return np.rint(np.bincount(codes, values, size)).astype(np.int64)


def _tally(
    cells: Cells, sums: Ints, squares: Floats, centre: Ints, scale: Scale, unit: float, origin: float
) -> Tally:
    """Args: sums, squares: of each cell's ratings about the item's centre."""
    item, weight, items = cells.item, cells.weight, len(centre)
    n = _sums(item, weight * cells.n, items)
    participants = _sums(item, weight, items)
    total = _sums(item, weight * sums, items)
    square = np.bincount(item, weight * squares, items)
    # Whole numbers, so that equal means of participants leave exactly no variance.
    excess = (n[item] * sums - total[item] * cells.n).astype(np.float64)
    between = np.bincount(item, weight * excess**2, items)
    freedom = int(weight @ (cells.n - 1))
    inner = np.where(cells.n > 1, squares - sums.astype(np.float64) ** 2 / cells.n, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = origin + unit * ((centre * n + total) / n)
        variance = np.where(
            n > 1, unit**2 * (n * square - total.astype(np.float64) ** 2) / (n * (n - 1.0)), np.nan
        )
        ratio = unit**2 * participants / (participants - 1.0) * between / n.astype(np.float64) ** 4
        mean_variance = np.where(n == participants, variance / n, ratio)
        per_participant = np.bincount(item, weight * cells.n**2, items) / n
    return Tally(
        scale=scale,
        n=n,
        participants=participants,
        mean=np.where(n > 0, mean, np.nan),
        variance=variance,
        mean_variance=np.where(participants > 1, mean_variance, np.nan),
        per_participant=per_participant,
        within=unit**2 * float(weight @ inner) / freedom if freedom else float("nan"),
        within_freedom=freedom,
        cells=cells,
        unit=unit,
        origin=origin,
    )


class Clustering(NamedTuple):
    """How repeated ratings of one participant go together.

    Attributes:
        correlation: of two ratings of one item by one participant, 0..1; 0 without repeats.
        inflation: variance of ratings of different participants over the mean of the items' ``variance``.
        effect: design effect of each item, shape (items,), from 1: ``n / effect`` ratings of different participants
            would be as sure.
    """

    correlation: float
    inflation: float
    effect: Floats


def clustering(items: Tally, *, fewest: int = FEWEST_REPEATS) -> Clustering:
    """Estimate the correlation of repeated ratings over the whole question by the method of moments.

    One correlation is taken for all items. With fewer than ``fewest`` degrees of freedom it is 1.
    """
    if items.within_freedom == 0:
        return Clustering(0.0, 1.0, np.ones(len(items.n)))
    several = items.n > 1
    spread = float(items.variance[several].mean())
    share = float(((items.per_participant[several] - 1) / (items.n[several] - 1)).mean())
    within = items.within if items.within_freedom >= fewest else 0.0
    correlation, inflation = 1.0, 1.0
    if share < 1 and spread > 0:
        between_people = (spread - share * within) / (1 - share)
        inflation = between_people / spread
        correlation = float(np.clip(1 - within / between_people, 0, 1)) if between_people > 0 else 0.0
    return Clustering(correlation, max(inflation, 0.0), 1 + (items.per_participant - 1) * correlation)
