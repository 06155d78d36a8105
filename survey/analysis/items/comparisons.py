"""Tests of which items or conditions differ: paired tests on participants' means, adjusted for their number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from survey.analysis.distributions import CONFIDENCE, t_critical
from survey.analysis.items.means import exact_by_item
from survey.analysis.table import Coded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_ITEMS = 100
"""Items compared with each other; more pairs than these 4950 are too many to read, and take 18 people who agree."""

SIGNIFICANT = 1 - CONFIDENCE
COLUMNS = ("a", "b", "n", "n_nonzero", "difference", "ci_low", "ci_high", "w", "p", "p_holm", "rank_biserial")

MAX_EXACT = 50
"""Pairs that differ up to which p is exact; with more it is normal."""

_NOISE = 1e-10
"""Differences closer than this are equal; those of whole numbers differ by 1 at least."""

_CELLS_AT_ONCE = 1_000_000


class SignedRanks(NamedTuple):
    """Wilcoxon's test of each row, each of shape (rows,).

    The fields are pairs, pairs that differ, the smaller rank sum, two-sided p, and the matched rank-biserial
    correlation (-1..1).
    """

    n: Ints
    n_nonzero: Ints
    w: Floats
    p: Floats
    rank_biserial: Floats


def signed_ranks(differences: Floats) -> SignedRanks:
    """Return Wilcoxon's signed-rank test of each row of paired differences. Zeros are left out.

    It is exact, also with ties, up to 50 pairs that differ, and otherwise normal with tie correction. It computes all
    rows at once, since SciPy needs a millisecond a row and is exact with ties only up to 13 pairs. p is 1 if no pair
    differs, and NaN if there is no pair. Effect size: D. Kerby, "The simple difference formula", 2014.

    Args:
        differences: Of ``Scores.value``, NaN without a pair.
    """
    n = (~np.isnan(differences)).sum(axis=1)
    same = np.isnan(differences) | (np.abs(differences) <= _NOISE)
    size = np.where(same, np.inf, np.abs(differences))
    most = int(np.isfinite(size).sum(axis=1).max(initial=0)) + 1
    order = np.argsort(size, axis=1)[:, :most]
    size = np.take_along_axis(size, order, axis=1)
    counted = np.isfinite(size)
    first, last = _runs(size)
    twice = np.where(counted, first + last + 2, 0)  # twice the mid-ranks: whole numbers
    up = np.take_along_axis(differences, order, axis=1) > 0
    m = counted.sum(axis=1)
    plus, total = (twice * up).sum(axis=1), m * (m + 1)
    in_tie = np.where(counted, last - first + 1, 1)
    variance = (m * (m + 1) * (2 * m + 1) - (in_tie**2 - 1).sum(axis=1) / 2) / 24
    exact = (m > 0) & (m <= MAX_EXACT)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * special.ndtr(-np.abs(plus - total / 2) / 2 / np.sqrt(variance))
        effect = (2 * plus - total) / total
    p = np.where(n == 0, np.nan, np.where(m == 0, 1.0, p))
    for row in np.flatnonzero(exact):
        p[row] = _exact_p(tuple(twice[row, : m[row]].tolist()), int(plus[row]))
    w = np.where(n == 0, np.nan, np.minimum(plus, total - plus) / 2)
    return SignedRanks(n, m, w, p, effect)


def _runs(ordered: Floats) -> tuple[Ints, Ints]:
    """Return the first and last place of the run of equal values that each place of each row belongs to."""
    rows, places = ordered.shape
    place = np.arange(places)
    with np.errstate(invalid="ignore"):
        change = ordered[:, 1:] - ordered[:, :-1] > _NOISE
    edge = np.ones((rows, 1), bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, change]), place, 0), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([change, edge]), place, places)[:, ::-1], axis=1)[:, ::-1]
    return first, last


def _exact_p(twice: tuple[int, ...], plus: int) -> float:
    """Return the two-sided p of the rank sum when each sign is a fair coin; twice the smaller tail, at most 1."""
    upto = _ways_upto(twice)
    smaller = min(plus, len(upto) - 1 - plus)  # the distribution is symmetric
    return min(1.0, 2 * float(upto[smaller]) / 2.0 ** len(twice))


@lru_cache(maxsize=20_000)
def _ways_upto(twice: tuple[int, ...]) -> Floats:
    """Return the number of the 2^m choices of signs with a rank sum of at most 0, 1, 2 ...; whole numbers, exact to 2^53."""
    ways = np.zeros(sum(twice) + 1)
    ways[0] = 1
    for rank in twice:
        ways[rank:] += ways[:-rank].copy()
    return ways.cumsum()


def compare(scores: Floats, names: Sequence[object], unit: float = 1.0) -> pd.DataFrame:
    """Compare every pair of columns, over the participants who have both.

    Args:
        scores: Participants × things, NaN if missing; see ``Scores``.
        names: Of the columns.
        unit: Rating points of 1.

    Returns:
        One row a pair: ``a,b,n,n_nonzero,difference,ci_low,ci_high,w,p,p_holm,rank_biserial``; ``difference`` is the
        mean of a - b with a Student t interval (uncorrected); ``p_holm`` is adjusted over the pairs with a p.
    """
    first, second = np.triu_indices(len(names), 1)
    block = max(1, _CELLS_AT_ONCE // max(1, len(scores)))
    parts = [
        _compare_pairs(scores[:, first[i : i + block]] - scores[:, second[i : i + block]], unit)
        for i in range(0, max(1, len(first)), block)
    ]
    table = pd.concat(parts, ignore_index=True)
    labels = np.fromiter(names, dtype=object, count=len(names))
    table = table.assign(a=labels[first], b=labels[second], p_holm=holm(table["p"].to_numpy(np.float64)))
    return table[list(COLUMNS)]


def holm(p: Floats) -> Floats:
    """Return S. Holm's step-down adjusted p values (1979). NaN means no test, and stays."""
    known = np.flatnonzero(~np.isnan(p))
    ascending = known[np.argsort(p[known], kind="stable")]
    steps = np.arange(len(known), 0, -1)
    adjusted = np.full(len(p), np.nan)
    adjusted[ascending] = np.minimum(np.maximum.accumulate(steps * p[ascending]), 1)
    return adjusted


