from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from scipy import stats

from survey.analysis.participants.correlation import panel_correlation
from survey.analysis.participants.rules import RULES
from survey.analysis.participants.screening import bt500, flagged, p913_rejected, screen
from survey.analysis.planning.simulation import Population, simulate
from survey.analysis.table import Coded, check
from tests.survey.analysis.tables import coded, few, rows, sparse_study, study, tables


def screening(table: pd.DataFrame, rule: str) -> pd.DataFrame:
    result = screen(check(table).table)
    return result[result["rule"] == rule].set_index("participant")


def bt500_in_fractions(ratings: Coded) -> tuple[list[int], list[int]]:
    """The rule as written, in rational numbers."""
    high, low = [0] * len(ratings.participants), [0] * len(ratings.participants)
    presentations = (
        pd.DataFrame({"item": ratings.item, "repeat": ratings.repeat}).groupby(["item", "repeat"]).indices
    )
    for places in presentations.values():
        votes = [Fraction(int(u)) for u in ratings.rating[places]]
        mean = sum(votes) / len(votes)
        m2, m4 = (sum((u - mean) ** k for u in votes) / len(votes) for k in (2, 4))
        if m2 == 0:
            continue
        reach = (4 if 2 <= m4 / m2**2 <= 4 else 20) * m2 * len(votes) / (len(votes) - 1)
        for person, vote in zip(ratings.participant[places], votes, strict=True):
            if (vote - mean) ** 2 >= reach:
                (high if vote > mean else low)[person] += 1
    return high, low


@given(tables(most_people=9, most_items=3))
@few
def test_bt500_is_the_rule_in_exact_arithmetic(table):
    ratings = coded(table)
    result = bt500(ratings)
    assert (result.high.tolist(), result.low.tolist()) == bt500_in_fractions(ratings)


def test_bt500_counts_a_lone_dissenter_exactly_at_the_limit():
    # Of 21 votes one differs: kurtosis far above 4, and its distance squared is 20 (population) variances, which is
    # 20 * 20/21 sample variances, just inside; with 22 votes it is just outside.
    def hits(n: int) -> int:
        votes = [(f"p{i}", "x", 3) for i in range(n - 1)] + [("zz", "x", 4)]
        return int(bt500(coded(pd.DataFrame(votes, columns=["participant", "item", "rating"]))).high.sum())

    assert [hits(n) for n in (20, 21, 22, 23)] == [0, 0, 1, 1]


def test_bt500_leaves_unanimous_items_aside():
    table = rows("\n".join(f"p{i} item{j} 5" for i in range(8) for j in range(10)))
    result = bt500(coded(table))
    assert result.unanimous == 10
    assert not result.rejected.any()
    assert (screening(table, "bt500")["verdict"] == "cannot judge").all()


def test_bt500_rejects_who_votes_outside_on_both_sides_but_not_who_is_always_low():
    # Among fewer than 22 nobody can be √20 sample SDs from the mean.
    table = study(items=40, participants=40, inconsistency=0.4, bias_sd=0.2)
    last = table["participant"] == "p20"
    ends = table["item"].str[4:].astype(int)
    turned = table.assign(rating=table["rating"].where(~last, np.where(ends <= 20, 5, 1)))
    always_low = table.assign(rating=table["rating"].where(~last, 1))
    assert screening(turned, "bt500").loc["p20", "verdict"] == "flagged"
    assert screening(always_low, "bt500").loc["p20", "verdict"] == "ok"
    assert "P=" in str(screening(turned, "bt500").loc["p20", "detail"])


@pytest.mark.parametrize("table", [study(), sparse_study()], ids=["complete", "sparse"])
def test_correlations_are_scipys(table):
    ratings = coded(table)
    ours = panel_correlation(ratings)
    mos = table.groupby("item")["rating"].mean()
    for place, name in enumerate(ratings.participants):
        mine = table[table["participant"] == name].set_index("item")["rating"]
        others = table[table["participant"] != name].groupby("item")["rating"].mean()
        both = mine.index.intersection(others.index)
        assert ours.pearson[place] == pytest.approx(stats.pearsonr(mine, mos[mine.index])[0])
        assert ours.spearman[place] == pytest.approx(stats.spearmanr(mine, mos[mine.index])[0])
        assert ours.left_out[place] == pytest.approx(stats.pearsonr(mine[both], others[both])[0])


def test_p913_rejects_below_075_and_only_if_conditions_agree():
    table = study(items=30, participants=12, inconsistency=0.5)
    at_random = simulate([3.0] * 30, 1, Population(random_share=1), seed=3).table.assign(participant="zz")
    both = pd.concat([table, at_random], ignore_index=True)
    assert screening(both, "correlation_p913").loc["zz", "verdict"] == "flagged"
    correlation = panel_correlation(coded(both))
    assert p913_rejected(correlation).tolist() == (correlation.pearson < 0.75).tolist()
    by_condition = screening(both.assign(condition=both["item"].str[-1]), "correlation_p913")
    assert by_condition["detail"].str.contains("over conditions").all()


