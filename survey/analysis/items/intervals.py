"""95 % confidence intervals of a mean opinion score, with participants as the unit.

Every function takes the ``Tally`` of the items and returns ``low`` and ``high`` of shape (items,), on the rating
scale, NaN where the interval is not defined. Intervals are ends, never widths; the half width is
``(high - low) / 2``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from survey.analysis.distributions import CONFIDENCE, t_critical
from survey.analysis.items.sos import RANGE_OF_A
from survey.analysis.items.tally import Tally, clustering

Interval = Literal["t", "bounded", "normal", "percentile", "bca", "dirichlet"]
DEFAULT_INTERVAL: Final[Interval] = "t"
"""The interval of publications and exports, and of the results page until another is chosen."""
INTERVALS: Final[Mapping[str, str]] = {
    "t": "Student t",
    "bounded": "Bounded (SOS-Wilson)",
    "normal": "Normal (1.96)",
    "percentile": "Bootstrap, percentile",
    "bca": "Bootstrap, BCa",
    "dirichlet": "Dirichlet",
}
"""The name of each interval for people, the default first."""
Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]

Z = float(special.ndtri(0.5 + CONFIDENCE / 2))
RESAMPLES = 2000
DIRICHLET_PRIOR = 1.0
"""Imagined ratings in all categories together: 0.2 in each of five."""
MAX_CATEGORIES = 11
"""Categories up to which Dirichlet's interval is defined: on finer scales its prior would decide."""
_TAILS = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])


def interval(name: Interval, items: Tally, *, a: float, seed: int = 0) -> Ends:
    """Return an interval by its name.

    Args:
        name: One of ``INTERVALS``.
        items: The items.
        a: SOS parameter of the study, for the bounded interval.
        seed: Of the random methods.

    Raises:
        ValueError: If the name is unknown.
    """
    closed: dict[str, Callable[[], Ends]] = {
        "t": lambda: student_t(items),
        "normal": lambda: normal(items),
        "bounded": lambda: sos_wilson(items, a),
    }
    if name in closed:
        return closed[name]()
    if name not in INTERVALS:
        raise ValueError(f"no interval {name!r}; there are {', '.join(INTERVALS)}")
    draw = {"percentile": _percentile, "bca": _bca, "dirichlet": _dirichlet(items)}[name]
    ends = np.full((len(items.n), 2), np.nan)
    starts = np.searchsorted(items.cells.item, np.arange(len(items.n) + 1))
    for row in np.flatnonzero(items.n):
        # One generator for each item, so that its interval does not depend on other items.
        ends[row] = draw(_votes(items, slice(starts[row], starts[row + 1])), np.random.default_rng(seed))
    return items.origin + items.unit * ends[:, 0], items.origin + items.unit * ends[:, 1]


def student_t(items: Tally) -> Ends:
    """Return m ± t(0.975, k - 1) √V of k participants, unclipped (ITU-T P.1401 clause 7.4, P.913).

    √V is s/√n if each participant rated once. The ends are NaN for one participant, and if all participants' means
    agree, since they do not determine the spread.
    """
    freedom = np.maximum(items.participants - 1.0, 1.0)
    return _symmetric(items, t_critical(freedom))


def normal(items: Tally) -> Ends:
    """Return m ± 1.96 √V (ITU-R BT.500 Annex 1); too narrow for few participants, given for comparison."""
    return _symmetric(items, np.full(len(items.n), Z))


def _symmetric(items: Tally, quantile: Floats) -> Ends:
    with np.errstate(invalid="ignore"):
        half = np.where(items.mean_variance > 0, quantile * np.sqrt(items.mean_variance), np.nan)
    return items.mean - half, items.mean + half


def sos_wilson(items: Tally, a: float) -> Ends:
    """Return Wilson's score interval of p = (m - L)/(H - L) with effective sample size n/a.

    It is defined from one rating on, and always within the scale from L to H.

    Under the SOS hypothesis Var(mean)/(H - L)² = a p(1 - p)/n, so n/a ratings of a binomial would be as sure. Where
    participants rated an item again, n is divided by the design effect and ``a`` is that of ratings of different
    participants. Not a standard: derived here from E. B. Wilson (1927) and arXiv:1607.00321;
    docs/explanation/method.md shows its coverage.
    """
    return _wilson(items, a, np.full(len(items.n), Z))


def always_valid(items: Tally, a: float, planned: int) -> Ends:
    """Return an interval of each item that holds at all looks together, however often somebody looks.

    It is ``sos_wilson`` with the quantile of the normal mixture of I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy,
    A. Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences" (arXiv:2103.06476), tuned to be
    narrowest at ``planned`` participants. That form is ours: an approximation, checked by simulation only
    (docs/explanation/method.md).
    """
    return _wilson(items, a, _anytime_z(items.participants.astype(np.float64), planned))


