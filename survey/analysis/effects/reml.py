"""A linear mixed model with many independent random parts, by REML, with Satterthwaite's degrees of freedom.

rating = X β + Σ Z_g b_g + residual, each part with one variance. The parts within participants (participant,
participant × factor) are eliminated one participant at a time, and participants who saw the same images enter
together. Sources: D. Bates et al. 2015, "Fitting linear mixed-effects models using lme4", for the profiled deviance;
A. Kuznetsova et al. 2017, "lmerTest", for the degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse
from threadpoolctl import threadpool_limits

from survey.analysis.distributions import f_tail, t_critical, t_two_sided

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STARTS = (0.5, 1.0, 0.1)
"""Relative standard deviations from which the search starts."""
_FARTHEST = 50.0
_ZERO = 1e-3
"""Relative standard deviations below this are taken as 0: lme4 then calls the fit singular."""
_STEP = 1e-3


@dataclass(frozen=True)
class Test:
    """A test of one row (t, as its square) or of several (F). `p` is NaN where `df2` is not defined."""

    statistic: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True)
class Contrast:
    """An estimate with its 95 % interval."""

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class RandomParts:
    """The random parts as integer codes of every row.

    Attributes:
        participant: from 0, shape (rows,).
        within: name -> codes of levels that are counted anew within each participant; participant itself all 0.
        between: name -> codes of the other parts (content, content × factor, item).
        weights: name -> what a level is multiplied by in each row, for random slopes; 1 where a part is not named.
    """

    participant: Ints
    within: Mapping[str, Ints]
    between: Mapping[str, Ints]
    weights: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, in the order of the variances."""
        return (*self.within, *self.between)


@dataclass(frozen=True)
class RemlFit:
    """REML estimates.

    Attributes:
        variances: name -> variance, in squared rating points; `residual` last.
        beta, covariance: fixed effects, shapes (effects,) and (effects, effects).
    """

    variances: dict[str, float]
    beta: Floats
    covariance: Floats
    _of_variances: Floats
    _slopes: Floats

    def df(self, row: Floats) -> float:
        """Satterthwaite's degrees of freedom of one combination of the fixed effects."""
        gradient = row @ self._slopes @ row
        spread = gradient @ self._of_variances @ gradient
        return float(2 * (row @ self.covariance @ row) ** 2 / spread) if spread > 0 else float("inf")

    def contrast(self, row: Floats) -> Contrast:
        """Estimate one combination of the fixed effects, shape (effects,)."""
        estimate, se, df = float(row @ self.beta), float(np.sqrt(row @ self.covariance @ row)), self.df(row)
        half = float(t_critical(df)) * se
        return Contrast(
            estimate, se, df, estimate - half, estimate + half, float(t_two_sided(estimate / se, df))
        )

    def test(self, rows: Floats) -> Test:
        """Test that all of several combinations are 0, shape (rows, effects), of full rank."""
        values, vectors = np.linalg.eigh(rows @ self.covariance @ rows.T)
        independent = vectors.T @ rows
        squares = (independent @ self.beta) ** 2 / values
        df = np.array([self.df(row) for row in independent])
        q = len(rows)
        statistic = float(squares.mean())
        if q == 1:
            df2 = float(df[0])
        else:
            expected = float((df / (df - 2))[df > 2].sum()) if np.isfinite(df).all() else float(q)
            df2 = 2 * expected / (expected - q) if expected > q else float("nan")
        return Test(statistic, q, df2, f_tail(statistic, q, df2) if df2 > 0 else float("nan"))


