"""The ordinal line gives what R's ordinal 2022.11-16 and statsmodels 0.15 gave, and says whether the order holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from survey.analysis.effects import factor_effects
from survey.analysis.effects.ordinal import probit_fit
from survey.analysis.scale import parse_scale
from survey.analysis.table import check
from tests.survey.analysis.effects.grids import grid


def effects_of(table, scale=None):
    found = factor_effects(check(table).table, *([] if scale is None else [scale]))
    assert found is not None
    return found


def test_slopes_and_cluster_errors_are_those_of_clm_and_statsmodels():
    table = grid()
    style = np.where(table["style"] == "s0", 1.0, -1.0)
    layer = np.array([[1, 0], [0, 1], [-1, -1.0]])[table["layer"].str[1:].astype(int)]
    content = np.vstack([np.eye(3), -np.ones(3)])[table["content"].str[1:].astype(int)]
    person = pd.factorize(table["participant"])[0].astype(np.int64)
    fit = probit_fit(table["rating"].to_numpy(np.int64) - 1, np.column_stack([style, layer, content]), person)
    assert fit is not None
    expected = [-0.02985613571, -0.02010236317, -0.19571873825, 0.22217508774, 0.23666148237, -0.26001078264]
    assert fit.beta == pytest.approx(expected, abs=1e-8)
    # statsmodels' correction has (n − 1)/(n − columns) too, on rows; without its factors the sandwich is the same.
    errors = np.array([0.07627359, 0.1203978, 0.10830733, 0.05952883, 0.1103775, 0.08824969])
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(errors * np.sqrt(15 / 14), rel=1e-5)


def test_a_clear_effect_keeps_its_order_in_ranks():
    found = effects_of(grid(people=20, contents=8, layer=0.9, missing=0))
    assert found.ordinal.agrees is True
    contrasts = found.of_kind("contrast")
    sure = int((contrasts["p_holm"] < 0.05).sum())
    assert sure >= 3
    assert (
        f"orders all {sure} significantly different pairs of levels as the means do" in found.ordinal.sentence
    )
    assert (contrasts["ordinal"] * contrasts["estimate"] > 0)[contrasts["effect"] == "layer"].all()
    assert contrasts["ordinal_p"].between(0, 1).all()


def test_an_order_that_only_the_distances_make_is_told():
    """Level b is a step better than a three times in four, else three steps worse: its mean is the same."""
    rows = []
    for person, content, copy in product(range(30), range(6), range(2)):
        worse = (person + content + copy) % 4 == 0
        for level, rating in (("a", 4), ("b", 1 if worse else 5)):
            name = f"c{content}", f"c{content}{level}{copy}"
            rows.append((f"p{person:02d}", name[1], name[0], level, rating))
    table = pd.DataFrame(rows, columns=["participant", "item", "content", "method", "rating"])
    row = effects_of(table).of_kind("contrast").iloc[0]
    assert row["estimate"] == pytest.approx(0, abs=0.1)
    assert row["ordinal"] > 0.3


def test_without_a_difference_there_is_no_order_to_check():
    found = effects_of(grid())
    assert found.ordinal.agrees is None
    assert "no order to check" in found.ordinal.sentence


def test_a_continuous_scale_has_no_ordinal_line():
    found = effects_of(grid(people=20, contents=8, layer=0.9, missing=0), parse_scale("1:5:0"))
    assert found.ordinal.agrees is None
    assert found.of_kind("contrast")["ordinal"].isna().all()


def test_a_level_at_one_end_of_the_scale_has_no_ordinal_estimate():
    table = grid(people=20, contents=8, missing=0)
    table.loc[table["layer"] == "l2", "rating"] = 5
    table.loc[table["layer"] != "l2", "rating"] = table["rating"].clip(upper=4)
    found = effects_of(table)
    assert "one end of the scale" in found.ordinal.sentence
    assert found.of_kind("contrast")["ordinal"].isna().all()


def test_repeated_ratings_enter_the_ordinal_model_one_by_one():
    table = grid()
    twice = pd.concat([table, table.assign(rating=(table["rating"] % 5) + 1)])
    assert effects_of(twice).of_kind("contrast")["ordinal"].notna().all()
