from __future__ import annotations

import warnings

import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.formula.api as smf
from hypothesis import given

from survey.analysis.items.means import complete_block
from survey.analysis.participants.agreement import first_ratings, icc_2, krippendorff_alpha
from survey.analysis.participants.mixed import feasible, fit_mixed
from tests.survey.analysis.tables import coded, few, rows, sparse_study, study, tables


@given(tables())
@few
def test_alpha_is_the_package_krippendorffs(table):
    first = table.drop_duplicates(["participant", "item"])
    matrix = first.pivot(index="participant", columns="item", values="rating").to_numpy(float)
    ours = krippendorff_alpha(first_ratings(coded(table)))
    for level, alpha in ours.items():
        try:
            theirs = krippendorff.alpha(matrix, level_of_measurement=level)
        except ValueError:  # one value only, or nothing that two rated
            theirs = np.nan
        if np.isnan(theirs) or np.isnan(alpha.value):
            assert np.isnan(alpha.value)
        else:
            assert alpha.value == pytest.approx(theirs, abs=1e-9)


def test_alphas_interval_holds_it_and_comes_from_the_seed():
    first = first_ratings(coded(study()))
    alpha = krippendorff_alpha(first, seed=1)["ordinal"]
    assert alpha.low < alpha.value < alpha.high
    assert alpha == krippendorff_alpha(first, seed=1)["ordinal"]
    assert alpha != krippendorff_alpha(first, seed=2)["ordinal"]


def test_alpha_is_one_where_all_agree_and_items_differ():
    assert krippendorff_alpha(first_ratings(coded(rows("a x 1\nb x 1\na y 5\nb y 5"))))["interval"].value == 1


def test_icc_is_pingouins_with_its_interval():
    table = study(items=12, participants=7)
    scores = complete_block(coded(table)).scores
    assert scores is not None
    ours = icc_2(scores)
    pingouin.options["round.column.CI95"] = None
    theirs = pingouin.intraclass_corr(table, targets="item", raters="participant", ratings="rating")
    single, mean = (theirs.iloc[place] for place in (1, 4))
    interval = next(name for name in theirs.columns if name.startswith("CI95"))
    np.testing.assert_allclose([ours.single, ours.mean], [single["ICC"], mean["ICC"]])
    np.testing.assert_allclose([ours.single_low, ours.single_high], single[interval], atol=1e-9)
    np.testing.assert_allclose([ours.mean_low, ours.mean_high], mean[interval], atol=1e-9)
    assert ours.k == 7


def test_the_complete_block_is_the_items_that_all_rated_else_the_participants_who_rated_all():
    gap = rows("a x 1\na y 2\na z 3\nb x 2\nb y 3\nc x 1\nc y 5\nc z 4")
    block = complete_block(coded(gap))
    np.testing.assert_array_equal(block.scores, [[1, 2], [2, 3], [1, 5]])
    assert "2 of 3 items" in block.rule
    one_item_each = pd.concat([gap, rows("d z 1\ne x 1")])
    block = complete_block(coded(one_item_each))
    np.testing.assert_array_equal(block.scores, [[1, 2, 3], [1, 5, 4]])
    assert "2 of 5 participants" in block.rule
    assert complete_block(coded(rows("a x 1\nb y 2"))).scores is None


def test_repeats_enter_the_block_as_their_mean():
    block = complete_block(coded(rows("a x 1\na x 2\na y 2\nb x 2\nb y 3")))
    np.testing.assert_array_equal(block.scores, [[1.5, 2], [2, 3]])


@pytest.mark.parametrize(
    "table", [study(items=20, participants=12), sparse_study()], ids=["complete", "sparse"]
)
def test_reml_components_are_statsmodels(table):
    ours = fit_mixed(coded(table))
    with warnings.catch_warnings(action="ignore"):
        model = smf.mixedlm(
            "rating ~ 1",
            table.assign(group=1),
            groups="group",
            vc_formula={"item": "0 + C(item)", "participant": "0 + C(participant)"},
        ).fit()
    names = model.model.exog_vc.names
    theirs = dict(zip(names, model.vcomp, strict=True))
    np.testing.assert_allclose(
        [ours.item, ours.participant, ours.residual],
        [theirs["item"], theirs["participant"], model.scale],
        rtol=2e-3,
    )
    np.testing.assert_allclose(ours.beta, model.fe_params, rtol=1e-3)
    np.testing.assert_allclose(np.sqrt(ours.covariance[0, 0]), model.bse_fe.iloc[0], rtol=2e-3)


def test_reml_of_complete_data_gives_the_mean_squares_icc():
    ratings = coded(study(items=20, participants=12))
    scores = complete_block(ratings).scores
    assert scores is not None
    assert fit_mixed(ratings).icc_1 == pytest.approx(icc_2(scores).single, abs=1e-5)


def test_the_mixed_model_does_not_care_which_side_is_larger_nor_stays_at_zero():
    table = study(items=8, participants=20)
    swapped = table.rename(columns={"item": "participant", "participant": "item"})
    ours, theirs = fit_mixed(coded(table)), fit_mixed(coded(swapped))
    np.testing.assert_allclose([ours.item, ours.participant], [theirs.participant, theirs.item], rtol=1e-5)


def test_reliability_asks_for_as_many_ratings_as_it_takes():
    fit = fit_mixed(coded(study()))
    assert fit.icc(fit.ratings_for(0.9)) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (rows("a x 1\na y 2"), "two items and two participants"),
        (rows("a x 1\na y 2\nb x 3\nb y 4"), "more ratings than"),
        (rows("\n".join(f"p{i} i{j} 3" for i in range(4) for j in range(4))), "all ratings are equal"),
    ],
)
def test_it_says_why_the_mixed_model_cannot_be_fitted(table, reason):
    assert reason in feasible(coded(table))
    with pytest.raises(ValueError, match=reason):
        fit_mixed(coded(table))
