from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from statsmodels.api import OLS

from survey.analysis.items.intervals import Interval, interval, sos_wilson, student_t
from survey.analysis.items.mos import mos_table, remarks
from survey.analysis.items.tally import clustering, tally, tally_counts
from tests.survey.analysis.tables import coded, few, rows, tables

AGAIN = rows("a x 4\na x 5\na x 4\nb x 3\nc x 5\nc x 5\nd x 2\nd x 3\nd x 3\nd x 4")
"""Four people who gave one item one to four ratings."""


def test_repeated_ratings_count_people_and_not_ratings():
    items = tally(coded(AGAIN))
    assert (items.n[0], items.participants[0]) == (10, 4)
    assert items.mean[0] == 3.8
    assert np.sqrt(items.mean_variance[0]) == pytest.approx(0.505964, abs=5e-7)
    np.testing.assert_allclose(np.ravel(student_t(items)), [2.18980, 5.41020], atol=5e-6)


def test_the_bounded_interval_takes_the_effective_number_of_ratings():
    items = tally(coded(AGAIN))
    together = clustering(items, fewest=0)
    assert items.per_participant[0] == pytest.approx(3)
    assert items.within == pytest.approx(4 / 9)
    assert together.correlation == pytest.approx(0.642857, abs=5e-7)
    assert together.effect[0] == pytest.approx(2.285714, abs=5e-7)
    assert together.inflation * items.variance[0] == pytest.approx(1.244444, abs=5e-7)


def test_the_sos_parameter_of_repeated_ratings_is_at_most_that_of_a_binomial():
    items = tally(coded(AGAIN))
    inflation = clustering(items).inflation
    assert inflation > 1
    np.testing.assert_allclose(sos_wilson(items, 1.0), sos_wilson(items, 1.0 / inflation))


def test_with_few_repeats_a_repeat_says_nothing_new():
    together = clustering(tally(coded(AGAIN)))
    assert together.correlation == 1
    assert together.effect[0] == pytest.approx(3)


@given(tables())
@few
def test_the_interval_is_that_of_clusters_in_statsmodels(table):
    items = tally(coded(table))
    low, high = student_t(items)
    for i, (_, one) in enumerate(table.groupby("item")):
        if np.isnan(low[i]):
            continue
        people = one["participant"].to_numpy()
        if one["participant"].nunique() == len(one):
            expected = OLS(one["rating"], np.ones(len(one))).fit().conf_int().to_numpy()[0]
        else:
            fit = OLS(one["rating"].to_numpy(float), np.ones(len(one))).fit(
                cov_type="cluster",
                cov_kwds={"groups": pd.factorize(people)[0], "df_correction": True},
                use_t=True,
            )
            # Statsmodels multiplies by (n - 1)/(n - 1) as well, which is 1 for a mean.
            expected = fit.conf_int()[0]
        np.testing.assert_allclose([low[i], high[i]], expected, atol=1e-9)


@given(tables())
@few
def test_without_repeats_counts_give_the_same_table(table):
    once = table.drop_duplicates(["participant", "item"])
    ratings = coded(once)
    counts = np.zeros((len(ratings.items), 5), np.int64)
    np.add.at(counts, (ratings.item, ratings.category), 1)
    ours, theirs = tally(ratings), tally_counts(counts)
    for name in ("n", "participants", "mean", "variance", "mean_variance", "per_participant"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for method in get_args(Interval):
        np.testing.assert_array_equal(interval(method, ours, a=0.3), interval(method, theirs, a=0.3))


def test_giving_every_rating_twice_changes_no_interval_but_the_count():
    once = pd.concat([AGAIN.drop_duplicates(["participant", "item"]).assign(item=name) for name in "uvwxyz"])
    twice = pd.concat([once, once])
    for method in ("t", "bounded", "normal", "percentile", "bca", "dirichlet"):
        ends = [
            mos_table(coded(table), ci=method)[["ci_low", "ci_high", "participants"]]
            for table in (once, twice)
        ]
        np.testing.assert_allclose(ends[0], ends[1], atol=1e-9)
    assert mos_table(coded(twice))["n"].eq(8).all()


def test_one_participant_who_rated_again_has_the_bounded_interval_alone():
    mos = mos_table(coded(rows("a x 3\na x 4"))).iloc[0]
    assert (mos["n"], mos["participants"], mos["mos"]) == (2, 1, 3.5)
    assert np.isnan([mos["ci_low"], mos["ci_high"]]).all()
    assert mos["bounded_low"] < 3.5 < mos["bounded_high"]
    alone = sos_wilson(tally_counts([[0, 0, 1, 0, 0]]), 0.35)
    assert mos["bounded_high"] - mos["bounded_low"] == pytest.approx(
        float(alone[1][0] - alone[0][0]), abs=0.05
    )
    assert remarks(mos.to_frame().T)[0] == "ratings of one participant"


def test_participants_whose_means_agree_give_no_interval():
    mos = mos_table(coded(rows("a x 3\na x 5\nb x 4\nb x 4\nc x 3\nc x 3\nc x 4\nc x 4\nc x 5\nc x 5"))).iloc[
        0
    ]
    assert mos["mos"] == 4
    assert mos["sd"] > 0
    assert np.isnan(mos["ci_low"])
