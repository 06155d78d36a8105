"""Means over conditions and factors, with intervals that allow for correlated ratings of one participant.

Pooling ratings as if each came from another person gives intervals several times too narrow. The naive interval is
computed only to show that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from survey.analysis.distributions import CONFIDENCE
from survey.analysis.items.intervals import Z, student_t
from survey.analysis.items.means import (
    LARGEST_WHOLE,
    Floats,
    Ints,
    Scores,
    common_denominator,
    participant_means,
)
from survey.analysis.items.tally import tally
from survey.analysis.participants.mixed import feasible, fit_mixed
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import Coded, TableError, code, main_phase

RESAMPLES = 500
_TAIL = (1 - CONFIDENCE) / 2


@dataclass(frozen=True)
class Levels:
    """Ratings of the rows that have a level, and the level of each as a code into ``names`` (sorted)."""

    ratings: Coded
    level: Ints
    names: NDArray[np.object_]


def levels(table: pd.DataFrame, by: list[str], scale: Scale = ACR) -> Levels:
    """Return the ratings by level.

    Args:
        table: One question's rows.
        by: One column, or several, whose combinations are then the levels (tuples).
        scale: Of the ratings.

    Raises:
        TableError: If a column is missing or empty.
    """
    missing = [name for name in by if name not in table.columns]
    if missing:
        raise TableError(f"no column {missing[0]!r}; there are {', '.join(map(str, table.columns))}")
    main = main_phase(table)
    main = main[main[by].notna().all(axis=1)]
    if main.empty:
        raise TableError(f"column {' and '.join(by)} is empty")
    grouped = main.groupby(by, observed=True, sort=True)
    names = np.empty(grouped.ngroups, dtype=object)
    for i, name in enumerate(grouped.size().index):
        names[i] = name
    return Levels(code(main, scale), np.asarray(grouped.ngroup(), np.int64), names)


def condition_means(
    table: pd.DataFrame, by: str = "condition", *, seed: int = 0, scale: Scale = ACR
) -> pd.DataFrame:
    """Return the mean of each level of a column over all its main-phase ratings.

    Args:
        table: One question's rows.
        by: The column.
        seed: Of the bootstrap.
        scale: Of the ratings.

    Returns:
        One row a level, ordered by name: ``<by>,items,participants,n,mos,sd,ci_low,ci_high`` (participants as
        clusters, Student t; with equal numbers of ratings the interval over participants' means),
        ``bootstrap_low,bootstrap_high`` (percentile, participants and items resampled; cautious),
        ``mixed_mean,mixed_low,mixed_high`` (crossed mixed model, NaN where it cannot be fitted),
        ``naive_low,naive_high`` (pooled votes) and ``too_narrow``, the width of ci over that of naive.
    """
    these = levels(table, [by], scale)
    result = cluster_means(these)
    result.insert(0, by, these.names)
    result["bootstrap_low"], result["bootstrap_high"] = two_way_bootstrap(these, seed=seed)
    result["mixed_mean"], result["mixed_low"], result["mixed_high"] = _mixed(these)
    half = Z * result["sd"] / np.sqrt(result["n"])
    result["naive_low"], result["naive_high"] = result["mos"] - half, result["mos"] + half
    with np.errstate(divide="ignore", invalid="ignore"):
        result["too_narrow"] = (result["ci_high"] - result["ci_low"]) / (2 * half)
    return result


@dataclass(frozen=True)
class ConditionTable:
    """``condition_means`` with compact ``letters``, computed when first asked for: a page without them does not wait."""

    rows: pd.DataFrame
    by: str
    scale: Scale
    seed: int
    letters: Mapping[object, str]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The means."""
        means = condition_means(self.rows, self.by, seed=self.seed, scale=self.scale)
        return means.assign(letters=means[self.by].map(self.letters))


def cells(table: pd.DataFrame, row: str, column: str, scale: Scale = ACR) -> pd.DataFrame:
    """Return the mean of each combination of two factors: ``<row>,<column>,items,participants,n,mos,sd,ci_low,ci_high``.

    A factor that is called like another column of it, or of its plot, has ``factor_`` in front.
    """
    these = levels(table, [row, column], scale)
    result = cluster_means(these)
    taken = {*result.columns, "low", "high"}
    for place, factor in enumerate((row, column)):
        heading = f"factor_{factor}" if factor in taken else factor
        result.insert(place, heading, [name[place] for name in these.names])
    return result


def participant_level_means(these: Levels) -> Scores:
    """Return participants × levels: the mean of the participant's item means in the level, or NaN without any."""
    as_items = _items_within_levels(these)
    means = participant_means(as_items)
    level = _level_of_unit(these, as_items)[means.item]
    shape = len(these.ratings.participants), len(these.names)
    flat = means.participant * shape[1] + level
    n = np.bincount(flat, minlength=shape[0] * shape[1])
    there = n > 0
    denominator, of_items = common_denominator(means), math.lcm(*(int(k) for k in np.unique(n[there])))
    if denominator is not None and of_items * denominator <= LARGEST_WHOLE / max(
        1, np.abs(means.total).max()
    ):
        total = np.bincount(flat, means.total * (denominator // means.n), len(n))
        value, unit = total * (of_items // np.maximum(n, 1)), means.unit / (denominator * of_items)
    else:
        total = np.bincount(flat, means.mean, len(n))
        value, unit = total / np.maximum(n, 1), 1.0
    return Scores(np.where(there, value, np.nan).reshape(shape), unit)


def cluster_means(these: Levels) -> pd.DataFrame:
    """Ratio estimator with participants as clusters (W. Cochran, Sampling Techniques, 1977, section 2.11)."""
    means = tally(replace(these.ratings, item=these.level, items=these.names))
    low, high = student_t(means)
    items = np.bincount(_level_of_unit(these, _items_within_levels(these)), minlength=len(these.names))
    return pd.DataFrame(
        {
            "items": items,
            "participants": means.participants,
            "n": means.n,
            "mos": means.mean,
            "sd": np.sqrt(means.variance),
            "ci_low": low,
            "ci_high": high,
        }
    )


def _items_within_levels(these: Levels) -> Coded:
    """Return the ratings with an item counted once for each level that it occurs in."""
    pair, unit = np.unique(these.level * len(these.ratings.items) + these.ratings.item, return_inverse=True)
    return replace(these.ratings, item=unit, items=pair.astype(object))


def _level_of_unit(these: Levels, units: Coded) -> Ints:
    return np.asarray(units.items.astype(np.int64) // len(these.ratings.items))


def two_way_bootstrap(these: Levels, *, seed: int = 0) -> tuple[Floats, Floats]:
    """Return the percentile interval of each level's mean, resampling participants and, within levels, items.

    Source: A. Owen, "The pigeonhole bootstrap", 2007. For crossed effects the interval tends to be too wide.
    """
    rng = np.random.default_rng(seed)
    units = _items_within_levels(these)
    level = _level_of_unit(these, units)
    shape = len(units.items), len(units.participants)
    people = rng.multinomial(shape[1], np.full(shape[1], 1 / shape[1]), size=RESAMPLES).T
    where = (units.item, units.participant)
    total = sparse.csr_array((units.rating.astype(np.float64), where), shape=shape) @ people
    count = sparse.csr_array((np.ones(len(units.item)), where), shape=shape) @ people
    ends = np.full((2, len(these.names)), np.nan)
    for i in range(len(these.names)):
        mine = level == i
        k = int(mine.sum())
        items = rng.multinomial(k, np.full(k, 1 / k), size=RESAMPLES).T
        with np.errstate(invalid="ignore"):
            means = (items * total[mine]).sum(axis=0) / (items * count[mine]).sum(axis=0)
        ends[:, i] = np.nanquantile(means, [_TAIL, 1 - _TAIL])
    return ends[0], ends[1]


def _mixed(these: Levels) -> tuple[Floats, Floats, Floats]:
    """Return the fixed effects of the levels with t intervals on participants − 1 degrees of freedom."""
    nothing = np.full(len(these.names), np.nan)
    if feasible(these.ratings) or len(these.ratings.items) <= len(these.names):
        return nothing, nothing, nothing
    effects = (these.level[:, None] == np.arange(len(these.names))).astype(np.float64)
    fit = fit_mixed(these.ratings, effects)
    t = float(special.stdtrit(len(these.ratings.participants) - 1, 1 - _TAIL))
    half = t * np.sqrt(np.diag(fit.covariance))
    return fit.beta, fit.beta - half, fit.beta + half
