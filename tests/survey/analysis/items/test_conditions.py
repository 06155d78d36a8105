from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from survey.analysis import TableError, check
from survey.analysis.items.conditions import cells, condition_means, levels, participant_level_means
from tests.survey.analysis.tables import rows, sparse_study, study


def with_factors(table):
    number = table["item"].str[4:].astype(int)
    return check(table.assign(condition="c" + (number % 3).astype(str), ratio=number % 2 / 10)).table


def test_in_a_complete_design_the_interval_is_that_over_participants_means():
    table = with_factors(study())
    result = condition_means(table).set_index("condition")
    for name, part in table.groupby("condition", observed=True):
        means = part.groupby("participant", observed=True)["rating"].mean()
        low, high = stats.t.interval(0.95, len(means) - 1, means.mean(), stats.sem(means))
        np.testing.assert_allclose(
            result.loc[name, ["mos", "ci_low", "ci_high"]].astype(float), [means.mean(), low, high]
        )


def test_pooled_votes_are_shown_as_too_narrow_where_people_differ():
    result = condition_means(with_factors(study(bias_sd=0.8, inconsistency=0.4)))
    assert (result["too_narrow"] > 1.4).all()
    naive = result["naive_high"] - result["naive_low"]
    np.testing.assert_allclose(result["too_narrow"], (result["ci_high"] - result["ci_low"]) / naive)


def test_resampling_items_too_makes_the_interval_wider():
    result = condition_means(with_factors(study()))
    width = result["bootstrap_high"] - result["bootstrap_low"]
    assert (width > result["ci_high"] - result["ci_low"]).all()
    assert (result["mixed_low"] < result["mixed_mean"]).all()
    again = condition_means(with_factors(study()))
    assert result.equals(again)


def test_gaps_are_no_trouble():
    result = condition_means(with_factors(sparse_study()))
    assert result.notna().all(axis=None)
    assert ((result["ci_low"] < result["mos"]) & (result["mos"] < result["ci_high"])).all()


def test_a_factor_of_numbers_is_ordered_as_numbers():
    table = check(rows("a x 1\na y 2\na z 3\nb x 2\nb y 2\nb z 5").assign(ratio=[10, 9, 0.5] * 2)).table
    assert condition_means(table, "ratio")["ratio"].tolist() == [0.5, 9, 10]


def test_two_factors_give_a_cell_each():
    table = with_factors(study())
    result = cells(table, "condition", "ratio")
    assert list(result.columns[:2]) == ["condition", "ratio"]
    assert len(result) == 6
    one = table[(table["condition"] == "c0") & (table["ratio"] == 0.1)]
    cell = result[(result["condition"] == "c0") & (result["ratio"] == 0.1)].iloc[0]
    assert cell["mos"] == pytest.approx(one["rating"].mean())
    assert cell["items"] == one["item"].nunique()


def test_participants_means_take_items_and_not_repeats_as_equal():
    table = check(rows("a x 1\na x 1\na x 1\na y 4\nb x 2").assign(condition="c")).table
    means = participant_level_means(levels(table, ["condition"]))
    np.testing.assert_array_equal(means.value * means.unit, [[2.5], [2]])


def test_one_participant_has_a_mean_and_no_interval():
    result = condition_means(check(rows("a x 1\na y 4").assign(condition="c")).table).iloc[0]
    assert result["mos"] == 2.5
    assert np.isnan([result["ci_low"], result["mixed_mean"]]).all()


def test_a_factor_that_is_not_there_is_named():
    with pytest.raises(TableError, match="no column 'layer'"):
        condition_means(check(study()).table, "layer")