def _compare_pairs(differences: Floats, unit: float) -> pd.DataFrame:
    """Args: differences: participants × pairs, in so many rating points."""
    test = signed_ranks(differences.T)
    n = test.n
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(differences, axis=0) / n
        variance = np.nansum((differences - mean) ** 2, axis=0) / (n - 1)
        t = t_critical(np.maximum(n - 1.0, 1.0))
        half = np.where(variance > _NOISE**2, t * np.sqrt(variance / n), np.nan)
    ends = {"difference": mean, "ci_low": mean - half, "ci_high": mean + half}
    return pd.DataFrame(test._asdict() | {name: unit * value for name, value in ends.items()})


def compare_items(ratings: Coded) -> tuple[pd.DataFrame, str]:
    """Return the pairs of (the first hundred) items, including items without ratings, and a remark if there are more."""
    some = np.arange(min(len(ratings.items), MAX_ITEMS))
    remark = ""
    if len(some) < len(ratings.items):
        remark = f"pairs of the first {MAX_ITEMS} of {len(ratings.items)} items by name; compare conditions instead"
    scores = exact_by_item(ratings, some)
    return compare(scores.value, list(ratings.items[some]), scores.unit), remark


class Reach(NamedTuple):
    """How near exact tests of some people can come to significance, were all of them of one mind.

    Attributes:
        pairs: tests that the correction is for.
        people: most people who have both of a pair.
        differing: most people with a difference in a pair; the others tell the tests nothing.
        p: smallest adjusted p that a test can give.
    """

    pairs: int
    people: int
    differing: int
    p: float

    def said(self, panel: int, thing: str) -> str:
        """Say that these ratings cannot show a difference in any pair, and how many people could.

        Args:
            panel: people of the study.
            thing: what is compared, in the singular.
        """
        if smallest_p(self.people, self.pairs) < SIGNIFICANT:
            who = f"At most {self.differing} people rated the same two {thing}s differently, and so few"
        elif self.people < panel:
            who = f"At most {self.people} people rated the same two {thing}s, and so few"
        else:
            who = "1 person" if panel == 1 else f"{panel} people"
        return f"{who} {self.rest}. It takes {self.fewest} who all differ in the same way"

    @property
    def rest(self) -> str:
        """What too few people cannot show."""
        if self.pairs == 1:
            return (
                f"cannot show a difference, since the smallest p that this test can give them is {self.p:.2g}"
            )
        return (
            f"cannot show a difference in any of {self.pairs} pairs, since the smallest p that this test can give them is "
            f"{self.p:.2g} after Holm’s correction"
        )

    @property
    def fewest(self) -> int:
        """How many people could show a difference."""
        return fewest_people(self.pairs)