def fit_reml(y: Floats, x: Floats, parts: RandomParts) -> RemlFit:
    """Fit by REML.

    Args:
        y: ratings, shape (rows,).
        x: design matrix of full rank, shape (rows, effects).
        parts: at least one random part.
    """
    # Many small products: threads would wait for each other.
    with threadpool_limits(1, "blas"):
        deviance = _Deviance(y, x, parts)
        found = [_search(deviance, np.full(deviance.parts, start)) for start in STARTS]
        best = min(found, key=deviance.value)
        theta = _search(deviance, np.where(best < _ZERO, 0.0, best), exact=True)
        theta = np.where(theta < _ZERO, 0.0, theta)
        _, residual, beta, covariance = deviance.solve(theta)
        of_variances, slopes = _uncertainty(deviance, theta, residual)
    variances = dict(zip(parts.names, (float(v) for v in theta**2 * residual), strict=True))
    return RemlFit(variances | {"residual": residual}, beta, covariance, of_variances, slopes)


def _search(deviance: _Deviance, start: Floats, *, exact: bool = False) -> Floats:
    """Return the relative standard deviations of least deviance.

    exact: with slopes from both sides, since the degrees of freedom of small variances need the last digits.
    """
    best = optimize.minimize(
        deviance.value,
        start,
        jac=deviance.slope if exact else None,
        method="L-BFGS-B",
        bounds=[(0, _FARTHEST)] * len(start),
        options={"ftol": 1e-15 if exact else 1e-12, "gtol": 1e-8 if exact else 1e-7},
    )
    return np.asarray(best.x, np.float64)


def _uncertainty(deviance: _Deviance, theta: Floats, residual: float) -> tuple[Floats, Floats]:
    """Return the covariance of the variances above 0, and the slopes of β's covariance in each of them."""
    on = np.flatnonzero(theta > 0)
    at = np.append(theta[on] ** 2 * residual, residual)
    step = np.diag(_STEP * at)
    size = len(at)

    def full(v: Floats) -> tuple[float, float, Floats, Floats]:
        relative = np.zeros(len(theta))
        relative[on] = np.sqrt(v[:-1] / v[-1])
        return deviance.solve(relative, float(v[-1]))

    up, down = ([full(at + sign * step[i]) for i in range(size)] for sign in (1, -1))
    centre = full(at)[0]
    hessian = np.empty((size, size))
    for i in range(size):
        hessian[i, i] = (up[i][0] - 2 * centre + down[i][0]) / step[i, i] ** 2
        for j in range(i):
            both = full(at + step[i] + step[j])[0] + full(at - step[i] - step[j])[0]
            single = up[i][0] + down[i][0] + up[j][0] + down[j][0]
            hessian[i, j] = hessian[j, i] = (both - single + 2 * centre) / (2 * step[i, i] * step[j, j])
    # The variances differ by orders of magnitude: their curvatures are compared relative to their size.
    scaled = hessian * np.outer(at, at)
    values, vectors = np.linalg.eigh(scaled)
    keep = values > 1e-8 * values.max()
    inverse = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
    slopes = np.stack([(up[i][3] - down[i][3]) / (2 * step[i, i]) for i in range(size)])
    return 2 * inverse * np.outer(at, at), slopes