def _anytime_z(people: Floats, planned: int) -> Floats:
    miss = 1 - CONFIDENCE
    rate = (-2 * np.log(miss) + np.log(1 - 2 * np.log(miss))) / planned
    grown = np.maximum(people, 1.0) * rate
    return np.asarray(np.sqrt(2 * (grown + 1) / grown * np.log(np.sqrt(grown + 1) / miss)))


def _wilson(items: Tally, a: float, z: Floats) -> Ends:
    low, high = float(items.scale.low), float(items.scale.high)
    together = clustering(items)
    own_a = a if together.inflation == 1 else float(np.clip(a * together.inflation, *RANGE_OF_A))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (items.mean - low) / (high - low)
        size = items.n / (own_a * together.effect)
        centre = (p + z**2 / (2 * size)) / (1 + z**2 / size)
        half = z * np.sqrt(p * (1 - p) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    # At the ends of the scale the exact bound is the end itself; rounding may differ by one ulp.
    lower, upper = low + (high - low) * (centre - half), low + (high - low) * (centre + half)
    return np.clip(lower, low, high), np.clip(upper, low, high)


class _Votes(NamedTuple):
    """One item: the different participants' sums and numbers of ratings, and how many participants gave each."""

    total: Floats
    n: Floats
    weight: Floats

    @property
    def mean(self) -> float:
        return float(self.weight @ self.total / (self.weight @ self.n))

    def agree(self) -> bool:
        return bool((self.total * self.n[0] == self.total[0] * self.n).all())


def _votes(items: Tally, rows: slice) -> _Votes:
    cells = items.cells
    pairs = np.column_stack([cells.n[rows], cells.total[rows]])
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    weight = np.asarray(np.bincount(inverse.ravel(), cells.weight[rows]), np.float64)
    return _Votes(distinct[:, 1].astype(np.float64), distinct[:, 0].astype(np.float64), weight)


def _resampled_means(votes: _Votes, rng: np.random.Generator) -> Floats:
    people = int(votes.weight.sum())
    drawn = rng.multinomial(people, votes.weight / people, size=RESAMPLES)
    return np.asarray(drawn @ votes.total / (drawn @ votes.n))


def _percentile(votes: _Votes, rng: np.random.Generator) -> Floats:
    if votes.agree():
        return np.full(2, np.nan)
    return np.asarray(np.quantile(_resampled_means(votes, rng), _TAILS))


def _bca(votes: _Votes, rng: np.random.Generator) -> Floats:
    """Bias-corrected and accelerated bootstrap, B. Efron (1987), eq. 4.2 and 6.6 with jackknife acceleration."""
    if votes.agree():
        return np.full(2, np.nan)
    means = _resampled_means(votes, rng)
    noise = 1e-12 * max(1.0, float(np.abs(means).max()))
    below = (np.mean(means < votes.mean - noise) + np.mean(means <= votes.mean + noise)) / 2
    influence = votes.total - votes.mean * votes.n
    acceleration = (votes.weight @ influence**3) / (6 * (votes.weight @ influence**2) ** 1.5)
    bias = special.ndtri(below)
    shifted = bias + special.ndtri(_TAILS)
    return np.asarray(np.quantile(means, special.ndtr(bias + shifted / (1 - acceleration * shifted))))


def _dirichlet(items: Tally) -> Callable[[_Votes, np.random.Generator], Floats]:
    """Equal-tailed credible interval of the mean under a Dirichlet prior of one rating, spread over the categories.

    A participant who rated again counts as one, with the mean for rating, split between the two nearest categories.
    """
    categories = items.scale.categories
    if categories is None or len(categories) > MAX_CATEGORIES:
        return lambda votes, rng: np.full(2, np.nan)
    number = items.scale.whole(np.asarray(categories, np.float64)).number

    def draw(votes: _Votes, rng: np.random.Generator) -> Floats:
        at = votes.total / votes.n - number[0]
        lower = np.minimum(np.floor(at).astype(np.int64), len(number) - 2)
        counts = np.bincount(lower, votes.weight * (1 - (at - lower)), len(number))
        counts += np.bincount(lower + 1, votes.weight * (at - lower), len(number))
        shares = rng.dirichlet(counts + DIRICHLET_PRIOR / len(number), size=RESAMPLES)
        return np.asarray(np.quantile(shares @ number, _TAILS))

    return draw
