from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from scipy import stats

from survey.analysis.items.mos import error_bars, mos_from_counts, mos_table, remarks
from survey.analysis.items.sos import pooled_a, sos_a, sos_curve
from survey.analysis.items.tally import tally, tally_counts
from tests.survey.analysis.tables import coded, few, rows, study, tables

COUNTS = ["n1", "n2", "n3", "n4", "n5"]


@given(tables())
@few
def test_it_agrees_with_pandas(table):
    mos = mos_table(coded(table)).set_index("item")
    by = table.groupby("item")["rating"]
    np.testing.assert_allclose(mos["mos"], by.mean(), atol=1e-12)
    np.testing.assert_allclose(mos["sd"], by.std(), atol=1e-12)
    np.testing.assert_array_equal(mos["median"], by.median())
    np.testing.assert_array_equal(mos["n"], by.size())
    np.testing.assert_allclose(mos["gob"], by.agg(lambda r: (r >= 4).mean()))
    np.testing.assert_allclose(mos["pow"], by.agg(lambda r: (r <= 2).mean()))


@given(tables())
@few
def test_the_order_of_rows_changes_nothing(table):
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(mos_table(coded(table)), mos_table(coded(shuffled)))


@given(tables())
@few
def test_the_names_of_participants_change_nothing(table):
    renamed = table.assign(participant=table["participant"].map(lambda name: f"z{9 - int(name[1:])}"))
    pd.testing.assert_frame_equal(mos_table(coded(table)), mos_table(coded(renamed)))


@given(tables())
@few
def test_turning_the_scale_round_turns_the_table_round(table):
    mos, turned = mos_table(coded(table)), mos_table(coded(table.assign(rating=6 - table["rating"])))
    np.testing.assert_allclose(turned["mos"], 6 - mos["mos"])
    np.testing.assert_allclose(turned["ci_low"], 6 - mos["ci_high"])
    np.testing.assert_allclose(turned["bounded_low"], 6 - mos["bounded_high"])
    np.testing.assert_allclose(turned["gob"], mos["pow"])
    np.testing.assert_array_equal(turned[COUNTS], mos[COUNTS[::-1]])


def test_an_item_without_ratings_keeps_an_empty_row():
    mos = mos_from_counts(np.array(["seen", "unseen"], dtype=object), np.array([[0, 0, 1, 2, 0], [0] * 5]))
    unseen = mos.iloc[1]
    assert unseen["n"] == 0
    assert unseen[["mos", "sd", "ci_low", "bounded_low", "median", "gob", "pow"]].isna().all()
    assert remarks(mos)[1] == "no ratings"


def test_one_rating_has_a_mean_and_a_bounded_interval_but_no_sd():
    mos = mos_table(coded(rows("a x 4"))).iloc[0]
    assert mos["mos"] == 4
    assert np.isnan([mos["sd"], mos["ci_low"], mos["ci_high"]]).all()
    assert 1 < mos["bounded_low"] < 4 < mos["bounded_high"] < 5


def test_where_all_agree_only_the_bounded_interval_is_given():
    mos = mos_table(coded(rows("a x 5\nb x 5\nc x 5")))
    assert mos["sd"][0] == 0
    assert mos[["ci_low", "ci_high"]].isna().all(axis=None)
    assert mos["bounded_low"][0] < mos["bounded_high"][0] == 5
    assert remarks(mos)[0] == "all 3 ratings agree"


def test_a_drawing_takes_the_bounded_interval_where_students_is_unusable():
    counts = np.array([[0, 0, 5, 5, 5], [0, 0, 0, 1, 4], [0, 0, 1, 1, 0], [0, 0, 0, 0, 9], [0] * 5])
    mos = mos_from_counts(np.array(list("abcde"), dtype=object), counts)
    bars = error_bars(mos)
    assert bars["method"].tolist() == ["t", "bounded", "bounded", "bounded", ""]
    assert mos["ci_high"][1] > 5
    assert bars["high"][1] == mos["bounded_high"][1] <= 5


def test_sos_a_is_the_least_squares_slope():
    items = tally(coded(study()))
    mean, variance = items.mean, items.variance
    q = (mean - 1) * (5 - mean)
    slope = np.linalg.lstsq(q[:, None], variance, rcond=None)[0][0]
    np.testing.assert_allclose(sos_a(items), slope, rtol=1e-12)
    np.testing.assert_allclose(sos_curve(slope, mean), slope * q)


def test_sos_a_is_one_where_only_the_ends_are_used():
    a = sos_a(tally_counts([[50, 0, 0, 0, 50], [30, 0, 0, 0, 70]]))
    np.testing.assert_allclose(a, 100 / 99)  # the sample variance of n = 100 is n/(n - 1) times p(1 - p)


def test_few_items_use_the_typical_a():
    assert pooled_a(tally_counts([[1, 0, 0, 0, 1]] * 4)) == 0.35
    assert pooled_a(tally_counts([[1, 0, 0, 0, 1]] * 5)) == 1.0
    assert np.isnan(sos_a(tally_counts([[0, 0, 0, 0, 3]])))


def test_the_normal_interval_is_that_of_bt500():
    counts = np.array([[1, 2, 3, 4, 5]])
    mos = mos_from_counts(np.array(["x"], dtype=object), counts, ci="normal").iloc[0]
    ratings = np.repeat(np.arange(1, 6), counts[0])
    low, high = stats.norm.interval(0.95, ratings.mean(), stats.sem(ratings))
    np.testing.assert_allclose([mos["ci_low"], mos["ci_high"]], [low, high])
    assert mos["ci_method"] == "normal"


def test_error_bars_of_two_participants_are_the_bounded_ones():
    ends = {"ci_low": 2.9, "ci_high": 3.1, "bounded_low": 2.0, "bounded_high": 4.0, "ci_method": "t"}
    mos = pd.DataFrame([{"n": k, "participants": k, **ends} for k in (2, 3)])
    assert error_bars(mos)["method"].tolist() == ["bounded", "t"]
    assert error_bars(mos)["low"].tolist() == [2.0, 2.9]