def test_a_constant_rater_cannot_be_judged_by_correlation_but_is_a_straight_liner():
    table = study(items=30, participants=10).drop(columns="position")
    table["rating"] = table["rating"].where(table["participant"] != "p1", 3)
    assert screening(table, "correlation_p913").loc["p1", "verdict"] == "cannot judge"
    straight = screening(table, "straight_lining")
    assert straight.loc["p1", "verdict"] == "flagged"
    assert straight.loc["p2", "verdict"] == "cannot judge"


def test_a_long_run_of_one_answer_is_flagged_where_the_order_is_known():
    table = study(items=60, participants=10)
    run = (table["participant"] == "p1") & table["position"].between(11, 50)
    table["rating"] = table["rating"].where(~run, 4)
    straight = screening(table, "straight_lining")
    assert straight.index[straight["verdict"] == "flagged"].tolist() == ["p1"]
    assert straight["value"]["p1"] >= 40


def test_who_answers_in_under_a_third_of_the_panels_time_is_flagged():
    table = study(participants=9).assign(rt_ms=3000.0)
    table.loc[table["participant"] == "p1", "rt_ms"] = 900.0
    table.loc[table["participant"] == "p2", "rt_ms"] = np.nan
    speed = screening(table, "speed")
    assert speed["verdict"].value_counts().to_dict() == {"ok": 7, "flagged": 1, "cannot judge": 1}
    assert list(speed.loc["p1", ["verdict", "value", "threshold"]]) == ["flagged", 900, 1000]


@pytest.mark.parametrize(
    ("phase", "answers", "verdict"),
    [
        ("gold", [4, 5, 5], "ok"),
        ("gold", [5, 3, 2], "flagged"),
        ("gold", [5] * 18 + [1] * 7, "ok"),  # 72 %, above the 70 % asked for
        ("gold", [5] * 17 + [1] * 8, "flagged"),  # 68 %
        ("trap", [5], "ok"),
        ("trap", [4], "flagged"),
    ],
)
def test_gold_may_miss_by_one_and_a_trap_may_not(phase, answers, verdict):
    checks = rows("\n".join(f"p1 check{i} {answer}" for i, answer in enumerate(answers)))
    table = pd.concat([study(participants=4).assign(phase="main"), checks.assign(phase=phase, expected=5)])
    result = screening(table.reset_index(drop=True), phase)
    assert result.loc["p1", "verdict"] == verdict
    assert result.loc["p2", "verdict"] == "cannot judge"


def test_repeats_that_differ_as_chance_would_are_flagged():
    table = study(items=20, participants=6).assign(phase="main")
    again = table.assign(phase="repeat")
    again.loc[again["participant"] == "p1", "rating"] = 6 - again["rating"]
    again = again[(again["participant"] != "p2") | (again.groupby("participant").cumcount() < 2)]
    result = screening(pd.concat([again, table], ignore_index=True), "repeats")
    assert result.loc["p1", "verdict"] == "flagged"
    assert result.loc["p2", "verdict"] == "cannot judge"
    assert list(result.loc["p3", ["verdict", "value"]]) == ["ok", 0]


def test_the_audit_table_has_every_rule_for_every_participant():
    result = screen(check(study(participants=7)).table)
    assert list(result.columns) == ["participant", "rule", "value", "threshold", "verdict", "detail"]
    assert list(dict.fromkeys(result["rule"])) == list(RULES)
    assert len(result) == 7 * len(RULES)
    assert set(result["verdict"]) <= {"ok", "flagged", "cannot judge"}


def test_flagged_lists_those_that_the_named_rules_flag():
    table = pd.DataFrame(
        {"participant": ["b", "a", "a", "c"], "rule": ["trap", "gold", "trap", "correlation_p913"]}
    ).assign(verdict="flagged")
    assert flagged(table) == ["a", "b"]
    assert flagged(table, ["correlation_p913"]) == ["c"]


@given(tables())
@few
def test_screening_any_table_gives_verdicts_and_no_warning(table):
    checked = check(table).table
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = screen(checked)
    assert result["verdict"].isin(["ok", "flagged", "cannot judge"]).all()
    assert result.loc[result["verdict"] != "cannot judge", "value"].notna().all()


def test_the_threshold_of_bt1788_is_at_most_seven_tenths():
    """In a panel that agrees, mean minus one SD of the correlations lies above it."""
    agreeing = screening(study(items=40, participants=12, inconsistency=0.1), "correlation_bt1788")
    assert agreeing["value"].mean() - agreeing["value"].std() > 0.75
    assert (agreeing["threshold"] == 0.7).all()
