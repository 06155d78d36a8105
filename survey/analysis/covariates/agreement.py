"""How well a number goes with the MOS: the statistics of ITU-T P.1401, and correlations with intervals over contents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from survey.analysis.distributions import ranks, t_critical
from survey.analysis.effects.reml import Floats, Ints

FEWEST_CONTENTS: Final = 5
"""Contents below which a correlation has no interval."""
_SLACK: Final = 1e-9

Correlate = Callable[[Floats, Floats], float]


@dataclass(frozen=True)
class P1401:
    """Errors of predicted scores. Source: ITU-T P.1401 (01/2020), clauses 7.5 to 7.7.

    Attributes:
        rmse: root mean square error. rmse_star: the same of what an error exceeds the half width of the MOS.
        outlier_ratio: share of the errors beyond the half width; outlier_ratio_se: its standard error.
    """

    rmse: float
    rmse_star: float
    outlier_ratio: float
    outlier_ratio_se: float


def p1401(mos: Floats, predicted: Floats, half_width: Floats, parameters: int) -> P1401:
    """Compare scores with predictions.

    Args:
        mos: the scores, shape (items,).
        predicted: on the rating scale, shape (items,).
        half_width: of the 95 % interval of each MOS.
        parameters: how many were fitted to map the prediction; 1 where none.
    """
    error = np.abs(mos - predicted)
    freedom = len(mos) - parameters
    if freedom < 1:
        return P1401(*[float("nan")] * 4)
    # An error of exactly the half width is no outlier, whatever its last binary digit says.
    out = error > half_width + _SLACK
    beyond = np.where(out, error - half_width, 0.0)
    share = float(out.mean())
    return P1401(
        float(np.sqrt((error**2).sum() / freedom)),
        float(np.sqrt((beyond**2).sum() / freedom)),
        share,
        float(np.sqrt(share * (1 - share) / len(mos))),
    )


@dataclass(frozen=True)
class Correlation:
    """A correlation with its 95 % interval, NaN where it is not defined."""

    value: float
    low: float
    high: float


def pearson(x: Floats, y: Floats) -> float:
    """Return Pearson's r; NaN where one of the two does not vary."""
    x, y = x - x.mean(), y - y.mean()
    spread = np.sqrt((x @ x) * (y @ y))
    return (
        float(np.clip(x @ y / spread, -1, 1))
        if spread > 1e-12 * max(1.0, abs(x).max(initial=0))
        else float("nan")
    )


def spearman(x: Floats, y: Floats) -> float:
    """Return Spearman's rank correlation."""
    return pearson(ranks(x), ranks(y))


def within(x: Floats, y: Floats, group: Ints) -> float:
    """Return the correlation of both less their means in each group."""
    return pearson(x - _group_means(x, group), y - _group_means(y, group))


def _group_means(values: Floats, group: Ints) -> Floats:
    return np.asarray((np.bincount(group, values) / np.maximum(np.bincount(group), 1))[group])


def with_interval(
    correlate: Callable[[Floats, Floats, Ints], float], x: Floats, y: Floats, group: Ints
) -> Correlation:
    """Return a correlation with its interval by the jackknife over groups, on Fisher's scale.

    Args:
        correlate: of x, y and the groups.
        x: shape (items,).
        y: shape (items,).
        group: codes of the units that are drawn anew: contents, or the images themselves.
    """
    value = correlate(x, y, group)
    groups, codes = np.unique(group, return_inverse=True)
    nothing = Correlation(value, float("nan"), float("nan"))
    if len(groups) < FEWEST_CONTENTS or np.isnan(value):
        return nothing
    parts = []
    for one in range(len(groups)):
        keep = codes != one
        # Codes from 0 without a gap, as `group` had them.
        left = codes[keep]
        parts.append(correlate(x[keep], y[keep], (left - (left > one)).astype(np.int64)))
    z = np.arctanh(np.clip(np.array([value, *parts]), -1 + 1e-12, 1 - 1e-12))
    if np.isnan(z).any():
        return nothing
    c = len(groups)
    se = float(np.sqrt((c - 1) / c * ((z[1:] - z[1:].mean()) ** 2).sum()))
    half = float(t_critical(c - 1)) * se
    return Correlation(value, float(np.tanh(z[0] - half)), float(np.tanh(z[0] + half)))


def ceiling(mos: Floats, variance: Floats) -> float:
    """Return the largest correlation that the ratings allow: √R, R = 1 − mean variance of a MOS / variance of the MOS."""
    known = ~np.isnan(variance)
    if known.sum() < 2 or np.var(mos[known], ddof=1) == 0:
        return float("nan")
    reliability = 1 - float(variance[known].mean()) / float(np.var(mos[known], ddof=1))
    return float(np.sqrt(reliability)) if reliability > 0 else float("nan")
