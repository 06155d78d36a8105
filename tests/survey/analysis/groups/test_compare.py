"""Groups of participants: Welch on people's means beside other programs, and the mixed model beside lme4."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
from scipy import stats

from survey.analysis import analyse, check
from survey.analysis.factors import factor_columns
from survey.analysis.groups import GroupComparison, sessions_by_group
from survey.analysis.groups.sessions import sessions_said
from survey.analysis.groups.welch import hedges_g, welch, welch_anova

ONE = np.array([4.2, 3.8, 4.6, 4.0, 4.4])
OTHER = np.array([3.2, 3.9, 2.8, 4.1, 3.5, 3.0])


def simulated(
    people: dict[str, int], shift: dict[str, float], items: int = 12, taste: float = 0.25
) -> pd.DataFrame:
    """Return ratings of groups that differ by a shift, and in their taste for items; each sees most of them."""
    rng = np.random.default_rng(5)
    quality = rng.uniform(2, 4.3, items)
    rows = []
    for group, count in people.items():
        own = rng.normal(0, taste, items)
        for person in range(count):
            bias = rng.normal(0, 0.4)
            for item in range(items):
                if rng.random() > 0.8:
                    continue
                value = quality[item] + shift[group] + bias + own[item] + rng.normal(0, 0.6)
                rows.append((f"{group}{person}", group, f"i{item:02d}", int(np.clip(round(value), 1, 5))))
    return pd.DataFrame(rows, columns=["participant", "group", "item", "rating"])


def compared(table: pd.DataFrame):
    found = GroupComparison(check(table).table).result
    assert found is not None
    return found


def test_welchs_numbers_are_those_of_the_known_answer_and_of_scipy():
    found = welch(ONE, OTHER)
    assert (found.t, found.df, found.p) == pytest.approx((3.105847, 8.423175, 0.013648), abs=1e-6)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.783333, 0.206777, 1.359889), abs=1e-6)
    assert found.g == pytest.approx(1.643855, abs=1e-6)
    other = stats.ttest_ind(ONE, OTHER, equal_var=False)
    assert (found.t, found.df, found.p) == pytest.approx((other.statistic, other.df, other.pvalue))
    assert hedges_g(ONE, OTHER) == pytest.approx(pg.compute_effsize(ONE, OTHER, eftype="hedges"))


def test_welchs_f_is_that_of_pingouin():
    groups = [ONE, OTHER, np.array([3.0, 3.1, 4.4, 2.5])]
    table = pd.DataFrame(
        {"value": np.concatenate(groups), "group": np.repeat(["a", "b", "c"], [len(g) for g in groups])}
    )
    wanted = pg.welch_anova(table, dv="value", between="group").iloc[0]
    found = welch_anova(groups)
    p = wanted["p_unc"] if "p_unc" in wanted else wanted["p-unc"]
    assert (found.f, found.df2, found.p) == pytest.approx((wanted["F"], wanted["ddof2"], p))


def test_the_mixed_model_is_that_of_lme4():
    """lme4 1.1-31: rating ~ group + (1|participant) + (1|item) + (1|item:group), sum-to-zero coding."""
    rows = simulated({"a": 9, "b": 8, "c": 7}, {"a": 0, "b": 0.45, "c": 0.2}, taste=0.5)
    assert (len(rows), rows["rating"].sum()) == (236, 745)
    found = compared(rows)
    variances = found.of_kind("variance").set_index("note")["estimate"].to_dict()
    assert variances == pytest.approx(
        {"participant": 0.148565, "item": 0.575873, "item × group": 0.073038, "residual": 0.418360}, abs=2e-5
    )
    first = found.of_kind("model").iloc[0]
    assert (first["group"], first["against"]) == ("b", "a")
    assert first["estimate"] == pytest.approx(0.227941 + 0.310883, abs=1e-5)
    two = compared(rows[rows["group"] != "c"]).of_kind("model").iloc[0]
    assert (two["estimate"], two["se"]) == pytest.approx((2 * 0.270649, 2 * 0.131466), abs=1e-5)


def test_the_first_sentence_says_who_rated_higher_and_by_how_much():
    found = compared(simulated({"plain": 20, "told": 22}, {"plain": 0, "told": 0.9}))
    assert found.finding.startswith("The 22 people of “told” rated ")
    assert "higher than the 20 people of “plain” (95 % interval " in found.finding
    alike = compared(simulated({"plain": 9, "told": 9}, {"plain": 0, "told": 0}))
    assert alike.finding.startswith("No difference could be shown between")


def test_every_two_of_three_groups_are_compared_and_adjusted_together():
    found = compared(simulated({"a": 9, "b": 8, "c": 7}, {"a": 0, "b": 0.45, "c": 0.2}))
    pairs = found.of_kind("difference")
    assert list(zip(pairs["group"], pairs["against"], strict=True)) == [("b", "a"), ("c", "a"), ("c", "b")]
    assert (pairs["p_holm"] >= pairs["p"]).all()
    assert len(found.of_kind("test")) == len(found.of_kind("model test")) == 1
    items = found.of_kind("item")
    assert len(items) == 36
    assert items["p_holm"].min() >= items["p"].min() * 36 - 1e-12


def test_groups_that_rated_other_items_are_compared_by_the_model_alone():
    rows = simulated({"a": 12, "b": 12}, {"a": 0, "b": 0.3})
    apart = rows[(rows["group"] == "a") == (rows["item"] < "i06")]
    found = compared(apart)
    assert found.of_kind("difference").empty
    assert len(found.of_kind("model")) == 1
    assert "mixed model" in found.finding
    assert any("did not rate the same images" in remark for remark in found.remarks)


def test_one_person_is_no_group_to_compare_and_few_are_a_pilot():
    rows = simulated({"a": 1, "b": 9}, {"a": 0, "b": 0})
    found = compared(rows)
    assert "a has one person" in found.finding
    assert found.table["p"].isna().all()
    assert any("pilot" in remark for remark in found.remarks)


def test_ratings_that_are_all_equal_leave_nothing_to_test():
    rows = simulated({"a": 4, "b": 4}, {"a": 0, "b": 0}).assign(rating=3)
    assert "were not compared" in compared(rows).finding


def test_a_column_that_does_not_part_the_people_is_a_factor_as_before():
    rows = simulated({"a": 6, "b": 6}, {"a": 0, "b": 0})
    assert "group" not in factor_columns(rows)
    of_items = rows.assign(group=rows["item"].map(lambda item: "even" if int(item[1:]) % 2 else "odd"))
    assert GroupComparison(check(of_items).table).groups == []
    assert "group" in factor_columns(of_items)


def test_a_table_without_groups_has_no_comparison():
    found = analyse(simulated({"a": 6}, {"a": 0}).drop(columns="group"))
    assert found.groups is None
    assert "groups" not in found.tables()
    assert "groups_finding" not in found.whole_summary


def test_drop_out_is_tested_by_fishers_exact_test():
    states = ["finished"] * 20 + ["stopped"] * 5 + ["finished"] * 10 + ["active"] * 15 + ["screened-out"] * 3
    people = pd.DataFrame({"group": ["a"] * 25 + ["b"] * 28, "state": states})
    found = sessions_by_group(people)
    assert found["started"].tolist() == [25, 25]
    assert found["share_unfinished"].tolist() == [0.2, 0.6]
    assert found["p"].iloc[0] == pytest.approx(stats.fisher_exact(np.array([[20, 5], [10, 15]])).pvalue)
    said = sessions_said(found)
    assert said.startswith("20 % of the 25 in “a” and 60 % of the 25 in “b” did not finish")
    assert "for that reason alone" in said


@pytest.mark.parametrize("more", [0, 20])
def test_drop_out_of_three_groups_is_tested_from_the_first_people_on(more):
    people = pd.DataFrame(
        {"group": [*"abc", *"c" * more], "state": ["finished", "active", *["finished"] * (1 + more)]}
    )
    found = sessions_by_group(people)
    assert (found["p"] == 1.0).all() if not more else (found["p"] < 0.15).all()
    assert f"and 0 % of the {1 + more} in “c” did not finish" in sessions_said(found)


def test_many_people_who_rated_the_same_items_are_no_slow_model():
    table = pd.DataFrame(
        [(f"p{p}", "ab"[p % 2], f"i{i}", 1 + (p + i) % 5) for p in range(300) for i in range(80)],
        columns=["participant", "group", "item", "rating"],
    )
    assert not GroupComparison(table).slow
    assert GroupComparison(table.iloc[1:]).slow
