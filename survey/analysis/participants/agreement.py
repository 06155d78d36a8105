"""How far participants agree: Krippendorff's alpha, intraclass correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from survey.analysis.items.intervals import CONFIDENCE
from survey.analysis.items.means import participant_means
from survey.analysis.table import CATEGORIES, Coded

Floats = NDArray[np.float64]
Level = Literal["ordinal", "interval"]

RESAMPLES = 1000
_TAIL = (1 - CONFIDENCE) / 2


def first_counts(ratings: Coded) -> NDArray[np.int64]:
    """Participants whose first rating of an item was 1..5, shape (items, 5)."""
    means, k = participant_means(ratings), len(CATEGORIES)
    flat = np.bincount(means.item * k + means.first - 1, minlength=len(ratings.items) * k)
    return flat.reshape(-1, k)


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha with the percentile interval of a bootstrap over items; NaN where undefined."""

    value: float
    low: float
    high: float


def krippendorff_alpha(counts: NDArray[np.int64], *, seed: int = 0) -> dict[Level, Alpha]:
    """Alpha of any number of participants, each rating any of the items, by the distance of two categories: squared
    difference of ranks (ordinal) or of values (interval).

    Args:
        counts: shape (items, 5), participants that gave each category; items with fewer than two say nothing.
        seed: of the bootstrap, 1000 resamples of the items.

    Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011. A formula of our own, as the
    bootstrap needs it for a thousand tables at once; the tests compare it with the package ``krippendorff``.
    """
    counts = counts[counts.sum(axis=1) >= 2]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(CATEGORIES), dtype=int)
    by_item = (pairs / (counts.sum(axis=1) - 1)[:, None, None]).reshape(-1, len(CATEGORIES) ** 2)
    rng, many = np.random.default_rng(seed), len(counts)
    drawn = [
        np.bincount(rng.integers(many, size=many), minlength=many) @ by_item
        for _ in range(RESAMPLES if many else 0)
    ]
    coincidences = np.array([by_item.sum(axis=0), *drawn])
    result: dict[Level, Alpha] = {}
    for level in get_args(Level):
        value, *resampled = _alphas(coincidences, level)
        ends = np.nanquantile(resampled, [_TAIL, 1 - _TAIL]) if np.isfinite(value) else (np.nan, np.nan)
        result[level] = Alpha(float(value), float(ends[0]), float(ends[1]))
    return result


def _alphas(coincidences: Floats, level: Level) -> Floats:
    """Alpha of each coincidence matrix; shape (tables, 25) in, (tables,) out; NaN where one category is all."""
    k = len(CATEGORIES)
    observed = coincidences.reshape(-1, k, k)
    margin = observed.sum(axis=2)
    n = margin.sum(axis=1)
    value = CATEGORIES * np.ones_like(margin) if level == "interval" else margin.cumsum(axis=1) - margin / 2
    distance = (value[:, :, None] - value[:, None, :]) ** 2
    expected = margin[:, :, None] * margin[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (observed * distance).sum(axis=(1, 2)) / (expected * distance).sum(axis=(1, 2))
    return np.asarray(1 - (n - 1) * ratio)


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
    with np.errstate(invalid="ignore", divide="ignore"):
        single = n * (ms_item - ms_error) / (n * ms_item + spread)
        share = k * single / (n * (1 - single))
        x, y = share * ms_participant, (1 + share * (n - 1)) * ms_error
        v = (x + y) ** 2 / (x**2 / (k - 1) + y**2 / ((n - 1) * (k - 1)))
        f_low, f_high = stats.f.ppf(1 - _TAIL, n - 1, v), stats.f.ppf(1 - _TAIL, v, n - 1)
        low = n * (ms_item - f_low * ms_error) / (f_low * spread + n * ms_item)
        high = n * (f_high * ms_item - ms_error) / (spread + n * f_high * ms_item)
    singles = [float(value) for value in (single, low, high)]
    means = [r * k / (1 + r * (k - 1)) for r in singles]
    return ICC(singles[0], singles[1], singles[2], means[0], means[1], means[2], k)
