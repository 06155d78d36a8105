"""95 % confidence intervals of a mean opinion score, from counts of ratings.

Every function takes ``counts`` of shape (items, 5) and returns ``low`` and ``high`` of shape (items,), on the
1..5 scale, NaN where the interval is not defined. Intervals are ends, never widths; the half width is
``(high - low) / 2``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from survey.analysis.items.sos import HIGH, LOW, moments
from survey.analysis.table import CATEGORIES

Method = Literal["t", "bounded", "normal", "percentile", "bca", "dirichlet"]
METHODS: tuple[Method, ...] = get_args(Method)
Ends = tuple[NDArray[np.float64], NDArray[np.float64]]

CONFIDENCE = 0.95
Z = float(special.ndtri(0.5 + CONFIDENCE / 2))
RESAMPLES = 2000
DIRICHLET_PRIOR = 0.2
_TAILS = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])


def interval(method: Method, counts: ArrayLike, *, a: float, seed: int = 0) -> Ends:
    """The interval by name; ``a`` is the study's SOS parameter (bounded), ``seed`` that of the random ones.

    Raises:
        ValueError: no such method.
    """
    counts = np.asarray(counts, np.int64)
    closed: dict[str, Callable[[], Ends]] = {
        "t": lambda: student_t(counts),
        "normal": lambda: normal(counts),
        "bounded": lambda: sos_wilson(counts, a),
    }
    if method in closed:
        return closed[method]()
    if method not in METHODS:
        raise ValueError(f"no interval {method!r}; there are {', '.join(METHODS)}")
    draw = {"percentile": _percentile, "bca": _bca, "dirichlet": _dirichlet}[method]
    ends = np.full((len(counts), 2), np.nan)
    for row, item in enumerate(counts):
        if item.any():
            # A generator of its own, so that an item's interval does not depend on the other items.
            ends[row] = draw(item, np.random.default_rng(seed))
    return ends[:, 0], ends[:, 1]


def student_t(counts: ArrayLike) -> Ends:
    """m ± t(0.975, n-1) s/√n, unclipped (ITU-T P.1401 clause 7.4, P.913); NaN for n < 2 and where all agree,
    as the data then say nothing about the spread."""
    return _symmetric(
        counts, lambda n: np.asarray(special.stdtrit(np.maximum(n - 1.0, 1.0), 0.5 + CONFIDENCE / 2))
    )


def normal(counts: ArrayLike) -> Ends:
    """m ± 1.96 s/√n (ITU-R BT.500 Annex 1); too narrow for few ratings, there for comparison."""
    return _symmetric(counts, lambda n: np.full(len(n), Z))


def _symmetric(counts: ArrayLike, quantile: Callable[[NDArray[np.int64]], NDArray[np.float64]]) -> Ends:
    n, mean, variance = moments(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(variance > 0, quantile(n) * np.sqrt(variance / n), np.nan)
    return mean - half, mean + half


def sos_wilson(counts: ArrayLike, a: float) -> Ends:
    """Wilson's score interval of p = (m - 1)/4 with effective sample size n/a: defined from one rating on,
    and always within [1, 5].

    Under the SOS hypothesis Var(mean)/16 = a p(1 - p)/n, so n/a ratings of a binomial would be as sure. Not a
    standard: derived here from E. B. Wilson (1927) and arXiv:1607.00321; docs/explanation/method.md shows its coverage.
    """
    n, mean, _ = moments(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (mean - LOW) / (HIGH - LOW)
        size = n / a
        centre = (p + Z**2 / (2 * size)) / (1 + Z**2 / size)
        half = Z * np.sqrt(p * (1 - p) / size + Z**2 / (4 * size**2)) / (1 + Z**2 / size)
    # At the ends of the scale the exact bound is the end itself; rounding may miss it by one ulp.
    low, high = LOW + (HIGH - LOW) * (centre - half), LOW + (HIGH - LOW) * (centre + half)
    return np.clip(low, LOW, HIGH), np.clip(high, LOW, HIGH)


def _resampled_means(item: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    n = int(item.sum())
    return rng.multinomial(n, item / n, size=RESAMPLES) @ CATEGORIES / n


def _percentile(item: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    if np.count_nonzero(item) < 2:
        return np.full(2, np.nan)
    return np.asarray(np.quantile(_resampled_means(item, rng), _TAILS))


def _bca(item: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Bias-corrected and accelerated bootstrap, B. Efron (1987), eq. 4.2 and 6.6 with jackknife acceleration."""
    if np.count_nonzero(item) < 2:
        return np.full(2, np.nan)
    means = _resampled_means(item, rng)
    mean = item @ CATEGORIES / item.sum()
    below = (np.mean(means < mean - 1e-12) + np.mean(means <= mean + 1e-12)) / 2
    influence = CATEGORIES - mean
    acceleration = (item @ influence**3) / (6 * (item @ influence**2) ** 1.5)
    bias = special.ndtri(below)
    shifted = bias + special.ndtri(_TAILS)
    return np.asarray(np.quantile(means, special.ndtr(bias + shifted / (1 - acceleration * shifted))))


def _dirichlet(item: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Equal-tailed credible interval of the mean under a Dirichlet prior of 0.2 in each category."""
    shares = rng.dirichlet(item + DIRICHLET_PRIOR, size=RESAMPLES)
    return np.asarray(np.quantile(shares @ CATEGORIES, _TAILS))
