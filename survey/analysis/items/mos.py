"""Mean opinion scores of items: the table that everybody quotes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.items.intervals import Method, interval, sos_wilson
from survey.analysis.items.sos import HIGH, LOW, moments, pooled_a
from survey.analysis.table import CATEGORIES, Coded

FEW_RATINGS = 10


def category_counts(ratings: Coded) -> NDArray[np.int64]:
    """Ratings of each item in each category, shape (items, 5)."""
    k = len(CATEGORIES)
    flat = np.bincount(ratings.item * k + ratings.rating - 1, minlength=len(ratings.items) * k)
    return flat.reshape(len(ratings.items), k)


def mos_table(ratings: Coded, *, ci: Method = "t", a: float | None = None, seed: int = 0) -> pd.DataFrame:
    """One row an item: n, mean, SD, intervals, median, counts, shares.

    Args:
        ratings: the rows that count (see ``table.main_phase``).
        ci: what ``ci_low`` and ``ci_high`` hold; ``t`` is Student's, unclipped.
        a: SOS parameter of the bounded interval; by default that of these ratings, see ``sos.pooled_a``.
        seed: of the bootstrap and Dirichlet intervals.

    Returns:
        Columns ``item,n,mos,sd,ci_low,ci_high,ci_method,bounded_low,bounded_high,median,n1..n5,gob,pow``. ``sd``
        has ddof 1 and is NaN for n < 2; ``gob`` is the share rated 4 or 5 (good or better), ``pow`` 1 or 2 (poor
        or worse), both 0..1 (ITU-T G.107).
    """
    return mos_from_counts(ratings.items, category_counts(ratings), ci=ci, a=a, seed=seed)


def mos_from_counts(
    items: NDArray[np.object_],
    counts: NDArray[np.int64],
    *,
    ci: Method = "t",
    a: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """As ``mos_table``, from counts of shape (items, 5); an item without ratings keeps its row, empty."""
    n, mean, variance = moments(counts)
    if a is None:
        a = pooled_a(counts)
    low, high = interval(ci, counts, a=a, seed=seed)
    bounded_low, bounded_high = sos_wilson(counts, a)
    with np.errstate(invalid="ignore", divide="ignore"):
        gob, pow_ = counts[:, 3:].sum(axis=1) / n, counts[:, :2].sum(axis=1) / n
    return pd.DataFrame(
        {
            "item": items,
            "n": n,
            "mos": mean,
            "sd": np.sqrt(variance),
            "ci_low": low,
            "ci_high": high,
            "ci_method": ci,
            "bounded_low": bounded_low,
            "bounded_high": bounded_high,
            "median": _medians(counts),
            **{f"n{k}": counts[:, k - 1] for k in CATEGORIES},
            "gob": gob,
            "pow": pow_,
        }
    )


def _medians(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    n = counts.sum(axis=1)
    upto = counts.cumsum(axis=1)

    def at(rank: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(CATEGORIES[np.minimum((upto <= rank[:, None]).sum(axis=1), len(CATEGORIES) - 1)])

    return np.where(n > 0, (at((n - 1) // 2) + at(n // 2)) / 2, np.nan)


def error_bars(mos: pd.DataFrame) -> pd.DataFrame:
    """What to draw for each row of a MOS table: ``low``, ``high`` and ``method``.

    The table's interval, unless it is not usable (n ≤ 2, all agree, or it leaves the scale): then the bounded one.
    """
    usable = (mos["n"] > 2) & (mos["ci_low"] >= LOW) & (mos["ci_high"] <= HIGH)
    return pd.DataFrame(
        {
            "low": mos["ci_low"].where(usable, mos["bounded_low"]),
            "high": mos["ci_high"].where(usable, mos["bounded_high"]),
            "method": mos["ci_method"].where(usable, "bounded").where(mos["n"] > 0, ""),
        },
        index=mos.index,
    )


def remarks(mos: pd.DataFrame) -> pd.Series:
    """What a reader must know of each row before quoting it, in words; empty where there is nothing to say."""
    n = mos["n"]
    words = np.select(
        [n == 0, n == 1, mos["sd"] == 0, n < FEW_RATINGS],
        [
            "no ratings",
            "one rating",
            "all " + n.astype("str") + " ratings agree",
            f"fewer than {FEW_RATINGS} ratings",
        ],
        default="",
    )
    return pd.Series(words, index=mos.index, name="remark")
