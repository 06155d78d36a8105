"""Screening rules for careless or contrary participants. A flag helps a decision and deletes nothing.

Each rule gives each participant a value, its threshold and a verdict, one of ``ok``, ``flagged`` and
``cannot judge``.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.participants.correlation import PanelCorrelation, panel_correlation
from survey.analysis.participants.rules import (
    BT500_SHARE,
    BT1788_MAXIMUM,
    EXCLUSIONS,
    FEWEST_IN_LINE,
    FEWEST_REPEATS,
    GOLD_SHARE,
    GOLD_TOLERANCE,
    P913_BY_CONDITION,
    P913_BY_ITEM,
    SPEED_SHARE_OF_PANEL,
    STRAIGHT_LINE_CHANCE,
    repeat_limit,
    trap_tolerance,
)
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import Coded, code, main_phase

_SAME_ANSWER = 0.02
"""Share of a continuous scale within which two answers count as one."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BT500:
    """ITU-R BT.500 observer screening, each array of shape (participants,).

    Attributes:
        high, low: votes at least e SDs above and below their presentation's mean (the standard's P and Q).
        n: presentations rated.
        rejected: (P + Q)/n > 0.05 and |P - Q|/(P + Q) < 0.3.
        unanimous: presentations left aside because everybody agreed.
        judged: presentations of the participant that were not unanimous.
    """

    high: Ints
    low: Ints
    n: Ints
    judged: Ints
    rejected: Bools
    unanimous: int


