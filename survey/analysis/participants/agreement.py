"""Agreement of participants: Krippendorff's alpha and intraclass correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from survey.analysis.distributions import CONFIDENCE, f_quantile
from survey.analysis.items.means import participant_means
from survey.analysis.table import Coded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Level = Literal["ordinal", "interval"]

MAX_ORDINAL = 21
"""Categories up to which the ordinal alpha is computed: on finer scales the interval alpha says the same."""

RESAMPLES = 1000
_TAIL = (1 - CONFIDENCE) / 2


class FirstRatings(NamedTuple):
    """Each participant's first rating of each item, sorted by item: what agreement is computed from.

    Attributes:
        item, number: the item's code, and the rating as a whole number, shape (pairs,).
        category: the rating's place among the categories that were used; None where there are too many.
        items, categories: how many there are.
    """

    item: Ints
    number: Ints
    category: Ints | None
    items: int
    categories: int


def first_ratings(ratings: Coded) -> FirstRatings:
    means = participant_means(ratings)
    order = np.argsort(means.item, kind="stable")
    first = means.first[order]
    number = ratings.whole.number[first]
    used, category = np.unique(number, return_inverse=True)
    fine = ratings.scale.categories is None or len(ratings.scale.categories) > MAX_ORDINAL
    return FirstRatings(means.item[order], number, None if fine else category, len(ratings.items), len(used))


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha with the percentile interval of a bootstrap over items; NaN where undefined."""

    value: float
    low: float
    high: float


def krippendorff_alpha(ratings: FirstRatings, *, seed: int = 0) -> dict[Level, Alpha]:
    """Return alpha for any number of participants, also with missing ratings.

    The distance of two ratings is the squared difference of ranks (ordinal) or of values (interval).

    Args:
        ratings: Items with fewer than two ratings have no influence.
        seed: Of the bootstrap, with 1000 resamples of the items.

    Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011. It is implemented here, because the
    bootstrap needs a thousand tables at once. Tests compare it with the package ``krippendorff``.
    """
    n = np.bincount(ratings.item, minlength=ratings.items)
    kept = n[ratings.item] >= 2
    rated, item = np.unique(ratings.item[kept], return_inverse=True)
    many, n = len(rated), n[rated]
    rng = np.random.default_rng(seed)
    drawn = [
        np.bincount(rng.integers(many, size=many), minlength=many) for _ in range(RESAMPLES if many else 0)
    ]
    weight = np.array([np.ones(many, np.int64), *drawn])
    result: dict[Level, Alpha] = {}
    result["ordinal"] = _with_interval(_ordinal(ratings, kept, item, n, weight))
    result["interval"] = _with_interval(_interval(ratings.number[kept], item, n, weight))
    return result


def _with_interval(values: Floats) -> Alpha:
    """Return the first value with the percentile interval of the others."""
    value, resampled = values[0], values[1:]
    ends = np.nanquantile(resampled, [_TAIL, 1 - _TAIL]) if np.isfinite(value) else (np.nan, np.nan)
    return Alpha(float(value), float(ends[0]), float(ends[1]))


def _interval(number: Ints, item: Ints, n: Ints, weight: Ints) -> Floats:
    """Return alpha of each row of ``weight``, how often each item is taken; NaN where all ratings are equal."""
    d = (number - int(np.rint(number.mean()))).astype(np.float64) if len(number) else np.zeros(0)
    total, square = np.bincount(item, d, len(n)), np.bincount(item, d**2, len(n))
    within = np.maximum(n * square - total**2, 0) / (n - 1)
    pairs = weight @ n
    all_total, all_square = weight @ total, weight @ square
    spread = pairs * all_square - all_total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, 1 - (pairs - 1.0) * (weight @ within) / spread, np.nan)


def _ordinal(ratings: FirstRatings, kept: NDArray[np.bool_], item: Ints, n: Ints, weight: Ints) -> Floats:
    """Return the same on ranks, from the coincidences of categories; NaN where there are too many categories."""
    if ratings.category is None:
        return np.full(len(weight), np.nan)
    k = ratings.categories
    counts = np.bincount(item * k + ratings.category[kept], minlength=len(n) * k).reshape(-1, k)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(k, dtype=int)
    observed = (weight @ (pairs / (n - 1)[:, None, None]).reshape(-1, k * k)).reshape(-1, k, k)
    margin = observed.sum(axis=2)
    rank = margin.cumsum(axis=1) - margin / 2
    distance = (rank[:, :, None] - rank[:, None, :]) ** 2
    expected = margin[:, :, None] * margin[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (observed * distance).sum(axis=(1, 2)) / (expected * distance).sum(axis=(1, 2))
    return np.asarray(1 - (margin.sum(axis=1) - 1) * ratio)


@dataclass(frozen=True)
class ICC:
    """Intraclass correlation of one rating and of the mean of ``k``, absolute agreement, with 95 % intervals."""

    single: float
    single_low: float
    single_high: float
    mean: float
    mean_low: float
    mean_high: float
    k: int


def icc_2(scores: Floats) -> ICC:
    """ICC(2,1) and ICC(2,k), also called ICC(A,1) and ICC(A,k), from the mean squares of a two-way layout.

    Args:
        scores: participants × items without a gap, at least 2 × 2.

    Returns:
        NaN where nothing varies.

    Source: P. Shrout, J. Fleiss, 1979; intervals K. McGraw, S. Wong, 1996, table 7.
    """
    k, n = scores.shape
    grand = scores.mean()
    rows, columns = scores.mean(axis=0) - grand, scores.mean(axis=1) - grand
    ms_item = k * (rows @ rows) / (n - 1)
    ms_participant = n * (columns @ columns) / (k - 1)
    residual = scores - grand - rows[None, :] - columns[:, None]
    ms_error = (residual**2).sum() / ((n - 1) * (k - 1))
    spread = k * ms_participant + (k * n - k - n) * ms_error
    # With few degrees of freedom the quantiles of F overflow a double.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        single = n * (ms_item - ms_error) / (n * ms_item + spread)
        share = k * single / (n * (1 - single))
        x, y = share * ms_participant, (1 + share * (n - 1)) * ms_error
        v = (x + y) ** 2 / (x**2 / (k - 1) + y**2 / ((n - 1) * (k - 1)))
        f_low, f_high = f_quantile(1 - _TAIL, n - 1, v), f_quantile(1 - _TAIL, v, n - 1)
        low = n * (ms_item - f_low * ms_error) / (f_low * spread + n * ms_item)
        high = n * (f_high * ms_item - ms_error) / (spread + n * f_high * ms_item)
    singles = [float(value) for value in (single, low, high)]
    means = [r * k / (1 + r * (k - 1)) for r in singles]
    return ICC(singles[0], singles[1], singles[2], means[0], means[1], means[2], k)
