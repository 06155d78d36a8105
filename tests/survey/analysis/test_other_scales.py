"""Statistics on scales other than 1 to 5: a change of units changes units alone, and what needs categories says so."""

from __future__ import annotations

from typing import get_args

import krippendorff
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from survey.analysis import Analysis, TableError, analyse, check
from survey.analysis.items.intervals import Interval
from survey.analysis.items.mos import count_columns, mos_table
from survey.analysis.report.report import draw, report_html
from survey.analysis.scale import ACR, Scale, parse_scale
from survey.analysis.table import code
from tests.survey.analysis.tables import study

CHANGED = ("0:4", "-2:2", "1:9:2", "1:3:0.5", "0:100:25", "0:1:0.25", "0.1:0.5:0.1")
"""Scales of five categories, as 1 to 5 in other units."""
UNCHANGED = (
    "alpha_ordinal",
    "alpha_interval",
    "icc_2_1",
    "icc_2_k",
    "sos_a",
    "friedman_p",
    "friedman_conditions_p",
    "icc_1_reml",
)
OTHERS = ("1:7", "1:9", "0:10", "1:5:0.5", "0:100", "0:100:1", "0:1:0")


def conditions(table: pd.DataFrame) -> pd.DataFrame:
    item = table["item"].str[4:].astype(int)
    return table.assign(condition=(item % 3).map({0: "x", 1: "y", 2: "z"}), reference="item1")


def with_repeats() -> pd.DataFrame:
    once = study(items=9, participants=7)
    return conditions(pd.concat([once, once.sample(frac=0.4, random_state=1)], ignore_index=True))


