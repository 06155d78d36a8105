"""The table of mean opinion scores of items."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.items.intervals import DEFAULT_INTERVAL, Interval, interval, sos_wilson
from survey.analysis.items.sos import pooled_a
from survey.analysis.items.tally import Tally, tally, tally_counts
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import Coded

FEW_RATINGS = 10
FIVE = 5
"""Categories of the scales that good or better, and poor or worse, are defined on (ITU-T G.107)."""


def count_columns(scale: Scale) -> list[str]:
    """Return the names of the columns of counts, such as ``n1`` to ``n5``; none on a continuous scale."""
    return [f"n{value:g}" for value in scale.categories or ()]


def category_counts(ratings: Coded) -> NDArray[np.int64]:
    """Return the number of ratings of each item in each category, shape (items, categories).

    Raises:
        ValueError: If the scale is continuous.
    """
    k = len(ratings.scale.categories or ())
    flat = np.bincount(ratings.item * k + ratings.category, minlength=len(ratings.items) * k)
    return flat.reshape(len(ratings.items), k)


def mos_table(
    ratings: Coded, *, ci: Interval = DEFAULT_INTERVAL, a: float | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return one row for each item: n, mean, SD, intervals, median, counts and shares.

    Args:
        ratings: The rows that count (see ``table.main_phase``).
        ci: Which interval ``ci_low`` and ``ci_high`` are; ``t`` is Student's, unclipped, with participants as the unit.
        a: SOS parameter of the bounded interval; by default that of these ratings, see ``sos.pooled_a``.
        seed: Of the bootstrap and Dirichlet intervals.

    Returns:
        Columns ``item,n,participants,mos,sd,ci_low,ci_high,ci_method,bounded_low,bounded_high,median``, then on a
        scale of categories their counts (``n1..n5``) and, with five, ``gob,pow``. ``sd`` has ddof 1 and is NaN for
        n < 2; ``gob`` is the share rated 4 or 5 (good or better), ``pow`` 1 or 2 (poor or worse), both 0..1 (ITU-T
        G.107).
    """
    counts = None if ratings.scale.step is None else category_counts(ratings)
    median = _medians_of_ratings(ratings) if counts is None else _medians(counts, ratings.scale)
    return _table(ratings.items, tally(ratings), counts, median, ci, a, seed)


def mos_from_counts(
    items: NDArray[np.object_],
    counts: NDArray[np.int64],
    *,
    ci: Interval = DEFAULT_INTERVAL,
    a: float | None = None,
    seed: int = 0,
    scale: Scale = ACR,
) -> pd.DataFrame:
    """As ``mos_table``, from counts of shape (items, categories) of ratings that are each of another participant.

    An item without ratings keeps its row, empty.
    """
    return _table(items, tally_counts(counts, scale), counts, _medians(counts, scale), ci, a, seed)


def _table(
    names: NDArray[np.object_],
    items: Tally,
    counts: NDArray[np.int64] | None,
    median: NDArray[np.float64],
    ci: Interval,
    a: float | None,
    seed: int,
) -> pd.DataFrame:
    if a is None:
        a = pooled_a(items)
    low, high = interval(ci, items, a=a, seed=seed)
    bounded_low, bounded_high = sos_wilson(items, a)
    columns = {
        "item": names,
        "n": items.n,
        "participants": items.participants,
        "mos": items.mean,
        "sd": np.sqrt(items.variance),
        "ci_low": low,
        "ci_high": high,
        "ci_method": ci,
        "bounded_low": bounded_low,
        "bounded_high": bounded_high,
        "median": median,
    }
    if counts is not None:
        columns |= dict(zip(count_columns(items.scale), counts.T, strict=True))
        if counts.shape[1] == FIVE:
            with np.errstate(invalid="ignore", divide="ignore"):
                columns["gob"] = counts[:, 3:].sum(axis=1) / items.n
                columns["pow"] = counts[:, :2].sum(axis=1) / items.n
    return pd.DataFrame(columns)


def _medians(counts: NDArray[np.int64], scale: Scale) -> NDArray[np.float64]:
    values = np.asarray(scale.categories, np.float64)
    n = counts.sum(axis=1)
    upto = counts.cumsum(axis=1)

    def at(rank: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(values[np.minimum((upto <= rank[:, None]).sum(axis=1), len(values) - 1)])

    return np.where(n > 0, (at((n - 1) // 2) + at(n // 2)) / 2, np.nan)


def _medians_of_ratings(ratings: Coded) -> NDArray[np.float64]:
    by_item = pd.Series(ratings.rating).groupby(ratings.item).median()
    return np.asarray(by_item.reindex(range(len(ratings.items))), np.float64)


def error_bars(mos: pd.DataFrame, scale: Scale = ACR) -> pd.DataFrame:
    """Return the interval to draw for each row of a MOS table: ``low``, ``high`` and ``method``.

    It is the table's interval if that is usable, else the bounded one. An interval is not usable with two participants
    or fewer, if all agree, or if it leaves the scale.
    """
    usable = (mos["participants"] > 2) & (mos["ci_low"] >= scale.low) & (mos["ci_high"] <= scale.high)
    return pd.DataFrame(
        {
            "low": mos["ci_low"].where(usable, mos["bounded_low"]),
            "high": mos["ci_high"].where(usable, mos["bounded_high"]),
            "method": mos["ci_method"].where(usable, "bounded").where(mos["n"] > 0, ""),
        },
        index=mos.index,
    )


def remarks(mos: pd.DataFrame) -> pd.Series:
    """Return a caution in words for each row that needs one before it is quoted; empty for the others."""
    n, people = mos["n"], mos["participants"]
    words = np.select(
        [n == 0, n == 1, mos["sd"] == 0, people == 1, people < n, n < FEW_RATINGS],
        [
            "no ratings",
            "one rating",
            "all " + n.astype("str") + " ratings agree",
            "ratings of one participant",
            n.astype("str") + " ratings of " + people.astype("str") + " participants",
            f"fewer than {FEW_RATINGS} ratings",
        ],
        default="",
    )
    return pd.Series(words, index=mos.index, name="remark")
