"""What numbers say, in sentences for readers who are no statisticians."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis import Analysis, analyse
from survey.analysis.report.answers import two_tests
from survey.analysis.report.headlines import headlines
from survey.analysis.report.meanings import TABLE_WORDS, in_sentences, meaning
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
    assert said.startswith("1 pair of conditions differs significantly all the same: that is another test.")
    assert "Report the test of the factor" in said
    assert effects_said(analysis)[1] == said
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
