"""The SOS hypothesis: how the spread of opinions follows their mean.

Source: T. Hossfeld, R. Schatz, S. Egger, "SOS: The MOS is not enough!", QoMEX 2011; T. Hossfeld,
P. E. Heegaard, M. Varela, S. Moeller, arXiv:1607.00321, eq. 35 to 38.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from survey.analysis.table import CATEGORIES

LOW, HIGH = float(CATEGORIES[0]), float(CATEGORIES[-1])

FEWEST_ITEMS = 5
DEFAULT_A = 0.35
_RANGE = (0.05, 1.0)


def moments(counts: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Number, mean and sample variance (ddof 1) of ratings from their counts, in exact integer sums.

    Args:
        counts: shape (items, 5), ratings in each category.

    Returns:
        Three arrays of shape (items,); the mean is NaN where n = 0, the variance where n < 2.
    """
    counts = np.asarray(counts, np.int64)
    n = counts.sum(axis=1)
    total = counts @ CATEGORIES
    square = counts @ CATEGORIES**2
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        variance = np.where(n > 1, (n * square - total**2) / (n * (n - 1)), np.nan)
    return n, mean, variance


def sos_a(counts: ArrayLike) -> float:
    """Least-squares ``a`` of variance = a (m - 1)(5 - m), over items with at least two ratings.

    Args:
        counts: shape (items, 5).

    Returns:
        ``a`` (0: all agree, 0.25: binomial, 1: only the extremes are used); NaN where no item determines it.
    """
    n, mean, variance = moments(counts)
    usable = n >= 2
    z = (mean[usable] - LOW) / (HIGH - LOW)
    q = z * (1 - z)
    v = variance[usable] / (HIGH - LOW) ** 2
    denominator = float(np.sum(q**2))
    return float(np.sum(q * v) / denominator) if denominator > 0 else float("nan")


def pooled_a(counts: ArrayLike) -> float:
    """The ``a`` to build intervals with: clamped to [0.05, 1], and 0.35 where fewer than five items with two or
    more ratings could determine it (0.33 to 0.40 is typical of ratings of generated images)."""
    a = sos_a(counts)
    enough = int(np.sum(np.asarray(counts).sum(axis=1) >= 2)) >= FEWEST_ITEMS
    return float(np.clip(a, *_RANGE)) if enough and np.isfinite(a) else DEFAULT_A


def sos_curve(a: float, mean: ArrayLike) -> NDArray[np.float64]:
    """Variance that the hypothesis gives at each mean opinion score."""
    m = np.asarray(mean, np.float64)
    return a * (m - LOW) * (HIGH - m)
