"""What numbers say, in sentences for readers who are no statisticians."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis import Analysis, analyse
from survey.analysis.report.answers import two_tests
from survey.analysis.report.headlines import headlines
from survey.analysis.report.meanings import TABLE_WORDS, caution, in_sentences, meaning, shown_table
from survey.analysis.report.report import effects_said, report_html
from survey.analysis.terms import IMAGES
from survey.desk.pages.results.view import TABLES
from tests.survey.analysis.effects.grids import grid
from tests.survey.exports.studies import ratings_frame

MEASURES = ["sos_a", "alpha_ordinal", "alpha_interval", "icc_2_1", "icc_2_k", "kendall_w", "friedman_p"]


def test_every_measure_says_what_it_means():
    found = headlines(analyse(ratings_frame()).summary)
    assert [one.label for one in found if not one.meaning] == ["Items", "Participants", "Ratings"]


@pytest.mark.parametrize("key", [key for key in MEASURES if key != "alpha_interval"])
def test_a_good_and_a_bad_value_are_told_apart(key):
    good, bad = (meaning({key: value}, key) for value in (0.0, 1.0))
    assert good != bad
    assert good.partition(".")[0] != bad.partition(".")[0]


def test_what_cannot_be_computed_means_nothing():
    assert all(meaning({key: None}, key) == "" for key in MEASURES)


def test_alpha_of_a_continuous_scale_is_explained_without_the_ordinal_one():
    assert meaning({"alpha_interval": 0.9, "alpha_ordinal": None}, "alpha_interval").startswith("Two people")


def test_every_table_of_the_page_says_how_to_read_it():
    assert set(TABLES) - set(TABLE_WORDS) == set()


def test_a_note_stands_once_and_without_its_key():
    assert in_sentences({"icc": "too few", "friedman": "too few", "x": "other."}) == ["Too few.", "Other."]


def disagreeing() -> pd.DataFrame:
    """Two conditions of two contents, in which the conditions differ by the images alone."""
    rows = []
    rng = np.random.default_rng(0)
    for person in range(30):
        for content, layer, score in (
            ("cat", "a", 4.6),
            ("cat", "b", 3.2),
            ("owl", "a", 2.2),
            ("owl", "b", 2.4),
            ("fox", "a", 3.0),
            ("fox", "b", 2.9),
        ):
            value = int(np.clip(round(score + rng.normal(0, 0.6)), 1, 5))
            rows.append((f"p{person:02d}", f"{content} {layer}", content, layer, f"layer {layer}", value))
    return pd.DataFrame(rows, columns=["participant", "item", "content", "layer", "condition", "rating"])


def some_pair_differs(analysis: Analysis) -> bool:
    return analysis.condition_comparisons is not None and bool(
        (analysis.condition_comparisons["p_holm"] < 0.05).any()
    )


def test_two_tests_that_seem_to_disagree_are_reconciled():
    analysis = analyse(disagreeing())
    assert some_pair_differs(analysis)
    effects = analysis.factor_effects.result
    assert effects is not None
    assert effects.finding == "No effect of layer could be shown in these ratings."
    said = two_tests(analysis, effects, IMAGES)
    assert said == (
        "1 pair of conditions differs significantly, on these images alone: report it as a finding on these, and the test of the "
        "factor for other photographs."
    )
    assert effects_said(analysis)[-1] == said
    assert report_html(analysis, [], "x").count(said) == 1


def test_nothing_is_reconciled_where_nothing_disagrees():
    frame = grid(layer=1.0, missing=0)
    agreeing = analyse(frame.assign(condition=frame["layer"]))
    assert some_pair_differs(agreeing)
    effects = agreeing.factor_effects.result
    assert effects is not None
    assert two_tests(agreeing, effects, IMAGES) == ""


def test_complete_data_need_no_note_on_the_part_that_is_complete():
    whole = analyse(ratings_frame())
    assert not {"icc", "friedman", "complete_block"} & set(whole.summary["notes"])
    gaps = analyse(ratings_frame().drop(index=0))
    assert "those that all 8 participants rated" in gaps.summary["notes"]["complete_block"]
    assert report_html(gaps, [], "x").count("those that all 8 participants rated") == 1


def test_where_people_gave_few_ratings_the_report_shows_the_model_that_bears_it():
    few = analyse(ratings_frame())
    assert "recovered" in few.summary["notes"]
    page = report_html(few, [], "x")
    assert "<h3>Recovered quality, shrunken variant</h3>" in page
    assert "<h3>Recovered quality</h3>" not in page
    assert caution("observers", few.summary["notes"]) in page
    assert shown_table("recovered", {}) == "recovered"
    assert caution("observers", {}) == ""


def test_a_table_repeats_what_limits_it():
    notes = {"comparisons": "so few cannot show a difference", "components": "two parts", "friedman_p": "x"}
    assert (
        caution("comparisons", notes) == caution("significance", notes) == "So few cannot show a difference."
    )
    assert caution("recovered_shrunken", notes) == "Two parts."
    assert caution("mos", notes) == ""


def test_a_rule_that_only_informs_is_not_called_a_mark():
    assert "p913_correlation_rejected it only informs" in TABLE_WORDS["observers"]
    assert "correlation_p913 and correlation_left_out only inform" in TABLE_WORDS["screening"]
