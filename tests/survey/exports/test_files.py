"""The whole export: everything in it, nothing secret, the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import python_calamine

from survey.analysis import analyse, read_ratings
from survey.exports.codebook import codebook
from survey.exports.files import all_files, csv_files, report_title
from survey.exports.folder import write_folder
from survey.exports.latex import _figures, latex_table
from survey.exports.methods import methods_text
from survey.exports.psychds import data_path, data_tables, psychds_files
from survey.exports.tables import csv_bytes, csv_parts, json_bytes, json_parts
from survey.exports.workbook import workbook_bytes
from tests.programs import R

# The exports are made in the database, once for all tests.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.slow
def test_the_same_data_give_the_same_bytes(export, files):
    again = all_files(export)
    assert list(again) == list(files)
    assert [name for name in files if again[name] != files[name]] == []


@pytest.mark.slow
def test_analysis_of_the_export_is_analysis_of_the_database(tmp_path, export_of_two):
    (tmp_path / "ratings.csv").write_bytes(csv_files(export_of_two)["ratings.csv"])
    again = analyse(read_ratings(tmp_path / "ratings.csv"))
    ours = export_of_two.analysis
    assert again.tables().keys() == ours.tables().keys()
    for name, table in ours.tables().items():
        pd.testing.assert_frame_equal(again.tables()[name], table, check_dtype=False, check_categorical=False)
    assert again.summary == ours.summary


def test_every_column_of_every_table_is_in_the_codebook(export, export_of_two):
    for study in (export, export_of_two):
        meaning = codebook(study)
        assert (meaning["meaning"].str.len() > 3).all()
        described = set(zip(meaning["table"], meaning["column"], strict=True))
        for name, data in csv_files(study).items():
            table = name.removesuffix(".csv")
            if table == "codebook":
                continue
            header = next(csv.reader(io.StringIO(data.decode())))
            assert {(table, column) for column in header} <= described


@pytest.mark.slow
def test_no_secret_of_a_participant_is_in_it():
    from survey.results.collect import collect
    from tests.survey.exports.studies import rated_study

    study = rated_study(people=2)
    everything = b"".join(all_files(collect(study)).values())
    for person in study.participants.all():
        assert person.code.encode() in everything
        assert str(person.token).encode() not in everything
        assert str(person.withdrawal).encode() not in everything
        for trial in person.trials.all():
            assert trial.token.encode() not in everything


NEEDS_R = pytest.mark.skipif(R.find() is None, reason=R.missing)
SCRIPTS = pytest.mark.parametrize(
    "script",
    [
        pytest.param([sys.executable, "reproduce.py"], id="python"),
        pytest.param(["Rscript", "reproduce.R"], id="r", marks=NEEDS_R),
    ],
)


def run_in(folder: Path, script: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(script, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
@SCRIPTS
def test_the_script_reproduces_the_table(tmp_path, files, script):
    write_folder(files, tmp_path)
    done = run_in(tmp_path, script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mos.csv is reproduced: 7 rows" in done.stdout


@pytest.mark.slow
@SCRIPTS
def test_the_script_tells_when_a_rating_was_changed(tmp_path, files, script):
    write_folder(files, tmp_path)
    table = pd.read_csv(tmp_path / "ratings.csv")
    table.loc[0, "rating"] = int(table["rating"].to_numpy()[0]) % 5 + 1
    table.to_csv(tmp_path / "ratings.csv", index=False)
    done = run_in(tmp_path, script)
    assert done.returncode == 1
    assert "reproduced" not in done.stdout


def test_the_sums_are_of_the_files(files):
    lines = [line.split("  ") for line in files["SHA256SUMS"].decode().splitlines()]
    assert {name: digest for digest, name in lines} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "SHA256SUMS"
    }


def test_the_workbook_holds_the_scores_and_no_formula(export, files):
    with zipfile.ZipFile(io.BytesIO(files["results.xlsx"])) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/" in name]
        names = re.findall('<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    assert not any("<f>" in sheet for sheet in sheets)
    assert any("=HYPERLINK" in sheet for sheet in sheets)
    assert names[0] == "stamp"
    assert {"mos", "ratings", "items", "codebook"} <= set(names)
    mos = sheets[names.index("mos")]
    first = export.analysis.mos["mos"].iloc[0]
    assert any(float(v) == pytest.approx(first) for v in re.findall(r"<c r=\"D2\"[^>]*><v>([^<]+)</v>", mos))


def sheet(data: bytes, name: str) -> list[list[Any]]:
    return (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name).to_python()
    )


def test_numbers_and_truth_values_are_such_in_the_workbook(files):
    header, first, *_ = sheet(files["results.xlsx"], "observers")
    row = dict(zip(header, first, strict=True))
    assert row["bt500_rejected"] is False
    assert isinstance(row["mean"], float)
    header, first, *_ = sheet(files["results.xlsx"], "participants")
    assert dict(zip(header, first, strict=True))["simulated"] is False


def test_the_workbook_shows_three_decimals_wide_enough_below_a_header_that_stays():
    table = pd.DataFrame(
        {
            "item": ["a long name of an image"],
            "mos": [2 / 3],
            "p": [1e-7],
            "whole": [3.0],
            "flag": pd.array([True], dtype="boolean"),
        }
    )
    data = workbook_bytes({"mos": table}, {"rows_in": 48})
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        xml = book.read("xl/worksheets/sheet2.xml").decode()
        styles = book.read("xl/styles.xml").decode()
    formats = re.findall(r'numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    codes = dict(re.findall(r'numFmtId="(\d+)" formatCode="([^"]+)"', styles)) | {
        "11": "0.00E+00",
        "0": "General",
    }
    shown = {
        cell: codes[formats[int(style or 0)]]
        for cell, style in re.findall(r'<c r="([A-Z]2)"(?: s="(\d+)")?', xml)
    }
    assert shown == {"A2": "General", "B2": "0.000", "C2": "0.00E+00", "D2": "General", "E2": "General"}
    widths = [float(width) for width in re.findall(r'<col [^>]*width="([0-9.]+)"', xml)]
    assert widths[0] > len("a long name of an image")
    assert 'ySplit="1"' in xml
    assert "frozen" in xml
    assert sheet(data, "mos")[1][1:] == [2 / 3, 1e-7, 3.0, True]
    assert sheet(data, "stamp")[1] == ["rows_in", 48.0]


@pytest.mark.slow
def test_a_long_workbook_takes_hardly_more_memory_than_a_short_one():
    def peak(rows: int) -> int:
        number = np.arange(rows)
        table = pd.DataFrame({"name": [f"P{i}" for i in number], "mos": number / 3, "n": number})
        tracemalloc.start()
        try:
            workbook_bytes({"mos": table}, {})
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Kept in memory, 9,000 rows more would take 10 MB.
    assert peak(12_000) - peak(3_000) < 4e6


@pytest.mark.parametrize("text", ["<r>a & b</r>", "<r/>", "_x0041_", "\x01", " a ", "=1+1", "x" * 40_000])
def test_the_workbook_shows_every_text_as_it_is(text):
    data = workbook_bytes({"answers": pd.DataFrame({"answer": [text, None], "n": [1, 2]})}, {})
    shown = sheet(data, "answers")[1][0]
    # A cell holds 32,767 characters.
    assert shown == (text if len(text) < 32_768 else "x" * 32_766 + "…")


def test_a_column_of_the_workbook_without_a_value_stays_empty_beside_the_others():
    table = pd.DataFrame({"a": [1, 2], "none": [None, None], "b": ["x", None], "gap": [np.nan, 0.5]})
    data = workbook_bytes({"answers": table}, {})
    assert sheet(data, "answers") == [["a", "none", "b", "gap"], [1, "", "x", ""], [2, "", "", 0.5]]
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        xml = book.read("xl/worksheets/sheet2.xml").decode()
    assert re.findall('r="([A-Z][23])"', xml) == ["A2", "C2", "D2", "A3", "C3", "D3"]


def test_equal_values_of_different_types_keep_their_types():
    table = pd.DataFrame({"mixed": [1, True, 1.0, "1", None], "zero": [0.0, -0.0, 1.5, np.nan, 0.0]})
    assert csv_bytes(table).decode().splitlines() == [
        "mixed,zero",
        "1,0.0",
        "True,-0.0",
        "1.0,1.5",
        "1,",
        ",0.0",
    ]
    assert [row["mixed"] for row in json.loads(json_bytes(table))] == [1, True, 1.0, "1", None]


def test_a_table_in_pieces_is_the_whole_table(export, monkeypatch):
    whole = csv_bytes(export.ratings), json_bytes(export.ratings)
    monkeypatch.setattr("survey.exports.tables._ROWS", 7)
    monkeypatch.setattr("survey.exports.tables._PIECE", 100)
    assert len(list(json_parts(export.ratings))) > 2
    assert len(list(csv_parts(export.ratings))) == -(-len(export.ratings) // 7) > 2
    assert (b"".join(csv_parts(export.ratings)), b"".join(json_parts(export.ratings))) == whole


def test_parquet_keeps_types_and_stamp(export, files):
    table = pq.read_table(io.BytesIO(files["ratings.parquet"]))
    assert table.num_rows == len(export.ratings)
    stamp = json.loads(table.schema.metadata[b"nstsite"])
    assert stamp["data_sha256"] == export.analysis.stamp["data_sha256"]
    assert str(table.schema.field("answered_at").type).startswith("timestamp")


def test_json_holds_the_tables_and_the_stamp(export, files):
    data = json.loads(files["results.json"])
    assert data["stamp"]["data_sha256"] == export.analysis.stamp["data_sha256"]
    assert [row["mos"] for row in data["mos"]] == pytest.approx(export.analysis.mos["mos"].tolist())
    assert len(data["ratings"]) == len(export.ratings)


def test_psych_ds_names_files_by_keywords_and_describes_every_column(export):
    files = psychds_files(export)
    description = json.loads(files["dataset_description.json"])
    measured = [variable["name"] for variable in description["variableMeasured"]]
    assert len(measured) == len(set(measured))
    tables = [name for name in files if name.startswith("data/")]
    assert len(tables) == 4
    for name in tables:
        # Two of the standard's keywords: others are warned of.
        assert re.fullmatch(r"data/study-[a-zA-Z0-9]+_description-[a-z]+_data\.csv", name)
        assert set(next(csv.reader(io.StringIO(files[name].decode())))) <= set(measured)


def test_each_table_of_psych_ds_is_the_file_that_it_is_copied_from(export, files):
    alone = psychds_files(export)
    for name in data_tables(export):
        path = data_path(export, name)
        assert alone[path] == files[f"{name}.csv"] == files[f"psych-ds/{path}"]


def test_latex_prints_names_as_they_are(export):
    text = latex_table(export)
    assert r"=HYPERLINK(" in text
    assert r"\$5 \& 100 \% \textless{}b\textgreater{}\_é" in text
    assert r"\toprule" in text
    row = export.analysis.mos.set_index("item").loc["cat-weak"]
    half = (row["ci_high"] - row["ci_low"]) / 2
    assert rf"cat-weak & 6 & ${row['mos']:.2f} \pm {half:.2f}$" in text


def test_latex_has_a_column_for_each_factor_in_which_the_images_differ(export):
    text = latex_table(export)
    assert "    content & level & strength & Image & $n$" in text
    assert r"\begin{tabular}{lrllrrrr}" in text
    assert re.search(r"^    cat & 0 & weak & cat-weak & 6 & ", text, re.M)


def test_latex_has_figures_only_where_names_begin_with_their_letters(export):
    assert "Figure" not in latex_table(export)
    items = export.items.assign(item=export.items["item"].replace("cat-weak", "B: cat"))
    part = export.analysis.questions["overall"]
    mos = part.mos.assign(item=part.mos["item"].replace("cat-weak", "B: cat"))
    analysis = replace(export.analysis, questions={"overall": replace(part, mos=mos)})
    text = latex_table(replace(export, items=items, analysis=analysis))
    assert "    Figure & content & level & strength & Image & $n$" in text
    assert "Figure: the letter at the start of the image's name." in text
    assert r"\begin{tabular}{llrllrrrr}" in text
    assert sorted(re.findall(r"^    ([A-Z]|--) & ", text, re.M)) == [*["--"] * 6, "B"]
    assert "B & cat & 0 & weak & cat & 6 & " in text


def test_latex_gives_no_letter_twice():
    assert _figures(["A: cat × wave", "dog"]) == {"A: cat × wave": ("A", "cat × wave"), "dog": ("", "dog")}
    twice = ["A: cat × wave", "A: owl × wave"]
    assert _figures(twice) == {name: ("", name) for name in twice}


@pytest.mark.parametrize("title", ["Taste", "Taste (simulated)"])
def test_a_report_of_simulated_ratings_says_so_once(export, title):
    assert report_title(replace(export, title=title, simulated=True)) == "Taste (simulated)"


def test_the_methods_text_says_what_was_done_and_no_result(export):
    text = methods_text(export)
    assert "Participants rated 7 images by Absolute Category Rating" in text
    assert "6 participants gave 42 ratings" in text
    assert "Agreement was measured by the SOS parameter a" in text
    assert "imulated" not in text
    assert " = " not in text


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_a_simulated_study_says_so_in_every_text(export):
    made = export.ratings.assign(simulated=True)
    files = all_files(replace(export, simulated=True, ratings=made))
    for name in ("methods.txt", "README.txt", "mos.tex", "report.html", "psych-ds/README.md"):
        assert b"imulated" in files[name], name
    assert json.loads(files["results.json"])["simulated"] is True


def test_several_questions_stand_apart(export_of_two):
    mos = pd.read_csv(io.BytesIO(csv_files(export_of_two)["mos.csv"]))
    assert list(mos.columns[:2]) == ["question", "item"]
    assert set(mos["question"]) == {"quality", "liking"}
    assert latex_table(export_of_two).count(r"\begin{table}") == 2


def test_plots_are_there_in_both_formats(files):
    plots = [name for name in files if name.startswith("plots/")]
    assert {name.rpartition(".")[2] for name in plots} == {"svg", "pdf"}
    assert {"plots/overall_mos.svg", "plots/overall_distribution.svg", "plots/overall_observers.pdf"} <= set(
        plots
    )
    assert np.all([len(files[name]) > 1000 for name in plots])
