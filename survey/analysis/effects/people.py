"""The check beside the mixed model: participants as the only random unit, images taken as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from survey.analysis.distributions import f_tail
from survey.analysis.effects.reml import Floats, Ints, Test

MAX_WORK = 1e10
"""Multiplications beyond which CR2 is left out."""
_PRODUCTS: Final = "ps,pr,jrt->jst"


def greenhouse_geisser(means: Floats, contrasts: Floats) -> Test:
    """Return the repeated-measures F with Greenhouse and Geisser's (1959) degrees of freedom.

    Args:
        means: each participant's mean in each cell, shape (participants, cells), complete.
        contrasts: orthonormal contrasts of the cells, shape (cells, q).
    """
    people, q = len(means), contrasts.shape[1]
    scores = means @ contrasts
    spread = np.atleast_2d(np.cov(scores, rowvar=False))
    total = float(np.trace(spread))
    if people < 2 or total <= 0:
        return Test(float("nan"), q, float("nan"), float("nan"))
    centre = scores.mean(axis=0)
    statistic = float(people * (centre @ centre) / total)
    epsilon = total**2 / (q * float((spread * spread).sum()))
    df1, df2 = q * epsilon, q * epsilon * (people - 1)
    return Test(statistic, df1, df2, f_tail(statistic, df1, df2))


def orthonormal(levels: int) -> Floats:
    """Return orthonormal contrasts, shape (levels, levels − 1)."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(levels), np.eye(levels)[:, :-1]]))
    return np.asarray(basis[:, 1:], np.float64)


@dataclass(frozen=True)
class ClusterFit:
    """Least squares with participants as clusters and the bias-reduced variance CR2.

    Source: J. Pustejovsky and E. Tipton 2018, "Small-sample methods for cluster-robust variance estimation", whose
    approximate Hotelling test (HTZ) is `test`.
    """

    beta: Floats
    _bread: Floats
    _leverages: list[tuple[Floats, Floats, Floats]]

    def test(self, rows: Floats) -> Test:
        """Test that all combinations of the fixed effects are 0; shape (q, effects), of full rank."""
        q = len(rows)
        if (q * len(self._leverages)) ** 2 * len(self.beta) > MAX_WORK:
            return Test(float("nan"), q, float("nan"), float("nan"))
        # Under the working model the combinations are made independent, of variance 1.
        root = np.linalg.inv(np.linalg.cholesky(rows @ self._bread @ rows.T))
        weights = self._bread @ (root @ rows).T
        a = [design @ weights for design, _, _ in self._leverages]
        scores = np.stack([one.T @ e for one, (_, _, e) in zip(a, self._leverages, strict=True)])
        variance = scores.T @ scores
        estimate = root @ rows @ self.beta
        u = np.stack([plain.T @ one for one, (_, plain, _) in zip(a, self._leverages, strict=True)])
        spread = 0.0
        # Found once, since finding it takes longer than the products of small studies.
        path = np.einsum_path(_PRODUCTS, u[0], self._bread, u)[0]
        for i, one in enumerate(a):
            # products[j, s, t]: of the vectors whose squares make up the variance, section 3.2 there.
            products = -np.einsum(_PRODUCTS, u[i], self._bread, u, optimize=path)
            products[i] += one.T @ one
            spread += float(np.einsum("jst,jts->", products, products))
            spread += float((np.trace(products, axis1=1, axis2=2) ** 2).sum())
        eta = q * (q + 1) / spread
        df2 = eta - q + 1
        try:
            squares = float(estimate @ np.linalg.solve(variance, estimate))
        except np.linalg.LinAlgError:
            squares = float("nan")
        if df2 <= 0 or not np.isfinite(squares):
            return Test(float("nan"), q, float("nan"), float("nan"))
        statistic = df2 / (eta * q) * squares
        return Test(statistic, q, df2, f_tail(statistic, q, df2))


def cluster_fit(y: Floats, x: Floats, participant: Ints) -> ClusterFit:
    """Fit by least squares. Args: y, shape (rows,); x, of full rank; participant, codes from 0."""
    bread = np.asarray(np.linalg.inv(x.T @ x), np.float64)
    beta = bread @ (x.T @ y)
    residual = y - x @ beta
    leverages = []
    for person in range(int(participant.max()) + 1):
        mine = participant == person
        own = x[mine]
        values, vectors = np.linalg.eigh(np.eye(len(own)) - own @ bread @ own.T)
        keep = values > 1e-10
        adjust = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
        leverages.append((adjust @ own, own, residual[mine]))
    return ClusterFit(np.asarray(beta), bread, leverages)