def in_units(table: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    assert scale.categories is not None
    return table.assign(rating=np.asarray(scale.categories)[table["rating"].to_numpy() - 1])


def generated(scale: Scale, seed: int = 0) -> pd.DataFrame:
    """Ratings of 8 items by 9 people all over the scale; a continuous one in hundredths of a point."""
    rng = np.random.default_rng(seed)
    share = np.clip(np.linspace(0.1, 0.9, 8) + rng.normal(0, 0.2, (9, 8)), 0, 1).ravel()
    u = scale.low + share * scale.range
    rating = (
        np.round(u, 2)
        if scale.step is None
        else scale.low + np.rint((u - scale.low) / scale.step) * scale.step
    )
    people = [f"p{i}" for i in range(9) for _ in range(8)]
    return conditions(
        pd.DataFrame({"participant": people, "item": [f"item{j}" for j in range(8)] * 9, "rating": rating})
    )


def analysed(table: pd.DataFrame, scale: Scale) -> Analysis:
    return analyse(check(table, scale=scale))


@pytest.fixture(scope="module")
def on_five() -> Analysis:
    return analysed(with_repeats(), ACR)


@pytest.mark.parametrize("text", CHANGED)
def test_a_change_of_units_changes_units_alone(on_five, text):
    scale = parse_scale(text)
    changed = analysed(in_units(with_repeats(), scale), scale)
    unit = scale.range / 4
    points = ["mos", "ci_low", "ci_high", "bounded_low", "bounded_high", "median"]
    moved = scale.low + (on_five.mos[points] - 1) * unit
    np.testing.assert_allclose(changed.mos[points], moved, atol=1e-9 * scale.range)
    np.testing.assert_allclose(changed.mos["sd"], on_five.mos["sd"] * unit)
    np.testing.assert_array_equal(
        changed.mos[["n", "participants", "gob", "pow"]], on_five.mos[["n", "participants", "gob", "pow"]]
    )
    np.testing.assert_array_equal(changed.mos[count_columns(scale)], on_five.mos[count_columns(ACR)])
    for name in ("comparisons", "condition_comparisons"):
        ours, theirs = getattr(changed, name), getattr(on_five, name)
        np.testing.assert_array_equal(
            ours[["n", "n_nonzero", "w", "p"]], theirs[["n", "n_nonzero", "w", "p"]]
        )
        np.testing.assert_allclose(ours["difference"], theirs["difference"] * unit, atol=1e-9 * unit)
    for name in UNCHANGED:
        assert changed.summary[name] == pytest.approx(on_five.summary[name], rel=1e-5), name
    np.testing.assert_allclose(
        changed.recovered["quality"], scale.low + (on_five.recovered["quality"] - 1) * unit, atol=1e-6 * unit
    )
    assert changed.screening["verdict"].tolist() == on_five.screening["verdict"].tolist()
    assert changed.observers["bt500_rejected"].tolist() == on_five.observers["bt500_rejected"].tolist()
    assert changed.dmos is not None
    assert on_five.dmos is not None
    np.testing.assert_allclose(
        changed.dmos["dmos"] - scale.high, (on_five.dmos["dmos"] - 5) * unit, atol=1e-9 * unit
    )


@pytest.mark.parametrize("text", OTHERS)
def test_the_tables_are_those_of_pandas_and_scipy(text):
    scale = parse_scale(text)
    table = generated(scale)
    result = analysed(table, scale)
    by = table.groupby("item")["rating"]
    mos = result.mos.set_index("item")
    np.testing.assert_allclose(mos["mos"], by.mean(), rtol=1e-12)
    np.testing.assert_allclose(mos["sd"], by.std(), rtol=1e-12)
    np.testing.assert_allclose(mos["median"], by.median(), rtol=1e-12)
    for item, u in by:
        expected = stats.t.interval(0.95, len(u) - 1, u.mean(), stats.sem(u))
        np.testing.assert_allclose(mos.loc[item, ["ci_low", "ci_high"]].astype(float), expected, rtol=1e-9)
    wide = table.pivot(index="participant", columns="item", values="rating").to_numpy(float)
    chi2, p = stats.friedmanchisquare(*wide.T)
    assert (result.summary["friedman_chi2"], result.summary["friedman_p"]) == pytest.approx(
        (chi2, p), abs=1e-9
    )
    interval = krippendorff.alpha(wide, level_of_measurement="interval")
    assert result.summary["alpha_interval"] == pytest.approx(interval, abs=1e-9)
    assert (
        (mos[["bounded_low", "bounded_high"]] >= scale.low)
        & (mos[["bounded_low", "bounded_high"]] <= scale.high)
    ).all(axis=None)
    z = (mos["mos"] - scale.low) * (scale.high - mos["mos"])
    assert result.summary["sos_a"] == pytest.approx(np.dot(z, mos["sd"] ** 2) / np.dot(z, z), rel=1e-9)
    assert list(mos.columns[9:]) == ["median", *count_columns(scale)]


@pytest.mark.parametrize("text", OTHERS)
def test_the_ordinal_alpha_is_the_package_krippendorffs_or_left_out_with_the_reason(text):
    scale = parse_scale(text)
    result = analysed(generated(scale), scale)
    if scale.categories is None or len(scale.categories) > 21:
        assert result.summary["alpha_ordinal"] is None
        assert "more than 21 categories" in result.summary["notes"]["alpha_ordinal"]
        return
    wide = generated(scale).pivot(index="participant", columns="item", values="rating").to_numpy(float)
    expected = krippendorff.alpha(wide, level_of_measurement="ordinal")
    assert result.summary["alpha_ordinal"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("text", OTHERS)
def test_every_interval_and_the_report_are_made(text):
    scale = parse_scale(text)
    ratings = check(generated(scale), scale=scale)
    result = analyse(ratings)
    for method in get_args(Interval):
        mos = mos_table(code(ratings.table, scale), ci=method)
        fine = scale.categories is None or len(scale.categories) > 11
        if method == "dirichlet" and fine:
            assert mos["ci_low"].isna().all()
        else:
            assert (mos["ci_low"] <= mos["mos"]).all()
    drawings = draw(result, ratings.table)
    names = {drawing.plot.name for drawing in drawings}
    assert ("distribution" in names) == (scale.categories is not None and len(scale.categories) <= 11)
    assert str(scale) in report_html(result, drawings, "Scores")


def test_a_continuous_scale_keeps_all_digits():
    rng = np.random.default_rng(0)
    table = generated(Scale(0, 1000, None))
    table["rating"] = rng.uniform(0, 1000, len(table))
    again = pd.concat([table, table.assign(rating=rng.uniform(0, 1000, len(table)))], ignore_index=True)
    for rows in (table, again):
        result = analysed(rows, Scale(0, 1000, None))
        people = rows.groupby(["item", "participant"])["rating"].mean()
        np.testing.assert_allclose(result.mos["mos"], people.groupby("item").mean(), rtol=1e-14)
        ends = result.mos[["ci_low", "ci_high"]].to_numpy(float)
        for pair, (_, means) in zip(ends, people.groupby("item"), strict=True):
            expected = stats.t.interval(0.95, len(means) - 1, means.mean(), stats.sem(means))
            np.testing.assert_allclose(pair, expected, rtol=1e-12)


def test_ties_on_a_continuous_scale_are_those_of_the_values_as_written():
    # 0.3 - 0.1 and 0.5 - 0.3 are a fifth each, and differ as floats.
    table = pd.DataFrame(
        {
            "participant": ["a", "a", "b", "b", "c", "c"],
            "item": ["x", "y"] * 3,
            "rating": [0.3, 0.1, 0.5, 0.3, 0.9, 0.1],
        }
    )
    result = analysed(table, Scale(0, 1, None))
    assert result.comparisons["w"].tolist() == [0]
    assert result.comparisons["p"].tolist() == [0.25]


def test_questions_may_have_scales_of_their_own():
    table = pd.concat([study(items=3, participants=4).assign(question=name) for name in ("five", "slider")])
    table.loc[table["question"] == "slider", "rating"] *= 20
    result = analyse(check(table.reset_index(drop=True), scales={"slider": Scale(0, 100, None)}))
    five, slider = (result.questions[name].mos for name in ("five", "slider"))
    np.testing.assert_allclose(slider["mos"], 20 * five["mos"])
    assert "n1" not in slider
    assert result.mos["n1"].isna().sum() == len(slider)
    with pytest.raises(TableError, match="rating 20 is not a whole number from 1 to 5"):
        check(table.assign(rating=20))


@pytest.mark.slow
def test_an_item_whose_ratings_are_all_empty_keeps_its_row():
    table = conditions(study(items=4, participants=5)).astype({"rating": float})
    table.loc[table["item"] == "item2", "rating"] = np.nan
    result = analyse(table)
    mos = result.mos.set_index("item")
    assert mos["n"].tolist() == [5, 0, 5, 5]
    assert mos.loc["item2", ["mos", "ci_low", "bounded_low"]].isna().all()
    for name in ("recovered", "recovered_shrunken", "panels"):
        assert getattr(result, name)["item"].tolist() == [f"item{i}" for i in range(1, 5)]
    pairs = result.comparisons[(result.comparisons["a"] == "item2") | (result.comparisons["b"] == "item2")]
    assert len(pairs) == 3
    assert pairs["n"].eq(0).all()
    assert pairs["p"].isna().all()
    assert result.summary["items"] == 4
    assert "1 item has no rating" in result.summary["notes"]["unrated_items"]
    report_html(result, draw(result, check(table).table), "Scores")