class _Deviance:
    """The profiled REML deviance as a function of the parts' relative standard deviations."""

    def __init__(self, y: Floats, x: Floats, parts: RandomParts) -> None:
        left, self.left_of = _indicators(parts.within, parts.weights, len(y))
        right, self.right_of = _indicators(parts.between, parts.weights, len(y))
        self.parts = len(parts.names)
        self.n_left, self.q = len(parts.within), right.shape[1]
        self.freedom = len(y) - x.shape[1]
        fixed = sparse.hstack([right, sparse.csr_array(x)], format="csr")
        self.both, self.both_y, self.yy = (fixed.T @ fixed).toarray(), fixed.T @ y, float(y @ y)
        self._people(y, fixed, left.toarray(), parts.participant)

    def _people(self, y: Floats, fixed: sparse.csr_array, left: Floats, participant: Ints) -> None:
        """Sum up each participant's own equations, those with the same images together."""
        groups: dict[bytes, list[tuple[Floats, Floats, Floats]]] = {}
        for person in range(int(participant.max(initial=-1)) + 1):
            rows = np.flatnonzero(participant == person)
            own, cross = left[rows].T @ left[rows], np.asarray(left[rows].T @ fixed[rows])
            groups.setdefault(cross.tobytes(), []).append((own, cross, left[rows].T @ y[rows]))
        found = list(groups.values())
        self.people = np.array([len(group) for group in found], dtype=np.float64)
        self.own = np.stack([group[0][0] for group in found])
        self.cross = np.stack([group[0][1] for group in found])
        sums = [np.stack([one[2] for one in group]) for group in found]
        self.sum_y = np.stack([ys.sum(axis=0) for ys in sums])
        self.sum_yy = np.stack([ys.T @ ys for ys in sums])

    def solve(self, theta: Floats, variance: float | None = None) -> tuple[float, float, Floats, Floats]:
        """Return deviance, residual variance (the best one, or the given), β and its covariance."""
        left, right = theta[: self.n_left][self.left_of], theta[self.n_left :][self.right_of]
        block = self.own * np.outer(left, left) + np.eye(len(left))
        log_v = float(self.people @ np.linalg.slogdet(block)[1])
        weight = np.linalg.inv(block) * np.outer(left, left)
        weighted = weight @ self.cross
        size = self.both.shape[0]
        flat = (self.people[:, None, None] * self.cross).reshape(-1, size)
        normal = self.both - flat.T @ weighted.reshape(-1, size)
        to_y = self.both_y - np.einsum("gbi,gb->i", weighted, self.sum_y)
        rest = self.yy - float((weight * self.sum_yy).sum())
        q = self.q
        schur = normal[:q, :q] * np.outer(right, right)
        schur[np.diag_indices(q)] += 1
        factor = linalg.cholesky(schur, lower=True, check_finite=False, overwrite_a=True)
        sides = np.column_stack([normal[:q, q:], to_y[:q]]) * right[:, None]
        half = linalg.solve_triangular(factor, sides, lower=True, check_finite=False)
        log_v += 2 * float(np.log(np.diag(factor)).sum())
        inside = half.T @ half
        information = normal[q:, q:] - inside[:-1, :-1]
        inverse = np.linalg.inv(information)
        right_side = to_y[q:] - inside[:-1, -1]
        beta = inverse @ right_side
        squares = max(float(rest - inside[-1, -1] - right_side @ beta), 1e-300)
        log_x = float(np.linalg.slogdet(information)[1])
        if variance is None:
            variance = squares / self.freedom
            deviance = self.freedom * np.log(variance) + log_v + log_x
        else:
            deviance = self.freedom * np.log(variance) + squares / variance + log_v + log_x
        return float(deviance), variance, beta, variance * inverse

    def value(self, theta: Floats) -> float:
        """Return the deviance."""
        return self.solve(theta)[0]

    def slope(self, theta: Floats) -> Floats:
        """Return the deviance's slope; it is even in each relative standard deviation, so 0 needs no bound."""
        step = 1e-4
        steps = step * np.eye(len(theta))
        return np.array([(self.value(theta + one) - self.value(theta - one)) / (2 * step) for one in steps])


def _indicators(
    parts: Mapping[str, Ints], weights: Mapping[str, Floats], rows: int
) -> tuple[sparse.csr_array, Ints]:
    """Return the parts' columns side by side, and the part that each column belongs to."""
    sizes = [int(codes.max(initial=-1)) + 1 for codes in parts.values()]
    starts = np.cumsum([0, *sizes[:-1]])
    columns = np.concatenate([codes + start for codes, start in zip(parts.values(), starts, strict=True)])
    where = np.tile(np.arange(rows), len(sizes)), columns
    values = np.concatenate([weights.get(name, np.ones(rows)) for name in parts])
    indicators = sparse.csr_array((values, where), shape=(rows, sum(sizes)))
    return indicators, np.repeat(np.arange(len(sizes)), sizes)
