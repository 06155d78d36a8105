"""Linear mixed models with crossed effects of item and participant, by REML, also for incomplete data.

rating = X β + item + participant + residual. Existing libraries need minutes for what a page must show in a second.
Their dense algebra grows with the ratings, this one with the smaller of items and participants. The equations are
from D. Bates et al., "Fitting linear mixed-effects models using lme4", 2015, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize
from threadpoolctl import threadpool_limits

from survey.analysis.table import Coded

Floats = NDArray[np.float64]

MAX_NUMBERS = 2e7
"""Largest number of elements of a matrix for fitting: 160 MB and several seconds."""


_FARTHEST = 100.0


@dataclass(frozen=True)
class MixedFit:
    """REML estimates.

    Attributes:
        item, participant, residual: variances, rating points squared.
        beta, covariance: fixed effects, shapes (effects,) and (effects, effects).
    """

    item: float
    participant: float
    residual: float
    beta: Floats
    covariance: Floats

    @property
    def icc_1(self) -> float:
        """Reliability of one rating, absolute agreement: var_item / (var_item + var_participant + var_residual)."""
        return self.icc(1)

    def icc(self, ratings: float) -> float:
        """Return the reliability of the mean of `ratings` participants' ratings of an item."""
        total = self.item + (self.participant + self.residual) / ratings
        return self.item / total if total > 0 else float("nan")

    def ratings_for(self, reliability: float) -> float:
        """Return the participants that an item needs for this reliability of its mean; infinite if items do not differ."""
        noise = self.participant + self.residual
        return reliability / (1 - reliability) * noise / self.item if self.item > 0 else float("inf")


def feasible(ratings: Coded) -> str:
    """Return why the model cannot be fitted, in words; empty if it can."""
    items, people, rows = len(ratings.items), len(ratings.participants), len(ratings.rating)
    if items < 2 or people < 2:
        return "needs two items and two participants"
    if rows <= items + people:
        return "needs more ratings than items and participants together"
    if np.ptp(ratings.rating) == 0:
        return "all ratings are equal"
    large = ratings.item if items >= people else ratings.participant
    different = len(np.unique(np.bincount(large)))
    if max(items * people, different * min(items, people) ** 2) > MAX_NUMBERS:
        return "too many items and participants for the mixed model"
    return ""


def fit_mixed(ratings: Coded, effects: Floats | None = None) -> MixedFit:
    """Fit by REML.

    Args:
        ratings: The ratings.
        effects: Design matrix X of full rank, shape (rows, effects); by default an intercept.

    Raises:
        ValueError: If ``feasible`` returns a reason.
    """
    if reason := feasible(ratings):
        raise ValueError(reason)
    x = np.ones((len(ratings.rating), 1)) if effects is None else effects
    # Many small products: threads would wait for each other, for seconds if another process uses a core.
    with threadpool_limits(1, "blas"):
        deviance = _Deviance(ratings, x)
        best = optimize.minimize(
            _deviance,
            [1.0, 0.5],
            (deviance,),
            method="Nelder-Mead",  # a gradient by differences would leave the last digits to rounding
            tol=1e-8,
        )
        theta = _within(best.x)
        _, variance, beta, covariance = deviance.solve(theta)
    item, participant = variance * theta**2
    return MixedFit(float(item), float(participant), variance, beta, covariance)


def _deviance(theta: Floats, deviance: _Deviance) -> float:
    return deviance.solve(_within(theta))[0]


def _within(theta: Floats) -> Floats:
    """Return the parameters without signs, which have no meaning, and limited, since the optimum may be at infinity.

    Bounds of the search itself would fail: its simplex stays on a bound.
    """
    return np.minimum(np.abs(theta), _FARTHEST)


class _Deviance:
    """The profiled REML deviance of the two effects' relative standard deviations (item, participant).

    The larger factor is eliminated by hand, as its block is diagonal, and its levels with equally many ratings enter
    together: a round then costs as much as the smaller factor is large, whatever the number of ratings.
    """

    def __init__(self, ratings: Coded, x: Floats) -> None:
        m = np.column_stack([x, ratings.rating.astype(np.float64)])
        sizes = len(ratings.items), len(ratings.participants)
        codes = ratings.item, ratings.participant
        self.order = (0, 1) if sizes[0] >= sizes[1] else (1, 0)
        large, small = (codes[i] for i in self.order)
        p, q = (sizes[i] for i in self.order)
        both = np.bincount(large * q + small, minlength=p * q).reshape(p, q).astype(np.float64)
        sums = _sums(large, m, p)
        self.n, group = np.unique(both.sum(axis=1), return_inverse=True)
        of = [group == i for i in range(len(self.n))]
        self.levels = np.bincount(group)
        self.both_both = np.stack([both[rows].T @ both[rows] for rows in of])
        self.both_m = np.stack([both[rows].T @ sums[rows] for rows in of])
        self.m_m = np.stack([sums[rows].T @ sums[rows] for rows in of])
        self.n_small, self.m_small = both.sum(axis=0), _sums(small, m, q)
        self.mm = m.T @ m
        self.freedom = len(m) - x.shape[1]

    def solve(self, theta: Floats) -> tuple[float, float, Floats, Floats]:
        """Deviance, residual variance, β and its covariance."""
        large, small = (float(theta[i]) for i in self.order)
        d = large**2 * self.n + 1
        weight = large**2 / d
        schur = np.diag(small**2 * self.n_small + 1) - small**2 * np.tensordot(weight, self.both_both, 1)
        rhs = small * (self.m_small - np.tensordot(weight, self.both_m, 1))
        factor = np.linalg.cholesky(schur)
        half = linalg.solve_triangular(factor, rhs, lower=True, check_finite=False)
        weighted = self.mm - np.tensordot(weight, self.m_m, 1) - half.T @ half
        inverse = np.linalg.inv(weighted[:-1, :-1])
        beta = inverse @ weighted[:-1, -1]
        variance = float(weighted[-1, -1] - weighted[:-1, -1] @ beta) / self.freedom
        log_v = self.levels @ np.log(d) + 2 * np.log(np.diag(factor)).sum()
        log_x = float(np.linalg.slogdet(weighted[:-1, :-1])[1])
        return float(self.freedom * np.log(variance) + log_v + log_x), variance, beta, variance * inverse


def _sums(codes: NDArray[np.int64], columns: Floats, size: int) -> Floats:
    return np.column_stack([np.bincount(codes, column, size) for column in columns.T])
