from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestPower

from survey.analysis import check
from survey.analysis.items.dmos import dmos_table
from survey.analysis.items.mos import mos_from_counts
from survey.analysis.planning.planning import (
    Design,
    assumed_residual,
    detectable_difference,
    half_widths,
    plan_table,
    ratings_needed,
    sample_size,
)
from survey.analysis.planning.simulation import Population, simulate, true_mos
from tests.survey.analysis.tables import rows


@pytest.mark.parametrize(
    ("a", "half_width", "n"),
    [(0.25, 0.5, 16), (0.25, 0.3, 43), (0.25, 0.2, 97), (0.4, 0.5, 25), (0.4, 0.3, 69)],
)
def test_sample_sizes_of_the_worst_case(a, half_width, n):
    assert sample_size(half_width, a=a) == n


def test_a_half_width_of_zero_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        sample_size(0, a=0.3)


def test_the_detectable_difference_has_the_power_it_says():
    n, variance = 200, 0.5
    d = detectable_difference(variance, n)
    power = TTestPower().power(d / np.sqrt(2 * variance), n, 0.05)
    assert power == pytest.approx(0.8, abs=0.01)


def test_ratings_still_needed_fall_to_nothing_as_they_come_in():
    items = np.array(["none", "few", "many"], dtype=object)
    mos = mos_from_counts(items, np.array([[0] * 5, [0, 1, 2, 1, 0], [0, 100, 200, 100, 0]]))
    assert ratings_needed(mos, 0.5, a=0.25).tolist() == [16, 12, 0]


def test_half_widths_shrink():
    assert (np.diff(half_widths([2, 5, 20, 100], a=0.3)) < 0).all()


def test_dmos_takes_each_participants_own_reference():
    table = rows("a x 3\na ref 5\nb x 4\nb ref 4\nc x 1\nd ref 5").assign(reference="ref")
    result = dmos_table(check(table).table)
    assert result is not None
    assert result[["item", "reference", "n", "dmos"]].to_numpy().tolist() == [["x", "ref", 2, 4.0]]
    assert result["sd"][0] == pytest.approx(np.std([3, 5], ddof=1))


def test_crushing_pulls_in_what_is_better_than_its_reference():
    table = check(rows("a x 5\na ref 3").assign(reference="ref")).table
    plain, crushed = dmos_table(table), dmos_table(table, crush=True)
    assert plain is not None
    assert crushed is not None
    assert (plain["dmos"][0], crushed["dmos"][0]) == (7, pytest.approx(7 * 7 / 9))


def test_without_rated_references_there_is_no_dmos():
    assert dmos_table(check(rows("a x 5\na y 3")).table) is None
    assert dmos_table(check(rows("a x 5\na y 3").assign(reference="original.png")).table) is None


def test_simulated_ratings_have_the_mean_that_the_truth_says():
    simulated = simulate(np.linspace(0.8, 5.2, 12), 4000, Population(bias_sd=0.5, inconsistency=0.8), seed=2)
    means = simulated.table.groupby("item")["rating"].mean()
    np.testing.assert_allclose(means[simulated.items["item"]], simulated.items["mos"], atol=0.06)
    assert true_mos(np.array([3.0]), Population())[0] == pytest.approx(3)


def test_a_simulation_comes_from_its_seed_and_has_who_was_asked_for():
    population = Population(random_share=0.2, constant_share=0.1, drop_out=0.1)
    one, same, other = (simulate([2, 3, 4] * 5, 20, population, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, same.table)
    assert not one.table.equals(other.table)
    assert one.participants["kind"].value_counts().to_dict() == {"honest": 14, "random": 4, "constant": 2}
    trials = one.table.groupby("participant").size()
    assert trials.min() < 15 == trials.max()
    assert not one.table.duplicated(["participant", "item"]).any()


def test_a_plan_costs_more_the_finer_it_is_and_the_less_each_person_rates():
    whole, parts = (plan_table(Design(40, each), a=0.35, residual_variance=1.0) for each in (40, 10))
    assert whole["participants"].is_monotonic_decreasing
    assert whole["difference"].is_monotonic_increasing
    assert (whole["participants"] == whole["ratings"]).all()
    assert (parts["participants"] >= 4 * parts["ratings"]).all()
    assert (parts["difference"] > whole["difference"]).all()


def test_people_who_rate_both_of_two_images_are_as_many_as_when_subsets_are_drawn():
    rng = np.random.default_rng(0)
    both = np.mean([{0, 1} <= set(rng.choice(8, 3, replace=False)) for _ in range(20_000)])
    ratings = 20_000 * 3 / 8
    assert Design(8, 3).in_common(ratings) == pytest.approx(20_000 * both, rel=0.05)


def test_the_assumed_residual_is_that_of_people_without_bias():
    simulated = simulate(np.linspace(1.5, 4.5, 40), 400, Population(bias_sd=1e-6, inconsistency=1.0), seed=1)
    spread = simulated.table.groupby("item")["rating"]
    a = (spread.var() / ((spread.mean() - 1) * (5 - spread.mean()))).mean()
    assert assumed_residual(a) == pytest.approx(spread.var().mean(), rel=0.1)
