"""The generalised score distribution, and how far counts are from having one peak.

Source: L. Janowski, B. Ćmiel, K. Rusek, J. Nawała and Z. Li, "Generalized Score Distribution", arXiv:1909.04369. ψ is the mean
on categories counted from 1, and ρ the agreement: 1 for the smallest variance that a mean allows, 0 for the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_CATEGORIES: Final = 3
"""With two categories there is no room between two camps."""
MOST_CATEGORIES: Final = 11
_STEP: Final = 0.01
_LEAST: Final = 1e-300
_NEVER: Final = -1e6
_COARSE: Final = 3
_EQUAL: Final = 1e-12
_AT_ONCE: Final = 2_000_000


def probabilities(psi: Floats, rho: Floats, categories: int) -> Floats:
    """Return the chance of each category, shape (..., categories).

    Args:
        psi: means above 1 and below `categories`, of any shape.
        rho: agreement, above 0 and at most 1, of the same shape.
        categories: at least 3.
    """
    steps = categories - 1
    p = (psi - 1) / steps
    widest, narrowest = (psi - 1) * (categories - psi), (np.ceil(psi) - psi) * (psi - np.floor(psi))
    turn = (categories - 2) / steps * widest / (widest - narrowest)
    rest = np.maximum(turn - rho, 0)
    near = np.divide(rho - turn, 1 - turn, out=np.zeros_like(rho), where=turn < 1)
    columns = []
    for k in range(categories):
        ways = comb(steps, k)
        spread = ways * _rising(p * rho, rest, k) * _rising((1 - p) * rho, rest, steps - k)
        spread /= _rising(rho, rest, steps)
        around = np.maximum(0, 1 - np.abs(k + 1 - psi))
        binomial = ways * p**k * (1 - p) ** (steps - k)
        columns.append(np.where(rho < turn, spread, near * around + (1 - near) * binomial))
    return np.stack(columns, axis=-1)


def _rising(start: Floats, step: Floats, factors: int) -> Floats:
    product = np.ones_like(start)
    for i in range(factors):
        product = product * (start + i * step)
    return product


@dataclass(frozen=True)
class Grid:
    """The distributions among which a fit is sought.

    Attributes:
        psi, rho: their values. chances: shape (ψ, ρ, categories).
        logs: logarithms of the chances. of_one_peak: the same, where a distribution with two peaks never wins.
    """

    psi: Floats
    rho: Floats
    chances: Floats
    logs: Floats
    of_one_peak: Floats

    def fit(self, counts: Ints, *, one_peak: bool = False) -> tuple[Ints, Ints]:
        """Return the places in `psi` and `rho` of the most likely distribution of each row of counts.

        Args:
            counts: shape (rows, categories).
            one_peak: only among distributions that do not rise again after a fall.
        """
        # A distribution to draw samples from need not be fitted as finely as one that is printed.
        every = _COARSE if one_peak else 1
        logs = (self.of_one_peak if one_peak else self.logs)[::every, ::every]
        flat = logs.reshape(-1, logs.shape[-1]).T
        rows = max(1, _AT_ONCE // flat.shape[1])
        parts = [(counts[i : i + rows] @ flat).argmax(axis=1) for i in range(0, len(counts), rows)]
        places = np.concatenate(parts) if parts else np.empty(0, np.int64)
        i, j = np.unravel_index(places, logs.shape[:2])
        return i.astype(np.int64) * every, j.astype(np.int64) * every


@lru_cache(maxsize=4)
def grid_of(categories: int) -> Grid:
    """Return the grid of a number of categories."""
    psi: Floats = np.arange(1, round((categories - 1) / _STEP), dtype=np.float64) * _STEP + 1
    rho: Floats = np.arange(1, round(1 / _STEP) + 1, dtype=np.float64) * _STEP
    every_psi, every_rho = np.meshgrid(psi, rho, indexing="ij")
    chances = probabilities(every_psi, every_rho, categories)
    logs = np.log(np.maximum(chances, _LEAST))
    again = rises_again(np.where(np.abs(np.diff(chances)) < _EQUAL, 0, np.diff(chances)))
    return Grid(psi, rho, chances, logs, np.where(again[..., None], _NEVER, logs))


def rises_again(changes: Floats) -> NDArray[np.bool_]:
    """Return which rows rise again after a fall, from the changes between neighbours, shape (..., categories − 1)."""
    fell = np.logical_or.accumulate(changes < 0, axis=-1)
    return np.asarray((fell[..., :-1] & (changes[..., 1:] > 0)).any(axis=-1))


def valley(counts: Ints) -> Floats:
    """Return how much likelier counts are as they stand than under the best shares of one peak, in nats, shape (rows,).

    0 where the counts rise to one peak and fall from it. Shares of one peak are fitted by monotone regression of the
    categories up to a place and of those after it, at the best place (R. Barlow et al. 1972).
    """
    depth = np.zeros(len(counts))
    some = np.flatnonzero(rises_again(np.diff(counts)))
    if len(some):
        rows = pd.DataFrame(counts[some])
        # Not `np.unique` of the rows, which takes five times as long.
        number = rows.groupby(list(rows.columns), sort=False).ngroup().to_numpy()
        _, first = np.unique(number, return_index=True)
        depth[some] = _depth(counts[some[first]])[number]
    return depth


def _depth(counts: Ints) -> Floats:
    places = range(counts.shape[1] + 1)
    best = np.max([_monotone(counts[:, :k]) + _monotone(counts[:, k:][:, ::-1]) for k in places], axis=0)
    own = np.where(counts > 0, counts * np.log(np.maximum(counts, 1)), 0).sum(axis=1)
    return np.asarray(np.maximum(0, own - best))


def _monotone(counts: Ints) -> Floats:
    """Return Σ n ln q of the best q that never falls from one category to the next, shape (rows,)."""
    sums = np.concatenate([np.zeros((len(counts), 1)), counts.cumsum(axis=1)], axis=1)
    size = counts.shape[1]
    total = np.zeros(len(counts))
    for i in range(size):
        fits = [
            np.min([(sums[:, b + 1] - sums[:, a]) / (b + 1 - a) for b in range(i, size)], axis=0)
            for a in range(i + 1)
        ]
        q = np.max(fits, axis=0)
        total += np.where(counts[:, i] > 0, counts[:, i] * np.log(np.maximum(q, _LEAST)), 0)
    return total