def smallest_p(people: int, pairs: int = 1) -> float:
    """Return the smallest p of an exact signed-rank or sign test, adjusted by Holm for the number of pairs.

    All people differ in one direction in 2 of the 2^n choices of signs, with ties as without.
    """
    return min(1.0, pairs * 2.0 ** (1 - people))


def fewest_people(pairs: int = 1) -> int:
    """Return how many people must differ in one direction before one of so many pairs can be significant."""
    return next(n for n in itertools.count(1) if smallest_p(n, pairs) < SIGNIFICANT)


def out_of_reach(people: ArrayLike, differing: ArrayLike) -> Reach | None:
    """Return what tests can reach where none of them can be significant, whatever people answer; else None.

    Args:
        people: who have both, of each tested pair; pairs without anybody do not count.
        differing: those of them who differ.
    """
    n, m = np.asarray(people, np.int64), np.asarray(differing, np.int64)
    pairs = int((n > 0).sum())
    if not pairs:
        return None
    most = int(m.max())
    p = smallest_p(most, pairs)
    return Reach(pairs, int(n.max()), most, p) if p >= SIGNIFICANT else None


class Friedman(NamedTuple):
    """Friedman's test; ``kendall_w`` is Kendall's coefficient of concordance, 0..1."""

    chi2: float
    p: float
    kendall_w: float


def friedman(scores: Floats) -> Friedman | None:
    """Test whether the columns differ at all.

    Args:
        scores: Participants × things without gaps, see ``Scores.value``.

    Returns:
        None for fewer than three columns or two rows, or if all values of each row are equal.
    """
    people, things = scores.shape
    if things < 3 or people < 2 or (np.ptp(scores, axis=1) == 0).all():
        return None
    # Imported here, since it takes half a second and few need it.
    from scipy import stats

    chi2, p = stats.friedmanchisquare(*scores.T)
    return Friedman(float(chi2), float(p), float(chi2) / (people * (things - 1)))


def compact_letters(comparisons: pd.DataFrame, order: Sequence[object]) -> dict[object, str]:
    """Return letters such that two things share a letter exactly if they do not differ significantly.

    Args:
        comparisons: As returned by ``compare``.
        order: The things, best first; the best gets ``a``.

    Source: H.-P. Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons", 2004.
    """
    place = {thing: 1 << i for i, thing in enumerate(order)}
    # A group is a number with a bit for each of its things: the pairs and groups are many.
    groups = [(1 << len(place)) - 1]
    different = comparisons[comparisons["p_holm"] < SIGNIFICANT]
    for one, other in zip(different["a"].map(place), different["b"].map(place), strict=True):
        kept = [group for group in groups if not (group & one and group & other)]
        parts = {group & ~bit for group in groups if group & one and group & other for bit in (one, other)}
        groups = kept + [part for part in parts if not _inside(part, [*kept, *(parts - {part})])]
    groups.sort(key=lambda group: [i for i, bit in enumerate(place.values()) if group & bit])
    return {
        thing: "".join(_letter(i) for i, group in enumerate(groups) if group & bit)
        for thing, bit in place.items()
    }


def _inside(group: int, groups: Iterable[int]) -> bool:
    """Say whether one of the groups holds all things of this one."""
    # A generator would take twice as long, and there are millions of looks.
    for other in groups:  # noqa: SIM110
        if group & other == group:
            return True
    return False


def _letter(i: int) -> str:
    """Return a .. z, then aa' and so on, marked to distinguish them from two letters."""
    return chr(ord("a") + i % 26) + "'" * (i // 26)
