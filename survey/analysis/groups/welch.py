"""Welch's comparisons of groups of people: t for two, F for more, and Hedges' g.

Sources: B. L. Welch 1947, "The generalization of Student's problem when several different population variances are
involved", Biometrika 34, and 1951, "On the comparison of several mean values: an alternative approach", Biometrika 38;
L. V. Hedges 1981, "Distribution theory for Glass's estimator of effect size", J. Educational Statistics 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from survey.analysis.distributions import f_tail, t_critical, t_two_sided

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """The mean of one group less that of another, with its 95 % interval; NaN where it is not defined."""

    estimate: float
    se: float
    low: float
    high: float
    t: float
    df: float
    p: float
    g: float


@dataclass(frozen=True)
class Spread:
    """Welch's F test that the means of several groups are equal."""

    f: float
    df1: float
    df2: float
    p: float


def welch(one: Floats, other: Floats) -> Difference:
    """Compare the values of two groups of people, one value a person, shapes (people,)."""
    estimate = float(one.mean() - other.mean())
    nothing = float("nan")
    if min(len(one), len(other)) < 2:
        return Difference(estimate, *[nothing] * 7)
    a, b = float(one.var(ddof=1)) / len(one), float(other.var(ddof=1)) / len(other)
    if a + b == 0:
        return Difference(estimate, 0.0, *[nothing] * 6)
    se = sqrt(a + b)
    df = (a + b) ** 2 / (a**2 / (len(one) - 1) + b**2 / (len(other) - 1))
    half, t = float(t_critical(df)) * se, estimate / se
    p = float(t_two_sided(t, df))
    return Difference(estimate, se, estimate - half, estimate + half, t, df, p, hedges_g(one, other))


def hedges_g(one: Floats, other: Floats) -> float:
    """Return the difference in pooled standard deviations, corrected for few people."""
    df = len(one) + len(other) - 2
    pooled = ((len(one) - 1) * one.var(ddof=1) + (len(other) - 1) * other.var(ddof=1)) / df
    if pooled <= 0:
        return float("nan")
    return float((one.mean() - other.mean()) / sqrt(pooled) * (1 - 3 / (4 * df - 1)))


def welch_anova(groups: Sequence[Floats]) -> Spread:
    """Test whether several groups have one mean; NaN where a group has fewer than two people or no spread."""
    counts = np.array([len(group) for group in groups])
    variances = np.array([group.var(ddof=1) if len(group) > 1 else 0.0 for group in groups])
    if counts.min() < 2 or variances.min() <= 0:
        return Spread(*[float("nan")] * 4)
    means, many = np.array([group.mean() for group in groups]), len(groups)
    weights = counts / variances
    centre = (weights * means).sum() / weights.sum()
    lack = ((1 - weights / weights.sum()) ** 2 / (counts - 1)).sum()
    between = (weights * (means - centre) ** 2).sum() / (many - 1)
    f = float(between / (1 + 2 * (many - 2) / (many**2 - 1) * lack))
    df2 = float((many**2 - 1) / (3 * lack))
    return Spread(f, many - 1, df2, f_tail(f, many - 1, df2))
