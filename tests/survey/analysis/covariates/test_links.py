"""Covariates against the MOS: the numbers of R and of P.1401, and the finding in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis.covariates import COVARIATE_COLUMNS, CovariateLinks
from survey.analysis.covariates.agreement import ceiling, p1401, pearson, spearman, with_interval
from survey.analysis.covariates.columns import covariate_columns, panel_of
from survey.analysis.covariates.slopes import mixed_slopes
from survey.analysis.covariates.words import sentences
from survey.analysis.effects import factor_effects
from survey.analysis.table import check
from tests.survey.analysis.covariates.measured import measured, measured_grid
from tests.survey.analysis.effects.grids import grid


def links_of(table):
    found = CovariateLinks(check(table).table).result
    assert found is not None
    return found


@pytest.fixture(scope="module")
def found():
    return links_of(measured())


def test_the_measures_of_p1401_are_those_of_the_known_answer():
    mos = np.array([1.8, 2.6, 3.1, 3.9, 4.4, 2.2])
    predicted = np.array([2.1, 2.5, 3.6, 3.7, 4.3, 2.9])
    result = p1401(mos, predicted, np.array([0.3, 0.3, 0.25, 0.3, 0.2, 0.3]), 1)
    assert result.rmse == pytest.approx(0.421900, abs=1e-6)
    assert result.rmse_star == pytest.approx(0.210950, abs=1e-6)
    # 1.8 against 2.1 is exactly at its half width of 0.3, and no outlier.
    assert result.outlier_ratio == pytest.approx(2 / 6)
    assert pearson(mos, predicted) == pytest.approx(0.935595, abs=1e-6)
    assert spearman(mos, predicted) == pytest.approx(0.942857, abs=1e-6)


def test_slopes_are_those_of_lmertest(found):
    """lmerTest 3.1-3: rating ~ xw + xb + (1|participant) + (0+x|participant) + (1|content) + (1|item)."""
    row = found.table.set_index("covariate").loc["ssim"]
    assert row[["within", "within_se"]].tolist() == pytest.approx([0.5263020, 0.0770261], abs=1e-6)
    assert row[["between", "between_se"]].tolist() == pytest.approx([1.1643284, 0.2585442], abs=1e-5)
    assert row[["within_df", "between_df"]].tolist() == pytest.approx([19.73313, 7.00775], abs=1e-3)
    assert row["within_p"] == pytest.approx(1.307973e-06, rel=1e-3)
    panel = panel_of(check(measured()).table)
    assert panel is not None
    x = panel.values["ssim"]
    assert mixed_slopes(panel, x / x.std(ddof=1), panel.content)[2].variances == pytest.approx(
        {
            "participant": 0.1378764,
            "participant × slope": 0.1016374,
            "content": 0.0543092,
            "item": 0.0018325,
            "residual": 0.4207468,
        },
        abs=1e-6,
    )


def test_the_regression_is_that_of_clubsandwich(found):
    row = found.table.set_index("covariate").loc["ssim"]
    assert row["regression"] == pytest.approx(0.514, abs=5e-4)
    assert row["regression_se"] == pytest.approx(0.0286, abs=5e-5)
    assert row["regression_df"] == pytest.approx(5.78, abs=5e-3)
    few = links_of(measured_grid()).table.iloc[0]
    assert few[["within", "within_se"]].tolist() == pytest.approx([0.1043101, 0.0891755], abs=1e-6)
    assert few["within_df"] == pytest.approx(21.0876, abs=1e-3)
    assert few[["regression", "regression_se"]].tolist() == pytest.approx([0.111, 0.137], abs=5e-4)
    assert few["regression_df"] == pytest.approx(3.0, abs=5e-3)


def test_correlations_are_those_of_r(found):
    row = found.table.set_index("covariate").loc["ssim"]
    assert row["plcc"] == pytest.approx(0.8691603508)
    assert row["srocc"] == pytest.approx(0.8899212339)
    assert row["plcc_low"] < row["plcc"] < row["plcc_high"]


def test_what_explains_is_told_in_one_sentence_and_what_does_not_is_named(found):
    assert found.finding.startswith(
        "Images with higher similarity to the content (SSIM) were rated higher (r = 0.87, 95 % interval 0.67 to 0.95"
    )
    told = " ".join(found.sentences)
    assert "Among images of one photograph r = 0.96." in told
    assert "No link of noise with the score could be shown (r = 0.18" in told
    assert "Even a perfect measure would only reach r = 0.95 or so" in told
    assert tuple(found.table.columns) == COVARIATE_COLUMNS


def test_many_without_a_link_are_counted_first_and_named_after():
    rows = pd.DataFrame(
        [(f"m{n}", 0.5, r, 0.9, "") for n, r in enumerate((0.1, float("nan"), -0.2))],
        columns=["covariate", "p_holm", "plcc", "ceiling", "note"],
    )
    assert sentences(rows, contents=True) == [
        "None of the 3 measures is shown to go with the score (r from -0.20 to 0.10).",
        "These are m0, m1 and m2.",
        "Even a perfect measure would only reach r = 0.90 or so, since the ratings vary by chance.",
    ]


def test_holm_takes_all_covariates_as_one_family(found):
    table = found.table.set_index("covariate")
    assert table.loc["ssim", "p_holm"] == pytest.approx(2 * table.loc["ssim", "within_p"])


def test_images_of_one_photograph_may_tell_the_opposite_of_all_images():
    """Each content with more of it is rated better, but within a content more is worse."""
    table = measured(slope=-0.6, contents=8)
    place = table["content"].str[1:].astype(int)
    table["ssim"] = table["ssim"] + 3 * place
    table["rating"] = np.clip(table["rating"] + (place - 4), 1, 5)
    told = links_of(table).sentences
    assert told[0].startswith(
        "Among images of one photograph, those with higher similarity to the content (SSIM) were rated lower"
    )
    assert told[1].startswith("Over all images the link is the other way")


def test_one_image_a_content_has_only_a_slope_between_contents():
    found = links_of(measured(contents=12, each=1, missing=0))
    row = found.table.set_index("covariate").loc["ssim"]
    assert row["test"] == "between"
    assert pd.isna(row["within"])
    assert pd.isna(row["plcc_within"])


def test_images_without_contents_count_each_by_itself():
    found = links_of(measured().drop(columns="content"))
    assert "each counts as a photograph of its own" in " ".join(found.remarks)
    assert found.table["plcc_low"].notna().all()


def test_few_contents_give_no_interval_and_the_reason():
    found = links_of(measured(contents=3))
    assert found.table[["plcc_low", "srocc_low"]].isna().all(axis=None)
    assert "With 3 contents a correlation has no interval" in " ".join(found.remarks)


def test_few_participants_leave_the_regression():
    found = links_of(measured(people=4))
    assert not found.by_model
    assert set(found.table["test"]) == {"regression"}
    assert "needs 5 participants" in " ".join(found.remarks)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.assign(ssim=t["ssim"].where(t["item"] < "c0_3")), "only 3 images have a value"),
        (lambda t: t.assign(rating=3), "all scores are the same"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(change, reason):
    found = links_of(change(measured()))
    row = found.table.set_index("covariate").loc["ssim"]
    assert reason in row["note"]
    assert reason in " ".join(found.sentences)


def test_images_without_a_value_are_left_out():
    table = measured()
    row = links_of(table.assign(ssim=table["ssim"].where(table["item"] != "c0_0"))).table.iloc[0]
    assert row["items"] == 39


def test_factors_identifiers_and_texts_are_no_covariates():
    table = measured().assign(seed=1, note="x", level=1)
    table["seed"] = table["item"].factorize()[0]
    table["note"] = table["item"] + "!"
    assert covariate_columns(check(table).table) == ["ssim", "noise"]
    assert covariate_columns(check(grid()).table) == []
    assert factor_effects(check(measured()).table) is None


def test_a_correlation_without_spread_is_empty():
    same = with_interval(lambda a, b, _: pearson(a, b), np.ones(6), np.arange(6.0), np.arange(6))
    assert np.isnan([same.value, same.low, same.high]).all()
    assert np.isnan(ceiling(np.array([1.0, 1.1]), np.array([1.0, 1.0])))


def test_models_too_large_for_a_page_leave_the_quick_numbers(monkeypatch):
    monkeypatch.setattr("survey.analysis.covariates.links.MAX_WORK_ON_A_PAGE", 0)
    links = CovariateLinks(check(measured()).table)
    assert links.slow
    assert links.quick is not None
    assert set(links.quick.table["test"]) == {"regression"}
