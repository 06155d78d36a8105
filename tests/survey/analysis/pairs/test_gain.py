"""Which pairs are drawn next, beside dense quadrature and a general optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.special import expit, log_expit

from survey.analysis.pairs.gain import (
    MAX_DEGREE,
    VARIANCE,
    PairState,
    belief,
    expected_gain,
    next_pairs,
)


def choices(seed: int = 1, items: int = 8, spread: float = 2.5, rounds: int = 60) -> np.ndarray:
    """Return wins of random pairs of items whose log odds have this spread."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(0, spread, items)
    wins = np.zeros((items, items))
    for _ in range(rounds):
        i, j = rng.choice(items, 2, replace=False)
        i, j = (i, j) if rng.random() < expit(quality[i] - quality[j]) else (j, i)
        wins[i, j] += 1
    return wins


def state(wins: np.ndarray, lent: np.ndarray | None = None) -> PairState:
    return PairState((wins,), np.zeros_like(wins) if lent is None else lent)


def everything(items: int) -> np.ndarray:
    return np.ones((items, items), dtype=bool)


def drawn(current: PairState, count: int | None = None, seed: int = 1) -> list[tuple[int, int]]:
    return next_pairs(current, everything(len(current.lent)), count, np.random.default_rng(seed))


def parts(pairs: list[tuple[int, int]], items: int) -> int:
    """Return into how many parts the pairs link the items."""
    label = list(range(items))
    for i, j in pairs:
        label = [label[i] if name == label[j] else name for name in label]
    return len(set(label))


def test_the_scores_are_the_most_likely_ones_under_the_variance_they_are_given():
    wins = choices()
    found = belief(wins)

    def less_likely(scores: np.ndarray) -> float:
        data = (wins * log_expit(scores[:, None] - scores[None, :])).sum()
        return float(scores @ scores / (2 * found.variance) - data)

    best = optimize.minimize(less_likely, np.zeros(len(wins)), method="BFGS", tol=1e-9)
    assert found.scores == pytest.approx(best.x, abs=2e-4)


def test_the_variance_lies_between_what_was_assumed_and_what_the_scores_show():
    found = belief(choices(spread=0.5, rounds=4000))
    assert found.scores.var() < found.variance < VARIANCE
    assert belief(np.zeros((5, 5))).variance == pytest.approx(VARIANCE)


def test_a_gain_is_the_mutual_information_by_dense_quadrature():
    found = belief(choices())
    first, second = np.triu_indices(8, 1)
    gains = expected_gain(found, first, second)
    means, spreads = found.difference(first, second)
    for gain, mean, spread in zip(gains[::5], means[::5], spreads[::5], strict=True):

        def entropy(p: float) -> float:
            return float(-p * np.log(p) - (1 - p) * np.log1p(-p))

        def over(function, mean=mean, spread=spread) -> float:
            def weighted(x: float) -> float:
                return float(function(expit(mean + spread * x)) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))

            return float(integrate.quad(weighted, -8, 8, limit=200)[0])

        assert gain == pytest.approx(entropy(over(lambda p: p)) - over(entropy), rel=2e-3)


def test_no_gain_is_negative_or_more_than_one_answer_can_tell():
    sure = np.zeros((3, 3))
    sure[0, 1], sure[1, 0], sure[0, 2] = 1e5, 1e5, 1e5
    gains = expected_gain(belief(sure), np.array([0, 0, 1]), np.array([1, 2, 2]))
    assert (gains >= 0).all()
    assert (gains <= np.log(2)).all()
    assert gains[0] < 1e-4


def test_an_image_that_always_wins_keeps_a_finite_score():
    wins = np.zeros((3, 3))
    wins[0, 1] = wins[0, 2] = wins[1, 2] = 1e6
    found = belief(wins)
    assert np.isfinite(found.scores).all()
    assert np.isfinite(found.covariance).all()
    assert found.scores[0] > found.scores[1] > found.scores[2]


@pytest.mark.parametrize("items", [2, 3, 16, 60])
def test_one_batch_links_all_images_and_shows_none_too_often(items):
    for current in (state(np.zeros((items, items))), state(choices(items=items, rounds=3 * items))):
        pairs = drawn(current)
        assert len(set(pairs)) == len(pairs) == items - 1
        assert parts(pairs, items) == 1
        assert np.bincount(np.ravel(pairs)).max() <= MAX_DEGREE


def test_more_than_one_batch_gives_further_trees_and_no_pair_twice():
    pairs = drawn(state(choices()), 14)
    assert len(set(pairs)) == 14
    assert parts(pairs[:7], 8) == parts(pairs[7:], 8) == 1
    assert len(set(drawn(state(choices()), 100))) == 28


def test_fewer_than_one_batch_are_those_of_the_greatest_gain():
    current = state(choices())
    whole = drawn(current)
    assert drawn(current, 3) == whole[:3]
    first, second = np.array(whole).T
    assert (np.diff(np.round(current.gain(first, second), 9)) <= 0).all()


def test_only_allowed_pairs_are_drawn_and_each_part_has_its_tree():
    allowed = np.zeros((8, 8), dtype=bool)
    allowed[:5, :5] = allowed[5:, 5:] = True
    allowed[0, 1] = allowed[1, 0] = False
    pairs = next_pairs(state(choices()), allowed, None, np.random.default_rng(1))
    assert len(pairs) == 4 + 2
    assert all(allowed[i, j] for i, j in pairs)
    assert next_pairs(state(choices()), np.zeros((8, 8), dtype=bool), None, np.random.default_rng(1)) == []


def test_pairs_on_loan_leave_others_to_the_next_person():
    wins = choices()
    lent = np.zeros_like(wins)
    mine = drawn(state(wins))
    for i, j in mine:
        lent[i, j] = lent[j, i] = 5
    assert belief(wins, lent).scores == pytest.approx(belief(wins).scores)
    first, second = np.array(mine).T
    assert (state(wins, lent).gain(first, second) < state(wins).gain(first, second)).all()
    assert len(set(mine) & set(drawn(state(wins, lent)))) < len(mine) / 2


def test_pairs_of_like_images_are_drawn_once_the_order_is_known():
    wins = choices(items=16, rounds=600)
    quality = belief(wins).scores
    apart = [abs(quality[i] - quality[j]) for i, j in drawn(state(wins))]
    first, second = np.triu_indices(16, 1)
    assert np.mean(apart) < 0.5 * np.abs(quality[first] - quality[second]).mean()


def test_before_any_choice_chance_decides_and_the_seed_repeats_it():
    nothing = state(np.zeros((9, 9)))
    assert drawn(nothing, seed=1) == drawn(nothing, seed=1)
    assert len({tuple(drawn(nothing, seed=seed)) for seed in range(10)}) == 10


def test_one_showing_answers_all_questions_so_their_gains_add_up():
    one, other = choices(1), choices(2)
    first, second = np.triu_indices(8, 1)
    both = PairState((one, other), np.zeros((8, 8))).gain(first, second)
    assert both == pytest.approx(state(one).gain(first, second) + state(other).gain(first, second), rel=1e-9)
