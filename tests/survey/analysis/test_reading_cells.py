"""Cells that look alike and mean different things: labels of signs, halves, footnotes, separators of thousands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis.reading.names import tidy_names
from survey.analysis.reading.options import OptionError, parse_options
from survey.analysis.reading.times import milliseconds
from survey.analysis.reading.values import parse_ratings


def numbers(texts: list[str], **options: str) -> list[float]:
    parsed = parse_ratings(texts, parse_options(**options))
    assert not parsed.bad.any(), parsed.wrong
    return list(parsed.number)


def refusal(texts: list[str], **options: str) -> dict[str, str]:
    parsed = parse_ratings(texts, parse_options(**options))
    assert parsed.bad.any()
    return parsed.wrong


@pytest.mark.parametrize(
    "labels",
    [
        "😡,🙁,😐,🙂,😍",
        "--,-,0,+,++",
        "C,C+,C++,B,A",
        "*,**,***,****,*****",
        "no,no!,no?,yes,yes!",
        "none,-,.,na,ok",
        "5,4,3,2,1",
    ],
)
def test_own_labels_count_as_they_are_written(labels):
    """They may be signs, numbers, or what otherwise means a missing rating."""
    assert numbers(labels.split(","), labels=labels) == [1, 2, 3, 4, 5]


def test_own_labels_are_found_in_other_writing_where_one_alone_is_meant():
    assert numbers(["trés-bien", "BIEN "], labels="Mal,Bien,Très bien") == [3, 2]
    assert refusal(["c plus plus", "C?"], labels="C,C+,C++,B,A") == {}


@pytest.mark.parametrize("labels", ["a,b,b,c", "a,b,B,c", "ａ,a,b"])
def test_two_categories_need_two_labels(labels):
    with pytest.raises(OptionError, match="there twice"):
        parse_options(labels=labels)


def test_halves_are_numbers():
    assert numbers(["4½", "½", "3 1/2", "2,5", "★★½"], scale="0.5:5:0.5") == [4.5, 0.5, 3.5, 2.5, 2.5]


def test_the_mark_of_a_footnote_is_no_digit():
    assert refusal(["5²", "17"], scale="0:100") == {}


def test_a_comma_before_three_digits_is_doubtful_on_a_long_scale():
    assert "may be 1000 or 1.000" in refusal(["1,000"], scale="0:10000:0")["1,000"]
    assert numbers(["1,000"], scale="1:5") == [1]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["980", "1,234"], [980, 1234]),
        (["1.234", "2.500", "na"], [1234, 2500, np.nan]),
        (["834.123", "912.345"], [834.123, 912.345]),
        (["1234.5", "1,234"], [1234.5, 1.234]),
    ],
)
def test_times_may_have_separators_of_thousands(texts, wanted):
    """Nobody answers in 1.234 milliseconds."""
    values, notes = milliseconds(pd.Series(texts), "rt_ms")
    assert values.tolist() == pytest.approx(wanted, nan_ok=True)
    assert ("thousands" in notes.get("rt_ms", "")) == (wanted[-1] != wanted[-1] or wanted[1] == 1234)


@pytest.mark.parametrize("others", [["trial_type", "trial_index"], ["Zone Type"], []])
def test_some_programs_write_milliseconds_without_saying_so(others):
    values, _ = milliseconds(pd.Series(["900"]), "rt", others)
    assert values.tolist() == pytest.approx([900 if others else np.nan], nan_ok=True)


@pytest.mark.parametrize("name", ["sch\ufffdn.png", "????.png", "??"])
def test_names_that_have_lost_letters_are_noted(name):
    notes: dict[str, str] = {}
    tidy_names(pd.Series([name, "b"]), "item", notes)
    assert "letters were lost" in notes["item_lost"]
