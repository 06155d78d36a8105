"""Pair comparison: qualities from choices between two items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from survey.analysis.distributions import t_critical
from survey.analysis.items.intervals import Z
from survey.analysis.pairs.gain import belief
from survey.analysis.table import TableError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REQUIRED = ("participant", "first", "second", "answer")
ANSWERS = ("first", "second", "tie")

_TOLERANCE = 1e-10
_ROUNDS = 100
# The least information along any direction at a maximum. A thousand items in one chain, each compared a few times, have 1e-5.
_FLAT = 1e-8
# Of a score in log odds: rounding leaves up to 1e-16 of it.
_NO_VARIANCE = 1e-12
#: Newton's steps are cut to this length: far from the maximum a full one may jump over it.
_STEP = 2.0


@dataclass(frozen=True)
class PairScores:
    """A fitted model of choices.

    Attributes:
        items: ``item,n,wins,ties,losses,score,ci_low,ci_high``; scores are log odds of mean 0: an item one above
            another is chosen e times as often. Empty intervals with fewer than two participants.
        tie: log odds of a tie between equals, or NaN where nobody tied.
    """

    items: pd.DataFrame
    tie: float


def score_variance(choices: pd.DataFrame) -> float:
    """Return the variance of the items' scores, as `gain.belief` estimates it: a penalty for `bradley_terry`."""
    a, b, answer, names = _checked(choices)
    return belief(_wins(a, b, answer, len(names))).variance


def bradley_terry(choices: pd.DataFrame, variance: float | None = None) -> PairScores:
    """Fit R. Bradley and M. Terry's model (1952), with R. Davidson's ties (1970), by maximum likelihood.

    Intervals are 95 % and take a participant's choices as one cluster (sandwich estimator), since they are not
    independent. Under a penalty the model's own intervals count where they are wider, and Student's t for the normal.

    Args:
        choices: one row a comparison: ``participant``, ``first`` and ``second`` (items), ``answer`` (``first``,
            ``second`` or ``tie``).
        variance: of the scores, where they are to be taken as normal around 0: a penalty. They are then determined by
            any choices. It is for pairs that were drawn by earlier answers: a pair is seldom compared again once its
            answer is known, so that few comparisons place an item.

    Raises:
        TableError: a column or answer is not as above, or the scores are not determined: some items were never
            beaten, not even tied, by the others.
    """
    a, b, answer, names = _checked(choices)
    if (answer == 2).all():
        raise TableError("every choice is a tie, so the model has no scores")
    if variance is None:
        _check_determined(a, b, answer, names)
    features, parameters = _features(a, b, len(names), bool((answer == 2).any()))
    theta = _maximum(features, answer, np.zeros(parameters), len(names), variance)
    theta[: len(names)] -= theta[: len(names)].mean()
    people = pd.factorize(choices["participant"])[0]
    half = _half_widths(features, answer, theta, people, len(names), variance)
    tie = float(theta[-1]) if parameters > len(names) else float("nan")
    scores = theta[: len(names)]
    table = record(choices).assign(score=scores, ci_low=scores - half, ci_high=scores + half)
    return PairScores(table, tie)


def _maximum(features: Floats, answer: Ints, theta: Floats, items: int, variance: float | None) -> Floats:
    """Return the parameters of the greatest likelihood, by Newton's method.

    Chains of wins and ties from each item to each other do not suffice for Davidson's model: if scores twice as far apart
    and a greater chance of ties describe the choices better and better, there is no maximum. Its information vanishes
    along the way (A. Albert and J. Anderson 1984, of logistic models).

    Raises:
        TableError: There is no maximum.
    """
    may_grow = variance is None and len(theta) > items
    for _ in range(_ROUNDS):
        score, information = _score_and_information(features, answer, theta)
        pull, hold = _held(theta, items, variance)
        if may_grow and np.linalg.eigvalsh(information + hold)[0] < _FLAT:
            raise TableError(
                "the choices do not determine the scores: ties and preferences fit scores ever further apart; they need more comparisons"
            )
        step = np.linalg.solve(information + hold, score.sum(axis=0) - pull)
        theta = theta + step * min(1.0, _STEP / max(np.abs(step).max(), _STEP))
        if np.abs(step).max() < _TOLERANCE:
            break
    return theta


def _wins(a: Ints, b: Ints, answer: Ints, items: int) -> Floats:
    """Return how often the item of a row was preferred to that of a column, a tie as half to each."""
    wins = np.zeros((items, items))
    share = np.array([1.0, 0.0, 0.5])[answer]
    np.add.at(wins, (a, b), share)
    np.add.at(wins, (b, a), 1 - share)
    return wins


def _held(theta: Floats, items: int, variance: float | None) -> tuple[Floats, Floats]:
    """Return what is taken from the score and added to the information: the penalty on the items' scores.

    Without a penalty only their common shift, which is undetermined, is kept at 0.
    """
    pull, hold = np.zeros(len(theta)), np.zeros((len(theta),) * 2)
    if variance is None:
        hold[:items, :items] = 1
    else:
        pull[:items] = theta[:items] / variance
        hold[range(items), range(items)] = 1 / variance
    return pull, hold


