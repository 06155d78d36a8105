"""What is tested, what is not, and in which words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis.effects import EFFECT_COLUMNS, factor_effects
from survey.analysis.plots.effects import interaction_means
from survey.analysis.table import check
from tests.survey.analysis.effects.grids import grid


def effects_of(table):
    found = factor_effects(check(table).table)
    assert found is not None
    return found


def by_effect(table):
    return effects_of(table).of_kind("test").set_index("effect")


@pytest.fixture(scope="module")
def found():
    return effects_of(grid())


def test_the_default_model_is_the_rich_one_of_the_documentation(found):
    tests = found.of_kind("test").set_index("effect")
    assert tests.loc["layer", "f"] == pytest.approx(0.9015, abs=1e-4)
    assert tests.loc["layer", "df2"] == pytest.approx(12.677, abs=5e-3)
    assert tests.loc["style × layer", "p"] == pytest.approx(0.1968, abs=1e-4)
    assert tuple(found.table.columns) == EFFECT_COLUMNS


def test_holm_takes_all_effects_as_one_family(found):
    tests = found.of_kind("test")
    assert tests["p_holm"].min() == pytest.approx(3 * tests["p"].min())


def test_without_an_effect_the_finding_says_so_in_one_sentence(found):
    assert found.finding == "No effect of style or layer, alone or together, could be shown in these ratings."
    assert "the largest, l2 against l1, is 0.31 points" in " ".join(found.sentences)
    assert found.of_kind("contrast")["p_holm"].isna().all()


def test_an_effect_is_told_in_points_with_its_interval():
    found = effects_of(grid(people=20, contents=8, layer=0.9, missing=0))
    assert found.finding.startswith("layer: l2 was rated 1.")
    assert "about people and photographs like these" in found.finding
    contrasts = found.of_kind("contrast")
    assert contrasts[contrasts["effect"] == "layer"]["p_holm"].notna().all()
    assert set(found.of_kind("test")["people_method"]) == {"Greenhouse-Geisser"}


def test_a_numeric_factor_gets_a_slope_per_tenfold():
    table = grid(people=20, contents=8, layer=0.9, missing=0)
    table["layer"] = table["layer"].map({"l0": "10", "l1": "100", "l2": "1000"})
    found = effects_of(table)
    slope = found.of_kind("slope").set_index("level")["estimate"]
    means = found.of_kind("mean").set_index(["effect", "level"])["estimate"]
    assert slope["per tenfold"] == pytest.approx((means["layer", "1000"] - means["layer", "10"]) / 2)
    assert found.finding.startswith("Ten times more layer raised the score by 0.")


def test_zero_is_a_level_and_not_on_a_logarithmic_axis():
    table = grid()
    table["layer"] = table["layer"].map({"l0": 0, "l1": 10, "l2": 100})
    slope = effects_of(table).of_kind("slope")
    assert slope["estimate"].isna().all()
    assert "logarithmic" in slope["note"].iloc[0]


def without(table, style, layer):
    return table[(table["style"] != style) | (table["layer"] != layer)]


@pytest.mark.parametrize(
    ("change", "effect", "reason"),
    [
        (lambda t: t[t["participant"] < "p04"], "layer", "4 participants rated these images"),
        (lambda t: t.assign(rating=3), "layer", "all ratings are equal"),
        (
            lambda t: t[t["participant"] < "p10"],
            "style × layer",
            "interactions need at least 15 participants",
        ),
        (lambda t: without(t, "s1", "l2"), "style × layer", "no image has style s1 with layer l2"),
        (lambda t: t[t["content"] == "c0"], "style × layer", "each combination was seen in one image only"),
        (
            lambda t: t[(t["layer"] != "l2") | (t["item"] == "c0_s0_l2")],
            "layer",
            "layer l2 was seen in one image only",
        ),
        (lambda t: t.assign(method=t["style"] + "x"), "style", "style and method were changed together"),
        (
            lambda t: t.assign(condition=t["style"] + t["layer"]),
            "condition",
            "combinations of style and layer",
        ),
        (lambda t: t.assign(seed=t["content"].str[1:]), "seed", "draws of one recipe"),
        (lambda t: t.assign(tint=t["content"] + t["style"]), "tint", "seen on one content only"),
        (
            lambda t: t.assign(ssim=t["item"].where(t["content"] < "c2", "x")),
            "ssim",
            "seen in one image only",
        ),
    ],
)
def test_what_cannot_be_tested_has_no_p_but_a_reason_in_words(change, effect, reason):
    found = effects_of(change(grid()))
    row = found.of_kind("test").set_index("effect").loc[effect]
    assert pd.isna(row["p"])
    assert pd.isna(row["p_holm"])
    assert reason in row["note"]
    # A condition combines the factors, as every reader knows.
    assert (reason in " ".join(found.sentences)) is (effect != "condition")


def test_a_condition_that_is_another_name_of_an_untested_factor_is_not_told():
    """It once said that ratio was not tested, and that it was tested instead of the condition."""
    table = grid().drop(columns=["style", "layer"])
    table["ratio"] = table["content"].map({name: n for n, name in enumerate(sorted(set(table["content"])))})
    told = effects_of(table.assign(condition="ratio " + table["ratio"].astype(str))).sentences
    assert "condition" not in " ".join(told)
    assert "instead" not in " ".join(told)


def test_a_factor_that_cannot_be_tested_leaves_the_others_tested():
    tests = by_effect(grid().assign(method=grid()["style"] + "x"))
    assert tests.loc["layer", "p"] == pytest.approx(0.43, abs=0.02)


@pytest.mark.slow
def test_ratings_of_one_image_by_one_person_count_once():
    table = grid()
    twice = pd.concat([table, table], ignore_index=True)
    pd.testing.assert_frame_equal(effects_of(table).table, effects_of(twice).table)


@pytest.mark.slow
def test_the_order_of_rows_and_the_form_of_numbers_change_nothing():
    table = grid()
    table["layer"] = table["layer"].map({"l0": 0.1, "l1": 1.0, "l2": 10.0})
    other = table.sample(frac=1, random_state=1).assign(
        layer=lambda t: t["layer"].map({0.1: "0.1", 1.0: "1", 10.0: "10"})
    )
    pd.testing.assert_frame_equal(effects_of(table).table, effects_of(other).table)


def test_contents_nested_in_levels_are_compared_between_contents():
    table = grid(people=20, contents=8, missing=0)
    table["genre"] = np.where(table["content"] < "c4", "portrait", "landscape")
    found = effects_of(table)
    assert "content × genre" not in set(found.of_kind("variance")["effect"])
    assert "Each content has one level of genre only: it is compared between contents." in found.remarks
    assert found.of_kind("test").set_index("effect").loc["genre", "df2"] < 8


def test_a_factor_between_people_gets_no_part_of_its_own_within_them():
    table = grid(people=20, missing=0)
    odd = table["participant"].str[1:].astype(int) % 2 == 1
    table = table[odd == (table["style"] == "s1")]
    found = effects_of(table)
    assert "participant × style" not in set(found.of_kind("variance")["effect"])
    assert "Each participant saw one level of style only: it is compared between people." in found.remarks


def test_images_without_factors_have_no_effects():
    assert factor_effects(check(grid()[["participant", "item", "rating"]]).table) is None


@pytest.mark.slow
def test_levels_with_a_cross_in_their_names_keep_their_means():
    table = grid(missing=0.1)
    crossed = table.assign(layer=table["layer"].map({"l0": "a × b", "l1": "a", "l2": "b × a"}))
    means = interaction_means(effects_of(crossed)).set_index(["first", "second"])["mos"]
    plain = interaction_means(effects_of(table)).set_index(["first", "second"])["mos"]
    assert means["s1", "a × b"] == pytest.approx(plain["s1", "l0"], abs=1e-4)
    assert means["s1", "a"] == pytest.approx(plain["s1", "l1"], abs=1e-4)


def test_images_without_a_level_are_left_out_and_counted():
    table = grid()
    extra = table[table["item"] == "c0_s0_l0"].assign(item="photograph", style=None, layer=None)
    found = effects_of(pd.concat([table, extra], ignore_index=True))
    assert "Images without a level of every factor are left out: 1." in found.remarks
    tests = found.of_kind("test").set_index("effect")
    assert tests.loc["layer", "f"] == pytest.approx(0.9015, abs=1e-4)


def test_a_factor_left_with_one_level_is_named_and_not_tested():
    table = grid().assign(tone="warm")
    table.loc[table["content"] == "c0", "tone"] = "cold"
    table.loc[table["content"] == "c0", "style"] = None
    assert "one level of tone" in by_effect(table).loc["tone", "note"]
