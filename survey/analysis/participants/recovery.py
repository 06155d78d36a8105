"""Qualities, biases and inconsistencies of the subject model: rating = quality + bias + inconsistency × noise.

Source: ITU-T P.910 (10/2023) Annex E, P.913 clause 12.6; Z. Li, C. Bampis, L. Janowski, I. Katsavounidis,
"A simple model for subject behavior in subjective experiments", HVEI 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special
from scipy.sparse.csgraph import connected_components

from survey.analysis.distributions import CONFIDENCE
from survey.analysis.items.intervals import Z
from survey.analysis.table import Coded

Variant = Literal["strict", "shrunken"]
Floats = NDArray[np.float64]

FEWEST_RATINGS = 10
"""With fewer ratings of a participant the strict model is worse than the mean."""

_REFERENCE_Z = 1.95996
"""The normal quantile with the digits of the reference programs, so that the strict variant equals theirs."""

_EPSILON = 1e-8
_TOLERANCE = 1e-8
"""Both in quarters of the scale (squared, and as they are), the steps of five categories."""
_ROUNDS = 1000
_PRIOR_RATINGS_OF_INCONSISTENCY = 8
_PRIOR_RATINGS_OF_BIAS = 3


@dataclass(frozen=True)
class Recovery:
    """A fitted subject model.

    Attributes:
        items: ``item,quality,ci_low,ci_high``; on the rating scale, but may leave its ends.
        observers: ``participant,n,bias,bias_low,bias_high,inconsistency,inconsistency_low,inconsistency_high``,
            in rating points.
        rounds: iterations used.
        converged: False where the limit of 1000 rounds was met.
        components: connected parts of the graph of who rated what; qualities of different parts cannot be
            compared when there is more than one.
    """

    items: pd.DataFrame
    observers: pd.DataFrame
    rounds: int
    converged: bool
    components: int


def recover(ratings: Coded, variant: Variant = "strict") -> Recovery:
    """Fit the subject model by alternating projection, in sparse arithmetic.

    ``strict`` is Annex E as its demonstration program has it: weights 1/(inconsistency² + 1e-8), biases of mean
    zero over participants, intervals quality ± 1.96 s_j/√n_j with s_j the residual SD of the item (ddof 0).
    Participants with few ratings get far too much weight; ``shrunken`` holds their bias toward 0 (as three
    ratings of no bias would) and their inconsistency toward the panel's (as eight typical ratings would), has
    biases of mean zero over ratings, so that the grand mean stays, and intervals quality ± 1.96/√Σ(1/v_i) over
    the item's ratings (Li et al. eq. 6). Either interval is conditional on this panel: fit to compare items
    that the same people rated, not for the mean of a population.
    """
    model = _Model(ratings, variant)
    quality, bias, spread, rounds, converged = model.fit()
    half = model.quality_half_width(quality, bias, spread)
    items = pd.DataFrame(
        {"item": ratings.items, "quality": quality, "ci_low": quality - half, "ci_high": quality + half}
    )
    observers = _observers(ratings, model.n_i, bias, spread)
    return Recovery(items, observers, rounds, converged, components(ratings))


def components(ratings: Coded) -> int:
    """Return the number of connected parts of the bipartite graph of participants and items."""
    people, things = len(ratings.participants), len(ratings.items)
    edges = (np.ones(len(ratings.rating), np.int8), (ratings.participant, ratings.item + people))
    graph = sparse.coo_array(edges, shape=(people + things, people + things))
    return int(connected_components(graph, directed=False)[0])


class _Model:
    """The sums for each round, without dense matrices; rows are ratings."""

    def __init__(self, ratings: Coded, variant: Variant) -> None:
        self.item, self.person = ratings.item, ratings.participant
        self.u = ratings.rating.astype(np.float64)
        self.items, self.people = len(ratings.items), len(ratings.participants)
        self.n_j = np.bincount(self.item, minlength=self.items)
        self.n_i = np.bincount(self.person, minlength=self.people)
        # The same sums as bincount, in the same order, five times as fast.
        self._of_item, self._of_person = (
            sparse.csr_array(
                (np.ones(len(self.u)), (codes, np.arange(len(self.u)))), shape=(size, len(self.u))
            )
            for codes, size in ((self.item, self.items), (self.person, self.people))
        )
        self.strict = variant == "strict"
        quarter = ratings.scale.range / 4
        self.epsilon, self.tolerance = _EPSILON * quarter**2, _TOLERANCE * quarter

    def by_item(self, values: Floats) -> Floats:
        return np.asarray(self._of_item @ values, np.float64)

    def by_person(self, values: Floats) -> Floats:
        return np.asarray(self._of_person @ values, np.float64)

    def fit(self) -> tuple[Floats, Floats, Floats, int, bool]:
        quality = self.by_item(self.u) / self.n_j
        bias, spread = self.observers(quality)
        rounds, change = 0, np.inf
        while change >= self.tolerance and rounds < _ROUNDS:
            rounds += 1
            w = (1 / (spread**2 + self.epsilon))[self.person]
            before, quality = quality, self.by_item(w * (self.u - bias[self.person])) / self.by_item(w)
            bias, spread = self.observers(quality)
            change = float(np.linalg.norm(quality - before))
        shift = float(bias.mean()) if self.strict else 0.0
        return quality + shift, bias - shift, spread, rounds, change < self.tolerance

    def observers(self, quality: Floats) -> tuple[Floats, Floats]:
        """Return the bias and inconsistency of each participant, given the qualities."""
        error = self.u - quality[self.item]
        total, squares, n = self.by_person(error), self.by_person(error**2), self.n_i
        if self.strict:
            bias = total / n
            return bias, np.sqrt(np.maximum(squares / n - bias**2, 0))
        bias = total / (n + _PRIOR_RATINGS_OF_BIAS)
        bias -= (n @ bias) / n.sum()
        k = _PRIOR_RATINGS_OF_INCONSISTENCY
        about_bias = squares - 2 * bias * total + n * bias**2
        return bias, np.sqrt((k * about_bias.sum() / n.sum() + about_bias) / (k + n))

    def quality_half_width(self, quality: Floats, bias: Floats, spread: Floats) -> Floats:
        if not self.strict:
            return Z / np.sqrt(self.by_item(1 / (spread[self.person] ** 2 + self.epsilon)))
        residual = self.u - quality[self.item] - bias[self.person]
        variance = self.by_item(residual**2) / self.n_j - (self.by_item(residual) / self.n_j) ** 2
        return np.asarray(_REFERENCE_Z * np.sqrt(np.maximum(variance, 0) / self.n_j))


def _observers(ratings: Coded, n: NDArray[np.int64], bias: Floats, spread: Floats) -> pd.DataFrame:
    """Return the intervals of Li et al. 2020: bias ± 1.96 ν/√n, and ν√(n/χ²) with n degrees of freedom."""
    half = Z * spread / np.sqrt(n)
    return pd.DataFrame(
        {
            "participant": ratings.participants,
            "n": n,
            "bias": bias,
            "bias_low": bias - half,
            "bias_high": bias + half,
            "inconsistency": spread,
            "inconsistency_low": spread * np.sqrt(n / special.chdtri(n, 0.5 - CONFIDENCE / 2)),
            "inconsistency_high": spread * np.sqrt(n / special.chdtri(n, 0.5 + CONFIDENCE / 2)),
        }
    )