def check_choices(choices: pd.DataFrame) -> None:
    """Check that every row is a choice between two items.

    Raises:
        TableError: If not.
    """
    missing = [name for name in REQUIRED if name not in choices.columns]
    if missing:
        raise TableError(f"no column {missing[0]!r}; pair comparisons have {', '.join(REQUIRED)}")
    wrong = choices.index[~choices["answer"].isin(ANSWERS)]
    if len(wrong):
        value = choices["answer"][wrong[0]]
        raise TableError(f"row {wrong[0]}: answer {value!r} is not one of {', '.join(ANSWERS)}")
    if choices.empty:
        raise TableError("no pair comparisons")


def _checked(choices: pd.DataFrame) -> tuple[Ints, Ints, Ints, NDArray[np.object_]]:
    check_choices(choices)
    both = pd.concat([choices["first"], choices["second"]]).astype("object").map(str)
    codes, names = pd.factorize(both, sort=True)
    a, b = codes[: len(choices)], codes[len(choices) :]
    if (a == b).any():
        raise TableError(f"row {choices.index[a == b][0]}: an item is compared with itself")
    answer = choices["answer"].map(dict(zip(ANSWERS, range(3), strict=True)))
    return (
        a.astype(np.int64),
        b.astype(np.int64),
        np.asarray(answer, np.int64),
        np.asarray(names, dtype=object),
    )


def _check_determined(a: Ints, b: Ints, answer: Ints, names: NDArray[np.object_]) -> None:
    """L. Ford (1957): a finite maximum needs a chain of wins or ties from every item to every other."""
    winner = np.concatenate([a[answer != 1], b[answer != 0]])
    loser = np.concatenate([b[answer != 1], a[answer != 0]])
    graph = sparse.coo_array((np.ones(len(winner)), (winner, loser)), shape=(len(names),) * 2)
    parts, part = connected_components(graph, directed=True, connection="strong")
    if parts > 1:
        some = ", ".join(map(str, names[part == np.argmin(np.bincount(part))][:5]))
        raise TableError(
            f"the choices do not place these items among the others: {some}; they need more comparisons"
        )


def _features(a: Ints, b: Ints, items: int, ties: bool) -> tuple[Floats, int]:
    """Of each comparison and outcome, shape (comparisons, outcomes, parameters): its utility is features · θ."""
    outcomes = 3 if ties else 2
    features = np.zeros((len(a), outcomes, items + ties))
    rows = np.arange(len(a))
    features[rows, 0, a] = 1
    features[rows, 1, b] = 1
    if ties:
        features[rows, 2, a] = features[rows, 2, b] = 0.5
        features[:, 2, -1] = 1
    return features, items + ties


def _score_and_information(features: Floats, answer: Ints, theta: Floats) -> tuple[Floats, Floats]:
    """Return the score of each comparison, and Fisher's information, of a conditional logit."""
    utility = features @ theta
    p = np.exp(utility - utility.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    expected = np.einsum("nop,no->np", features, p)
    weighted = (features * np.sqrt(p)[:, :, None]).reshape(-1, features.shape[2])
    information = weighted.T @ weighted - expected.T @ expected
    return features[np.arange(len(answer)), answer] - expected, information


def _half_widths(
    features: Floats, answer: Ints, theta: Floats, people: Ints, items: int, variance: float | None
) -> Floats:
    """Return the half widths of the 95 % intervals of the items' scores around their mean.

    A penalty adds its own information to the middle of the sandwich: were choices independent, the whole would be the
    covariance of the scores given the choices, and what the penalty draws towards 0 is within it. Few comparisons place an
    item then, from which the sandwich comes out too small: the wider of the two counts, by Student's t.
    """
    clusters = int(people.max()) + 1
    if clusters < 2:
        return np.full(items, np.nan)
    score, information = _score_and_information(features, answer, theta)
    _, hold = _held(theta, items, variance)
    inverse: Floats = np.linalg.inv(information + hold).astype(np.float64)
    summed = np.zeros((clusters, len(theta)))
    np.add.at(summed, people, score)
    meat = summed.T @ summed * clusters / (clusters - 1)
    covariance = (inverse @ (meat if variance is None else meat + hold) @ inverse)[:items, :items]
    if variance is None:
        return Z * _errors(covariance)
    wider = np.fmax(_errors(covariance), _errors(inverse[:items, :items]))
    return float(t_critical(clusters - 1)) * wider


def _errors(covariance: Floats) -> Floats:
    """Return the standard errors around the mean of all; NaN for those of 0, which few people give by accident."""
    centred = covariance - covariance.mean(axis=0) - covariance.mean(axis=1)[:, None] + covariance.mean()
    variances = np.diag(centred)
    return np.sqrt(np.where(variances > _NO_VARIANCE, variances, np.nan))


def record(choices: pd.DataFrame) -> pd.DataFrame:
    """``item,n,wins,ties,losses`` of each item, sorted by name."""
    a, b, answer, names = _checked(choices)
    k = len(names)
    wins = np.bincount(a[answer == 0], minlength=k) + np.bincount(b[answer == 1], minlength=k)
    losses = np.bincount(b[answer == 0], minlength=k) + np.bincount(a[answer == 1], minlength=k)
    ties = np.bincount(a[answer == 2], minlength=k) + np.bincount(b[answer == 2], minlength=k)
    return pd.DataFrame(
        {"item": names, "n": wins + ties + losses, "wins": wins, "ties": ties, "losses": losses}
    )
