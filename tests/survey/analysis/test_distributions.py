"""What is computed without `scipy.stats` is what `scipy.stats` gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from survey.analysis.distributions import f_quantile, f_tail, ranks, t_critical, t_two_sided

T = np.array([0, 1e-9, 0.3, -2.5, 8, 40, np.inf, np.nan])
DF = np.array([0.5, 1, 2.7, 30, 1e6, np.inf, np.nan, -1])


def test_student_t_is_that_of_scipy_stats():
    for df in DF:
        assert np.array_equal(t_two_sided(T, df), 2 * stats.t.sf(abs(T), df), equal_nan=True)
    assert np.array_equal(t_critical(DF), stats.t.ppf(0.975, DF), equal_nan=True)


@pytest.mark.parametrize("f", [-1e-17, 0, 0.3, 4, 900, np.inf, np.nan])
def test_f_is_that_of_scipy_stats(f):
    for df2 in DF[:5]:
        assert np.array_equal(f_tail(f, 3, df2), stats.f.sf(f, 3, df2), equal_nan=True)
    assert np.array_equal(f_quantile(0.975, 3, DF[:5]), stats.f.ppf(0.975, 3, DF[:5]))


def test_equal_values_share_the_mean_of_their_ranks():
    values = np.random.default_rng(1).integers(0, 9, 50).astype(float)
    assert np.array_equal(ranks(values), stats.rankdata(values))


def test_what_is_unknown_has_no_rank():
    values = np.array([2.5, np.nan, 1.0, 2.5])
    assert np.array_equal(ranks(values), [2.5, np.nan, 1, 2.5], equal_nan=True)
