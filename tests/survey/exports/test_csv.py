"""CSV that every program reads as it was meant."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.exports.tables import FORMULA_STARTS, csv_bytes, json_bytes, neutral


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1))
def test_it_keeps_any_text_behind_at_most_an_apostrophe(text):
    cell = read(csv_bytes(pd.DataFrame({"item": [text], "n": [1]})))[1][0]
    assert cell == (f"'{text}" if text.startswith(FORMULA_STARTS) else text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_it_writes_floats_in_full(value):
    assert float(read(csv_bytes(pd.DataFrame({"mos": [value]})))[1][0]) == value


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_starts_a_formula(start):
    table = pd.DataFrame({"text": [f"{start}1+1"], "category": pd.Categorical([f"{start}cmd"])})
    for cell in read(csv_bytes(table))[1]:
        assert not cell.startswith(FORMULA_STARTS)


def test_negative_numbers_are_numbers():
    assert read(csv_bytes(pd.DataFrame({"bias": [-0.5]})))[1] == ["-0.5"]


def test_no_heading_is_a_formula():
    assert read(csv_bytes(pd.DataFrame({"=1": [0]})))[0] == ["'=1"]


def test_missing_is_empty_and_times_are_utc():
    times = pd.to_datetime(pd.Series(["2026-01-02T03:04:05.678+01:00", None]), utc=True)
    table = pd.DataFrame({"at": times, "rt_ms": pd.array([1200, None], "Int64"), "sd": [0.5, np.nan]})
    assert read(csv_bytes(table))[1:] == [["2026-01-02T02:04:05.678000Z", "1200", "0.5"], ["", "", ""]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_each_start_of_a_formula_that_owasp_names_is_made_text(start):
    assert neutral(f"{start}1+1") == f"'{start}1+1"


def test_neutral_leaves_other_values_alone():
    assert [neutral(value) for value in (-1, None, "a=b", "")] == [-1, None, "a=b", ""]


def test_json_has_no_nan():
    data = json_bytes({"a": np.float64("nan"), "t": pd.DataFrame({"x": [1.0, np.nan]})})
    assert b"NaN" not in data
    assert pd.read_json(io.BytesIO(data), typ="series")["t"] == [{"x": 1.0}, {"x": None}]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda some: st.lists(some) | st.dictionaries(st.text(), some),
)


@given(VALUES)
def test_json_reads_back_as_it_was(value):
    assert json.loads(json_bytes(value)) == value


def test_json_has_a_line_for_each_row_of_a_table():
    data = json_bytes({"study": "s", "mos": pd.DataFrame({"item": ["a", "b"], "n": [1, 2]})})
    assert data.decode().splitlines() == [
        "{",
        '  "study": "s",',
        '  "mos": [',
        '    {"item": "a", "n": 1},',
        '    {"item": "b", "n": 2}',
        "  ]",
        "}",
    ]
