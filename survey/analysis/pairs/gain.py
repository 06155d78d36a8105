"""Which pairs to compare next: those whose answers are expected to tell most about the scores.

The expected information gain of D. Lindley (1956) under a penalised Bradley-Terry model, of all pairs at once, and
batches by a minimum spanning tree on the negative gain, as J. Li et al. (2018, Hybrid-MST) and A. Mikhailiuk et al.
(2020, ASAP) draw them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VARIANCE: Final = 6.0
"""Variance of the scores before any choice: log odds within ±5 are likely."""
HELD_BY: Final = 1 / 8
"""How much evidence that variance is, as a share of the items: few votes show too small a one."""
MAX_DEGREE: Final = 3
"""Pairs of one tree that an item is in, where it can be so."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_ROUNDS: Final = 100
_TOLERANCE: Final = 1e-4
#: Newton's steps are cut to this length: far from the maximum a full one may jump over it.
_STEP: Final = 2.0
#: Gains that differ in further digits are equal: what is left is rounding, which must not decide.
_DIGITS: Final = 9


@dataclass(frozen=True)
class Belief:
    """What the choices so far say of the scores.

    Attributes:
        scores: log odds, shape (items,).
        covariance: of the scores, shape (items, items).
        variance: of the scores among each other, as estimated.
    """

    scores: Floats
    covariance: Floats
    variance: float

    def difference(self, first: Ints, second: Ints) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of first − second, for pairs of items."""
        v, variance = self.covariance, np.diag(self.covariance)
        spread = variance[first] + variance[second] - 2 * v[first, second]
        return self.scores[first] - self.scores[second], np.sqrt(np.maximum(spread, 0))


@dataclass(frozen=True)
class PairState:
    """The choices so far.

    Attributes:
        wins: of each question, as in `belief`.
        lent: as in `belief`.
    """

    wins: Sequence[Floats]
    lent: Floats

    def gain(self, first: Ints, second: Ints) -> Floats:
        """Return the expected gain of each pair, summed over the questions: one showing answers them all."""
        total = np.zeros(len(first))
        for wins in self.wins:
            total += expected_gain(belief(wins, self.lent), first, second)
        return total


def belief(wins: Floats, lent: Floats | None = None) -> Belief:
    """Return the penalised Bradley-Terry scores, and their covariance once the pairs on loan are answered.

    The scores are normal around 0 with a variance that is estimated with them, by D. MacKay's evidence approximation
    (1992); before any choice it is VARIANCE.

    Args:
        wins: how often the item of a row was preferred to that of a column, a tie as half to each; (items, items).
        lent: how often each pair is being shown now; symmetric. A pair on loan adds information at its present chance
            and leaves the scores alone.
    """
    counts = wins + wins.T
    scores, variance = _fitted(wins, counts)
    chance = expit(scores[:, None] - scores[None, :])
    information = _information(counts if lent is None else counts + lent, chance, variance)
    covariance: Floats = np.linalg.inv(information).astype(np.float64)
    return Belief(scores, covariance, variance)


def _fitted(wins: Floats, counts: Floats) -> tuple[Floats, float]:
    """Return the scores and their variance: where the variance of the evidence equals the one assumed, by secants."""
    scores = np.zeros(len(wins))
    at, before, change_before = np.log(VARIANCE), 0.0, 0.0
    for turn in range(_ROUNDS):
        scores = _mode(wins, counts, scores, float(np.exp(at)))
        change = _evident(scores, counts, float(np.exp(at))) - at
        if abs(change) < _TOLERANCE:
            break
        slope = (change - change_before) / (at - before) if turn else -1.0
        before, change_before = at, change
        at += float(np.clip(change / -slope if slope < 0 else change, -_STEP, _STEP))
    return scores, float(np.exp(at))


def _mode(wins: Floats, counts: Floats, scores: Floats, variance: float) -> Floats:
    """Return the most likely scores for a variance, by Newton's method from `scores`."""
    for _ in range(_ROUNDS):
        chance = expit(scores[:, None] - scores[None, :])
        gradient = (wins - counts * chance).sum(axis=1) - scores / variance
        step = np.linalg.solve(_information(counts, chance, variance), gradient)
        longest = float(np.abs(step).max(initial=0))
        scores = scores + step * min(1.0, _STEP / max(longest, _STEP))
        if longest < _TOLERANCE:
            break
    return scores


