"""Any table of ratings, written in any form, is read back equal.

`FUZZ_EXAMPLES=2000 pytest -s tests/survey/analysis/test_reading_any_table.py` for a long run.
"""

from __future__ import annotations

import csv
import html
import io
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.analysis import read_ratings
from survey.analysis.reading.options import parse_options
from survey.exports.workbook import workbook_bytes

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
#: Names as people write them: no surrounding blanks, nothing that a delimiter or a formula would change.
NAMES = st.one_of(
    st.sampled_from(
        [
            "NA",
            "null",
            "007",
            "7",
            "-",
            "Zoë",
            "a, b",
            'the "x"',
            "x;y",
            "2024-01-01",
            "123456789012345678",
            "d'é",
        ]
    ),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_ .]{0,8}[A-Za-z0-9]", fullmatch=True),
)
TEXTS = {1: "Bad", 2: "Poor", 3: "Fair", 4: "Good", 5: "Excellent"}
VALUES: dict[str, Callable[[int], str]] = {
    "digits": str,
    "decimals": lambda v: f"{v}.0",
    "labels": lambda v: TEXTS[v],
    "numbered labels": lambda v: f"{v} - {TEXTS[v]}",
    "shares": lambda v: f"{v}/5",
    "stars": lambda v: "★" * v,
}

Table = dict[tuple[str, str], int]


@st.composite
def ratings(draw: st.DrawFn) -> Table:
    """Draw a table with gaps: (participant, item) -> rating."""
    people = draw(st.lists(NAMES, min_size=2, max_size=5, unique_by=str.casefold))
    items = draw(st.lists(NAMES, min_size=2, max_size=6, unique_by=str.casefold))
    keys = [(person, item) for person in people for item in items]
    given_ = draw(st.lists(st.sampled_from([*range(1, 6)] * 3 + [0]), min_size=len(keys), max_size=len(keys)))
    table = {key: value for key, value in zip(keys, given_, strict=True) if value}
    return table or {keys[0]: 3}


def delimited(rows: list[list[str]], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def as_html(rows: list[list[str]]) -> str:
    cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def as_json_lines(rows: list[list[str]]) -> str:
    return "\n".join(json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:])


def as_long(table: Table, value: Callable[[int], str]) -> list[list[str]]:
    return [["participant", "item", "rating"], *([p, i, value(v)] for (p, i), v in table.items())]


def as_wide(table: Table, value: Callable[[int], str], rows_are: str) -> list[list[str]]:
    people, items = (list(dict.fromkeys(names)) for names in zip(*table, strict=True))

    def cell(person: str, item: str) -> str:
        return value(table[person, item]) if (person, item) in table else ""

    if rows_are == "item":
        return [["item", *people], *([i, *(cell(p, i) for p in people)] for i in items)]
    return [["participant", *items], *([p, *(cell(p, i) for i in items)] for p in people)]


def read_back(path: Path, **options: str) -> Table:
    rows = read_ratings(path, parse_options(**options)).table
    keys = zip(rows["participant"].astype(str), rows["item"].astype(str), strict=True)
    return dict(zip(keys, rows["rating"].tolist(), strict=True))


@pytest.mark.slow
def test_any_table_is_read_back_equal_from_any_form(tmp_path):
    tried = Counter[str]()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(
        ratings(),
        st.sampled_from(["long", "item", "participant"]),
        st.sampled_from([",", ";", "\t", "|", "xlsx", "html", "json"]),
        st.sampled_from(list(VALUES)),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    )
    def try_one(table: Table, layout: str, delimiter: str, form: str, encoding: str) -> None:
        value = VALUES[form]
        rows = as_long(table, value) if layout == "long" else as_wide(table, value, layout)
        path = tmp_path / ("ratings.xlsx" if delimiter == "xlsx" else "ratings.csv")
        if delimiter == "xlsx":
            path.write_bytes(workbook_bytes({"Sheet1": pd.DataFrame(rows[1:], columns=rows[0])}, {}))
            options = {"sheet": "Sheet1"}
        elif delimiter in ("html", "json"):
            # Records of a wide table are no ratings.
            rows = rows if delimiter == "html" or layout == "long" else as_long(table, value)
            layout = layout if delimiter == "html" else "long"
            path.write_text({"html": as_html, "json": as_json_lines}[delimiter](rows), encoding=encoding)
            options = {}
        else:
            path.write_text(delimited(rows, delimiter), encoding=encoding)
            options = {}
        # A wide table's few columns may look like anything: that is what the option is for.
        wide = {"long": "no", "item": "items", "participant": "participants"}[layout]
        assert read_back(path, wide=wide, **options) == table
        tried[f"{layout} {delimiter!r} {form}"] += 1

    try_one()
    print(f"{tried.total()} tables in {len(tried)} forms")
    assert tried.total() >= EXAMPLES / 2
