"""The numbers of a summary in words."""

from __future__ import annotations

from survey.analysis import analyse
from survey.analysis.report.headlines import findings, headlines
from tests.survey.exports.studies import ratings_frame


def summary(**changes):
    return analyse(ratings_frame()).summary | changes


def test_what_the_data_do_not_allow_is_a_dash():
    values = {
        headline.label: headline.value for headline in headlines(summary(icc_2_1=None, friedman_p=None))
    }
    assert (values["ICC(2,1)"], values["Friedman p"]) == ("–", "–")


def test_no_p_value_is_printed_as_zero():
    values = {headline.label: headline.value for headline in headlines(summary(friedman_p=0.0))}
    assert values["Friedman p"] == "< 1e-300"
    values = {headline.label: headline.value for headline in headlines(summary(friedman_p=2e-9))}
    assert values["Friedman p"] == "2.0e-09"


def test_an_interval_stands_beside_its_number():
    found = {
        headline.label: headline.interval
        for headline in headlines(summary(icc_2_1_low=0.1, icc_2_1_high=0.456))
    }
    assert found["ICC(2,1)"] == "[0.10, 0.46]"


def test_no_end_of_an_interval_is_minus_zero():
    found = {one.label: one.interval for one in headlines(summary(icc_2_1_low=-0.001, icc_2_1_high=0.4))}
    assert found["ICC(2,1)"] == "[0.00, 0.40]"


def test_it_says_whether_the_conclusions_depend_on_the_panel():
    for depends, words in (
        (True, "Conclusions change with who is counted: "),
        (False, "Conclusions do not change with who is counted: "),
        (None, "Who is counted: "),
    ):
        found = findings(summary(conclusions="x", conclusions_depend_on_panel=depends))
        assert any(sentence.startswith(words) for sentence in found)


def test_a_difference_beyond_the_scale_is_not_quoted():
    assert any(
        "differ by 4.00 points" in sentence for sentence in findings(summary(detectable_difference=4.0))
    )
    found = findings(summary(detectable_difference=4.1))
    assert not any("4.1" in sentence for sentence in found)
    assert any("not even two at the ends of the scale" in sentence for sentence in found)