def _evident(scores: Floats, counts: Floats, variance: float) -> float:
    """Return the logarithm of the variance that the scores show, less what they owe to chance."""
    chance = expit(scores[:, None] - scores[None, :])
    covariance = np.linalg.inv(_information(counts, chance, variance))
    known = len(scores) - np.trace(covariance) / variance
    held = HELD_BY * len(scores)
    return float(np.log((scores @ scores + held * VARIANCE) / (known + held)))


def _information(counts: Floats, chance: Floats, variance: float) -> Floats:
    weight = counts * chance * (1 - chance)
    return np.diag(weight.sum(axis=1) + 1 / variance) - weight


def expected_gain(state: Belief, first: Ints, second: Ints) -> Floats:
    """Return by how many nats one more answer to each pair is expected to narrow what is known: at most ln 2.

    It is the mutual information of answer and difference: the entropy of the answer, less its mean entropy were the
    difference known (Lindley 1956), by 15 Gauss-Hermite nodes.
    """
    mean, spread = state.difference(first, second)
    odds = mean[:, None] + spread[:, None] * _NODES
    chance = expit(odds)
    weights = _WEIGHTS / _WEIGHTS.sum()
    # The entropy of a choice with log odds u is ln(1 + e^u) - u p.
    known = (np.logaddexp(0, odds) - odds * chance) @ weights
    p = np.clip(chance @ weights, 1e-300, 1)
    q = np.clip((1 - chance) @ weights, 1e-300, 1)
    gain: Floats = np.maximum(-(p * np.log(p) + q * np.log(q)) - known, 0.0)
    return gain


def next_pairs(
    state: PairState, allowed: NDArray[np.bool_], count: int | None, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return the pairs that one person is to compare, greatest gain first; no pair twice.

    One batch is a spanning tree of the items: each item is in it, and all are linked (one tree for each part that the
    allowed pairs connect). A person who compares more gets further trees, the earlier ones being on loan; one who
    compares fewer gets the pairs of the tree that tell most.

    Args:
        state: the choices so far.
        allowed: which pairs may be drawn, shape (items, items); only the part above the diagonal is read.
        count: how many pairs, None for one batch.
        rng: decides between pairs of the same gain.
    """
    first, second = np.nonzero(np.triu(allowed, 1))
    open_ = np.ones(len(first), dtype=bool)
    lent = state.lent.copy()
    chosen: list[tuple[int, int]] = []
    while open_.any():
        i, j = first[open_], second[open_]
        gain = PairState(state.wins, lent).gain(i, j)
        batch = _tree(i, j, gain, len(lent), rng)
        if count is not None:
            batch = batch[: count - len(chosen)]
        chosen += [(int(a), int(b)) for a, b in zip(i[batch], j[batch], strict=True)]
        if count is None or len(chosen) >= count:
            break
        open_[np.flatnonzero(open_)[batch]] = False
        np.add.at(lent, (i[batch], j[batch]), 1)
        np.add.at(lent, (j[batch], i[batch]), 1)
    return chosen


def _tree(first: Ints, second: Ints, gain: Floats, items: int, rng: np.random.Generator) -> Ints:
    """Return which pairs make the spanning trees, greatest gain first (J. Kruskal 1956).

    An item is in MAX_DEGREE pairs of a tree where that is possible: gains are those of one more answer, and an item of
    which little is known would have the greatest with every other.
    """
    order = np.lexsort((rng.random(len(gain)), -np.round(gain, _DIGITS)))
    ends = list(zip(first[order].tolist(), second[order].tolist(), strict=True))
    root, degree = list(range(items)), [0] * items
    tree: list[int] = []
    for most in (MAX_DEGREE, items):
        for place, (i, j) in enumerate(ends):
            if degree[i] < most and degree[j] < most and (a := _root(root, i)) != (b := _root(root, j)):
                root[a] = b
                degree[i] += 1
                degree[j] += 1
                tree.append(place)
    return np.asarray(order[sorted(tree)])


def _root(root: list[int], item: int) -> int:
    while root[item] != item:
        root[item] = root[root[item]]
        item = root[item]
    return item
