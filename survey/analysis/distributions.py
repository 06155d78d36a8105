"""Student's t, F and ranks without `scipy.stats`, which takes a command half a second to import.

The values are those of `scipy.stats`, which computes them by the same functions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Of every interval. Texts that say "95 %" stand beside what they describe."""


def t_critical(df: ArrayLike) -> Floats:
    """Return by how many standard errors a two-sided interval at `CONFIDENCE` goes to each side."""
    return np.asarray(special.stdtrit(np.asarray(df, np.float64), 0.5 + CONFIDENCE / 2), np.float64)


def t_two_sided(t: ArrayLike, df: ArrayLike) -> Floats:
    """Return the two-sided p of a t."""
    return np.asarray(
        2 * special.stdtr(np.asarray(df, np.float64), -np.abs(np.asarray(t, np.float64))), np.float64
    )


def f_quantile(share: float, df1: ArrayLike, df2: ArrayLike) -> Floats:
    """Return the F that this share of its distribution is below."""
    return np.asarray(
        special.fdtri(np.asarray(df1, np.float64), np.asarray(df2, np.float64), share), np.float64
    )


def f_tail(f: float, df1: float, df2: float) -> float:
    """Return the p of an F: the chance of one as large or larger."""
    if f == np.inf:
        return 0.0
    # A sum of squares that is 0 may be computed as less.
    return float(special.fdtrc(df1, df2, max(f, 0.0)))


def ranks(values: Floats) -> Floats:
    """Return the ranks from 1; equal values share the mean of theirs, and NaN has none."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    shared = np.cumsum(count) - (count - 1) / 2
    return np.where(np.isnan(values), np.nan, shared[place])
