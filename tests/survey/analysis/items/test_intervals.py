from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from survey.analysis.items.intervals import (
    DEFAULT_INTERVAL,
    INTERVALS,
    Interval,
    interval,
    sos_wilson,
    student_t,
)
from survey.analysis.items.tally import tally_counts
from tests.survey.analysis.tables import few

ITEM = st.lists(st.integers(0, 30), min_size=5, max_size=5).filter(any)
WITHIN_SCALE = ("bounded", "percentile", "bca", "dirichlet")


@given(ITEM.filter(lambda c: np.count_nonzero(c) > 1))
@few
def test_students_interval_is_scipys(counts):
    ratings = np.repeat(np.arange(1, 6), counts)
    expected = stats.t.interval(0.95, len(ratings) - 1, ratings.mean(), stats.sem(ratings))
    low, high = student_t(tally_counts([counts]))
    np.testing.assert_allclose([low[0], high[0]], expected, rtol=1e-12)


@given(st.integers(0, 40), st.integers(1, 40))
@few
def test_the_bounded_interval_of_a_binomial_item_is_wilsons(low_votes, high_votes):
    n = low_votes + high_votes
    low, high = sos_wilson(tally_counts([[low_votes, 0, 0, 0, high_votes]]), a=1.0)
    expected = proportion_confint(high_votes, n, method="wilson")
    np.testing.assert_allclose([(low[0] - 1) / 4, (high[0] - 1) / 4], expected, atol=1e-12)


@given(ITEM, st.floats(0.05, 1), st.sampled_from(WITHIN_SCALE))
@few
def test_bounded_intervals_stay_within_the_scale_and_hold_the_mean(counts, a, method):
    low, high = interval(method, tally_counts([counts]), a=a)
    if np.isnan(low[0]):
        assert np.count_nonzero(counts) == 1
        return
    assert 1 <= low[0] <= high[0] <= 5
    if method == "bounded":
        assert low[0] <= np.dot(counts, range(1, 6)) / sum(counts) + 1e-12
        assert high[0] >= np.dot(counts, range(1, 6)) / sum(counts) - 1e-12


@given(ITEM, st.floats(0.05, 1))
@few
def test_more_ratings_of_the_same_kind_give_a_narrower_bounded_interval(counts, a):
    low, high = sos_wilson(tally_counts([counts, [4 * c for c in counts]]), a)
    assert high[1] - low[1] < high[0] - low[0]


def test_every_interval_has_its_name_and_the_default_is_the_first_on_the_results_page():
    assert tuple(INTERVALS) == get_args(Interval)
    assert next(iter(INTERVALS)) == DEFAULT_INTERVAL


@pytest.mark.parametrize("method", INTERVALS)
def test_an_interval_does_not_depend_on_the_other_items(method):
    counts = np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [0, 0, 0, 0, 4]])
    together = np.column_stack(interval(method, tally_counts(counts), a=0.3, seed=3))
    alone = np.vstack(
        [np.column_stack(interval(method, tally_counts(counts[i : i + 1]), a=0.3, seed=3)) for i in range(3)]
    )
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("method", ["percentile", "bca", "dirichlet"])
def test_the_seed_decides_the_random_intervals(method):
    counts = np.random.default_rng(0).multinomial(47, [0.1, 0.2, 0.3, 0.2, 0.2], size=20)
    first, again, other = (interval(method, tally_counts(counts), a=0.3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("method", "scipys"), [("percentile", "percentile"), ("bca", "BCa")])
def test_the_bootstrap_agrees_with_scipys(method, scipys):
    counts = [2, 1, 6, 9, 22]
    ratings = np.repeat(np.arange(1, 6), counts)
    expected = stats.bootstrap(
        (ratings,), np.mean, method=scipys, n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    low, high = interval(method, tally_counts([counts]), a=0.3)
    np.testing.assert_allclose([low[0], high[0]], expected, atol=0.05)


def test_the_dirichlet_interval_is_near_the_posteriors_quantiles():
    low, high = interval("dirichlet", tally_counts([[10, 0, 0, 0, 30]]), a=0.3)
    # Two categories alone are nearly a beta posterior on p, the mean being 1 + 4p.
    expected = 1 + 4 * stats.beta.ppf([0.025, 0.975], 30.2, 10.2)
    np.testing.assert_allclose([low[0], high[0]], expected, atol=0.1)


def test_an_unknown_interval_is_refused_by_name():
    with pytest.raises(ValueError, match="no interval 'wald'; there are t, bounded"):
        interval("wald", tally_counts([[1, 0, 0, 0, 1]]), a=0.3)  # type: ignore[arg-type]