def bt500(ratings: Coded) -> BT500:
    """Screen once by the kurtosis rule of ITU-R BT.500-14/15 Annex 1 clause 2.3.1, in exact integers.

    A presentation is an item at one repetition; its SD is that of the sample. Sums of integers decide every
    tie as the rule is written, where floating point would decide by rounding. Unanimous presentations, where
    every vote is both at least and at most the mean, are left aside.
    """
    _, presentation = np.unique(
        ratings.item * (int(ratings.repeat.max()) + 1) + ratings.repeat, return_inverse=True
    )
    number = ratings.whole.number - ratings.whole.number.min()
    span = int(number.max()) + 1
    answers, which, counts = np.unique(presentation * span + number, return_inverse=True, return_counts=True)
    starts = np.flatnonzero(np.r_[True, np.diff(answers // span) != 0])
    bounds = [*starts.tolist(), len(answers)]
    numbers, times = (answers % span).tolist(), counts.tolist()
    side = np.concatenate(
        [
            _outlying(tuple(numbers[first:last]), tuple(times[first:last]))
            for first, last in itertools.pairwise(bounds)
        ]
    )
    unanimous = np.diff(bounds) < 2
    vote = side[which]
    people = len(ratings.participants)
    high = np.bincount(ratings.participant[vote > 0], minlength=people)
    low = np.bincount(ratings.participant[vote < 0], minlength=people)
    n = np.bincount(ratings.participant, minlength=people)
    judged = np.bincount(ratings.participant[~unanimous[presentation]], minlength=people)
    # 0.05 and 0.3 as 1/20 and 3/10, to stay in integers.
    rejected = (20 * (high + low) > n) & (10 * np.abs(high - low) < 3 * (high + low))
    return BT500(high, low, n, judged, rejected, int(unanimous.sum()))


@lru_cache(maxsize=20_000)
def _outlying(numbers: tuple[int, ...], counts: tuple[int, ...]) -> tuple[int, ...]:
    """+1, -1 or 0 for each of the different answers to one presentation: at least e SDs above, below, or neither."""
    n = sum(counts)
    total = sum(c * u for c, u in zip(counts, numbers, strict=True))
    d = [n * u - total for u in numbers]
    s2 = sum(c * x**2 for c, x in zip(counts, d, strict=True))
    s4 = sum(c * x**4 for c, x in zip(counts, d, strict=True))
    if s2 == 0:
        return (0,) * len(counts)
    e_squared = 4 if 2 * s2**2 <= n * s4 <= 4 * s2**2 else 20
    return tuple(((x > 0) - (x < 0)) * (x**2 * (n - 1) >= e_squared * s2) for x in d)


def p913_rejected(correlation: PanelCorrelation) -> Bools:
    """Return who has r < 0.75 over items and, with conditions, also r < 0.8 over conditions.

    Undefined correlations reject nobody. Source: P.913 clause 11.4, VQEG Multimedia test plan Annex VI.
    """
    with np.errstate(invalid="ignore"):
        rejected = correlation.pearson < P913_BY_ITEM
        if correlation.by_condition is not None:
            rejected &= ~(correlation.by_condition >= P913_BY_CONDITION)
    return rejected


def screen(table: pd.DataFrame, scale: Scale = ACR) -> pd.DataFrame:
    """Apply every rule to every participant who rated in the main phase.

    Args:
        table: One question's rows of all phases, as returned by ``table.check``.
        scale: Of the question.

    Returns:
        Columns ``participant,rule,value,threshold,verdict,detail``; ordered by rule, then participant.
    """
    main = main_phase(table)
    ratings = code(main, scale)
    condition = main["condition"].to_numpy(object) if "condition" in main.columns else None
    correlation = panel_correlation(ratings, condition)
    parts = {
        "bt500": _bt500_rule(ratings),
        "correlation_p913": _p913_rule(correlation),
        "correlation_left_out": _left_out_rule(correlation),
        "correlation_bt1788": _bt1788_rule(correlation),
        "straight_lining": _straight_lining(main, ratings),
        "speed": _speed(main, ratings),
        "gold": _expected(table, ratings, "gold", GOLD_TOLERANCE * scale.range, GOLD_SHARE),
        "trap": _expected(table, ratings, "trap", trap_tolerance(scale), 1.0),
        "repeats": _repeats(table, ratings),
    }
    for rule, part in parts.items():
        part.insert(0, "rule", rule)
        part.insert(0, "participant", ratings.participants)
    return pd.concat(parts.values(), ignore_index=True)


def flagged(screening: pd.DataFrame, rules: Collection[str] = tuple(EXCLUSIONS)) -> list[str]:
    """Return the participants whom any of these rules flags, sorted."""
    hit = (screening["verdict"] == "flagged") & screening["rule"].isin(list(rules))
    return sorted(set(screening.loc[hit, "participant"]))


def _verdicts(
    value: Floats, threshold: Floats | float, bad: Bools, unknown: Bools, detail: object
) -> pd.DataFrame:
    verdict = np.where(unknown, "cannot judge", np.where(bad, "flagged", "ok"))
    return pd.DataFrame({"value": value, "threshold": threshold, "verdict": verdict, "detail": detail})


def _cannot(people: int, reason: str) -> pd.DataFrame:
    nothing = np.full(people, np.nan)
    return _verdicts(nothing, nothing, np.zeros(people, bool), np.ones(people, bool), reason)


def _bt500_rule(ratings: Coded) -> pd.DataFrame:
    result = bt500(ratings)
    hits = result.high + result.low
    balance = np.abs(result.high - result.low) / np.maximum(hits, 1)
    detail = [
        f"P={p} Q={q} of {n} presentations, |P-Q|/(P+Q)={b:.3f}" if p + q else f"P=0 Q=0 of {n} presentations"
        for p, q, n, b in zip(result.high, result.low, result.n, balance, strict=True)
    ]
    return _verdicts(hits / result.n, BT500_SHARE, result.rejected, result.judged == 0, detail)


def _p913_rule(correlation: PanelCorrelation) -> pd.DataFrame:
    by = correlation.by_condition
    detail = (
        "over items" if by is None else [f"over items; over conditions {r:.3f} (threshold 0.8)" for r in by]
    )
    r = correlation.pearson
    return _verdicts(r, P913_BY_ITEM, p913_rejected(correlation), np.isnan(r), detail)


def _left_out_rule(correlation: PanelCorrelation) -> pd.DataFrame:
    r = correlation.left_out
    return _verdicts(r, P913_BY_ITEM, r < P913_BY_ITEM, np.isnan(r), "with the mean of the others")


def _bt1788_rule(correlation: PanelCorrelation) -> pd.DataFrame:
    """Judge by the smaller of Pearson and Spearman; the threshold is below 0.7 in noisy studies (ITU-R BT.1788)."""
    r = np.minimum(correlation.pearson, correlation.spearman)
    known = r[~np.isnan(r)]
    if len(known) < 2:
        return _cannot(len(r), "fewer than two participants with a correlation")
    threshold = min(BT1788_MAXIMUM, float(known.mean() - known.std(ddof=1)))
    return _verdicts(r, threshold, r < threshold, np.isnan(r), "smaller of Pearson and Spearman")


def _straight_lining(main: pd.DataFrame, ratings: Coded) -> pd.DataFrame:
    """Judge by the longest run of one answer.

    Answers drawn at random from the panel's distribution would reach the threshold with a chance below 1 in 1000.
    Without ``position`` only constant participants are found.
    """
    people = len(ratings.participants)
    ordered = "position" in main.columns and bool(main["position"].notna().all())
    order = np.lexsort((main["position"] if ordered else np.zeros(len(main)), ratings.participant))
    answers = _answers(ratings)
    person, answer = ratings.participant[order], answers[order]
    starts = np.r_[True, (person[1:] != person[:-1]) | (answer[1:] != answer[:-1])]
    length = np.diff(np.r_[np.flatnonzero(starts), len(person)])
    longest = np.zeros(people, np.int64)
    np.maximum.at(longest, person[starts], length)
    n = np.bincount(ratings.participant, minlength=people)
    commonest = np.bincount(answers).max() / len(answers)
    if commonest == 1:
        return _cannot(people, "all ratings of the panel agree")
    threshold = np.ceil(np.log(n / STRAIGHT_LINE_CHANCE) / -np.log(commonest))
    bad = (longest >= threshold) if ordered else (longest == n)
    unknown = (n < FEWEST_IN_LINE) | (not ordered and ~bad)
    detail = (
        "longest run of one answer" if ordered else "order of trials unknown: only a constant rater shows"
    )
    return _verdicts(longest.astype(np.float64), threshold, bad, unknown, detail)


def _answers(ratings: Coded) -> Ints:
    """Return the answers as codes from 0: categories, or fiftieths of a continuous scale."""
    if ratings.scale.step is not None:
        return ratings.category
    share = (ratings.rating - ratings.scale.low) / ratings.scale.range
    most = round(1 / _SAME_ANSWER) - 1
    return np.asarray(np.minimum(np.floor(share / _SAME_ANSWER), most), np.int64)


def _speed(main: pd.DataFrame, ratings: Coded) -> pd.DataFrame:
    """Judge by the median response time, against a third of the panel's."""
    people = len(ratings.participants)
    if "rt_ms" not in main.columns or not main["rt_ms"].notna().any():
        return _cannot(people, "no response times (column rt_ms)")
    times = main["rt_ms"].astype(np.float64).groupby(ratings.participant).median()
    medians = np.asarray(times.reindex(range(people)), np.float64)
    threshold = float(np.nanmedian(medians) * SPEED_SHARE_OF_PANEL)
    return _verdicts(medians, threshold, medians < threshold, np.isnan(medians), "median response time in ms")


def _expected(
    table: pd.DataFrame, ratings: Coded, phase: str, tolerance: float, share: float
) -> pd.DataFrame:
    """Judge by the share of gold or trap answers within ``tolerance`` of ``expected`` (gold: ±1 of five, as in ITU-T P.808)."""
    known = {"phase", "expected"} <= set(table.columns)
    rows = table[(table["phase"] == phase) & table["expected"].notna()] if known else table.iloc[:0]
    right = (rows["rating"] - rows["expected"]).abs() <= tolerance + 1e-9 if len(rows) else rows["rating"] > 0
    n, value = _means_by_participant(rows, right.astype(np.float64), ratings)
    if not n.any():
        return _cannot(len(n), f"no {phase} trials with expected answers")
    return _verdicts(value, share, value < share, n == 0, [f"share of {k} right" for k in n])


def _repeats(table: pd.DataFrame, ratings: Coded) -> pd.DataFrame:
    """Judge by the mean absolute difference of a repeated rating from the first.

    The threshold is 7/8 of that of random answers, which is 1.6 on five categories.
    """
    rows = table
    if "phase" in table.columns:
        rows = table[table["phase"].isna() | table["phase"].isin(["main", "repeat"])]
        rows = rows.assign(late=rows["phase"] == "repeat").sort_values("late", kind="stable")
    again = rows.duplicated(["participant", "item"])
    first = rows.groupby(["participant", "item"], observed=True)["rating"].transform("first")
    difference = (rows["rating"] - first).abs().astype(np.float64)
    n, value = _means_by_participant(rows[again], difference[again], ratings)
    if not n.any():
        return _cannot(len(n), "no repeated trials")
    detail = [f"mean absolute difference over {k} repeats" for k in n]
    limit = repeat_limit(ratings.scale)
    return _verdicts(value, limit, value > limit, n < FEWEST_REPEATS, detail)


def _means_by_participant(rows: pd.DataFrame, values: pd.Series, ratings: Coded) -> tuple[Ints, Floats]:
    """Return the number and mean of values for each participant of the main phase, without other participants."""
    who = pd.Index(ratings.participants).get_indexer(pd.Index(rows["participant"].to_numpy(object)))
    people, kept = len(ratings.participants), who >= 0
    n = np.bincount(who[kept], minlength=people)
    with np.errstate(invalid="ignore"):
        return n, np.bincount(who[kept], values.to_numpy(np.float64)[kept], people) / n
