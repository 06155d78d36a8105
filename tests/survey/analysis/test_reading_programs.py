"""Exports of programs for surveys and experiments, as they write them: read right, or refused with the reason."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from survey.analysis import Ratings, TableError, read_ratings
from survey.analysis.reading.options import parse_options

PEOPLE = ["Anna", "Ben", "Cleo", "Dora", "Emil"]
ITEMS = ["cat.png", "dog.png", "fox.png", "owl.png"]
VALUES = {(p, i): 1 + (3 * a + 2 * b + a * b) % 5 for a, p in enumerate(PEOPLE) for b, i in enumerate(ITEMS)}
LABELS = ["Bad", "Poor", "Fair", "Good", "Excellent"]
NUMBERS = {(str(PEOPLE.index(p) + 1), i): v for (p, i), v in VALUES.items()}
UNNAMED = {(f"participant {p}", i): v for (p, i), v in NUMBERS.items()}

Read = Callable[..., Ratings]
Rows = list[list[Any]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(content: str | Rows, written: str = "utf-8", **options: str) -> Ratings:
        path = tmp_path / "ratings.csv"
        if not isinstance(content, str):
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(content)
            content = out.getvalue()
        path.write_bytes(content.encode(written))
        return read_ratings(path, parse_options(**options))

    return read


def cells(ratings: Ratings) -> dict[tuple[str, ...], float]:
    keys = ["participant", "item", *(["question"] if "question" in ratings.table.columns else [])]
    assert not ratings.table.duplicated(keys).any()
    names = ratings.table[keys].astype(str).itertuples(index=False, name=None)
    return dict(zip(names, ratings.table["rating"], strict=True))


def forms(
    head: list[str], start: Callable[[int, str], list[Any]], value=int, tail: tuple[Any, ...] = ()
) -> Rows:
    """One row for each person: what ``start`` says of it, then its ratings."""
    rows = [[*start(n, p), *(value(VALUES[p, i]) for i in ITEMS), *tail] for n, p in enumerate(PEOPLE)]
    return [list[Any](head), *rows]


def trials(head: list[str], row: Callable[[str, str, int], list[Any]]) -> Rows:
    return [list[Any](head), *(row(p, i, v) for (p, i), v in VALUES.items())]


MONKEY = ["Respondent ID", "Collector ID", "Start Date", "First Name", "Custom Data 1"]
LIME = ["id", "submitdate", "lastpage", "startlanguage", "seed"]
FORMS: dict[str, tuple[Rows, dict[tuple[str, str], int], dict[str, str]]] = {
    "SurveyMonkey": (
        [
            [*MONKEY, "Rate the images", "", "", ""],
            ["", "", "", "", "", *ITEMS],
            *forms([], lambda n, p: [p, 7, "2024", "", ""], lambda v: LABELS[v - 1])[1:],
        ],
        VALUES,
        {},
    ),
    "SurveyMonkey, one answer": (
        [
            [*MONKEY, *ITEMS],
            ["", "", "", "", "", *["Response"] * 4],
            *forms([], lambda n, p: [p, 7, "2024", "", ""])[1:],
        ],
        VALUES,
        {},
    ),
    "LimeSurvey": (
        forms(
            [*LIME, *(f"Q1[{i}]" for i in ITEMS), "interviewtime", "Q1Time"],
            lambda n, p: [n + 1, "2024-01-01", 3, "en", 99],
            tail=(120.5, 4.0),
        ),
        NUMBERS,
        {},
    ),
    "LimeSurvey, answer codes": (
        forms(
            [*LIME, *(f"Q1[{i}]" for i in ITEMS)],
            lambda n, p: [n + 1, "2024-01-01", 3, "en", 99],
            lambda v: f"A{v}",
        ),
        NUMBERS,
        {"labels": "A1,A2,A3,A4,A5"},
    ),
    "Google Forms with a count among the questions": (
        forms(
            ["Timestamp", "Years of practice", *(f"Rate [{i}]" for i in ITEMS)],
            lambda n, p: ["2024/01/01 10:00:00", n + 1],
        ),
        UNNAMED,
        {},
    ),
    "Microsoft Forms": (
        forms(
            ["ID", "Start time", "Completion time", "Email", "Name", *ITEMS],
            lambda n, p: [n + 1, "1/1/24 10:00:00", "1/1/24 10:05:00", "anonymous", ""],
        ),
        NUMBERS,
        {},
    ),
    "SoSci Survey": (
        [
            ["CASE", "QUESTNNR", "STARTED", *ITEMS, "TIME001", "FINISHED"],
            [
                "Interview-Nummer",
                "Fragebogen",
                "Start",
                *(f"Bild: {i}" for i in ITEMS),
                "Verweildauer",
                "beendet",
            ],
            *forms([], lambda n, p: [n + 1, "base", "2024"], tail=(3, 1))[1:],
        ],
        NUMBERS,
        {},
    ),
    "REDCap": (
        forms(
            ["record_id", "redcap_event_name", *ITEMS, "form_complete"],
            lambda n, p: [n + 1, "arm_1"],
            tail=(2,),
        ),
        NUMBERS,
        {},
    ),
    "Typeform": (
        forms(["#", *ITEMS, "Submit Date (UTC)", "Network ID"], lambda n, p: [p], tail=("2024", "x")),
        VALUES,
        {},
    ),
    "PsychoPy": (
        trials(
            [
                "stimFile",
                "trials.thisN",
                "rating.response",
                "rating.rt",
                "participant",
                "session",
                "date",
                "",
            ],
            lambda p, i, v: [i, v % 2, v, 1.2, p, "001", "2024", ""],
        ),
        VALUES,
        {},
    ),
    "Gorilla": (
        [
            row
            for line in trials(
                ["Event Index", "Participant Private ID", "Zone Type", "Reaction Time", "Response", "image"],
                lambda p, i, v: [1, p, "rating_scale", 900, v, i],
            )
            for row in (
                [line]
                if line[1] == "Participant Private ID"
                else [line, [2, line[1], "button", 1, "", line[5]]]
            )
        ],
        VALUES,
        {},
    ),
    "Mechanical Turk": (
        trials(["HITId", "WorkerId", "Input.image_url", "Answer.rating"], lambda p, i, v: ["H", p, i, v]),
        VALUES,
        {},
    ),
    "Mechanical Turk, radio buttons": (
        trials(
            ["HITId", "WorkerId", "Input.image_url", *(f"Answer.rating.{n}" for n in range(1, 6))],
            lambda p, i, v: ["H", p, i, *(str(n == v).lower() for n in range(1, 6))],
        ),
        VALUES,
        {},
    ),
    "jsPsych, answers as JSON": (
        trials(["rt", "stimulus", "response", "subject"], lambda p, i, v: [9, i, json.dumps({"Q0": v}), p]),
        VALUES,
        {},
    ),
    "melted by pandas": (trials(["image", "variable", "value"], lambda p, i, v: [i, p, v]), VALUES, {}),
    "made longer by tidyr": (trials(["participant", "name", "value"], lambda p, i, v: [p, i, v]), VALUES, {}),
    "lists in cells": (
        [
            ["image", "ratings", "participant_ids"],
            *([i, [float(VALUES[p, i]) for p in PEOPLE], PEOPLE] for i in ITEMS),
        ],
        VALUES,
        {},
    ),
}


@pytest.mark.parametrize("program", FORMS)
def test_an_export_of_a_program_is_read(read, program):
    rows, expected, options = FORMS[program]
    assert cells(read(rows, **options)) == expected


def test_a_list_of_trials_on_each_line_is_read(read):
    lines = [
        json.dumps([{"stimulus": i, "response": VALUES[p, i], "subject": p} for i in ITEMS]) for p in PEOPLE
    ]
    assert cells(read("\n".join(lines))) == VALUES


def test_several_answers_in_a_cell_are_questions(read):
    rows = trials(
        ["stimulus", "response", "subject"],
        lambda p, i, v: [i, json.dumps({"quality": v, "appeal": 6 - v}), p],
    )
    found = cells(read(rows))
    assert found["Anna", "dog.png", "quality"] == VALUES["Anna", "dog.png"]
    assert found["Anna", "dog.png", "appeal"] == 6 - VALUES["Anna", "dog.png"]


def test_a_data_set_in_python_is_read_and_not_run(read, tmp_path):
    videos = [
        {"asset_id": n, "content_id": 0, "os": [VALUES[p, i] for p in PEOPLE]} for n, i in enumerate(ITEMS)
    ]
    text = "folder = 'videos'\nref_videos = [{'content_id': 0, 'content_name': 'a'}]\ndis_videos = [\n"
    text += "".join(
        f" {json.dumps(v)[:-1]}, 'path': folder + '/{i}'}},\n" for v, i in zip(videos, ITEMS, strict=True)
    )
    text += f"]\nopen({str(tmp_path / 'run')!r}, 'w')\n"
    found = cells(read(text))
    assert found["participant 2", "videos/dog.png"] == VALUES["Ben", "dog.png"]
    assert len(found) == 20
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "body",
    ["<table>{}</table>", "<html><body><p>A<table><tr><td>x</td></tr></table><table>{}</table></html>"],
)
def test_a_table_of_an_html_page_is_read(read, body):
    rows: Rows = [["participant", "item", "rating"], *([p, i, v] for (p, i), v in VALUES.items())]
    text = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    assert cells(read(body.format(text))) == VALUES


@pytest.mark.parametrize(("text", "reason"), [("<!doctype html><html><p>Not found</p></html>", "an HTML page without a table"), ("\\begin{tabular}{ll}\na & b \\\\\n\\end{tabular}", "a LaTeX table")])  # fmt: skip
def test_what_is_no_table_is_named(read, text, reason):
    with pytest.raises(TableError, match=reason):
        read(text)


@pytest.mark.parametrize("rule", ["| --- | :---: | ---: |", "|:--|---|--:|"])
def test_a_table_in_markdown_is_read(read, rule):
    lines = [f"| {p} | {i} | {v} |" for (p, i), v in VALUES.items()]
    text = "\n".join(["# Results", "", "| participant | item | rating |", rule, *lines, ""])
    assert cells(read(text)) == VALUES


@pytest.mark.parametrize("header", ["Judge,Wine,Score", "consumer,product,hedonic", "rater,method,score", "name,image,rating", "Teilnehmer,Datei,Note", "участник,изображение,оценка", "被験者,画像,評価", "partecipante,immagine,voto", "IDListener,wav_file,mos", "Subject ID,Image Name,Rating (1-5)"])  # fmt: skip
def test_the_one_column_that_is_left_has_the_role_that_is_left(read, header):
    ratings = read([header.split(","), *([p, i, v] for (p, i), v in VALUES.items())])
    assert cells(ratings) == VALUES
    assert {"columns", "guessed_columns"} & set(ratings.notes)


@pytest.mark.parametrize(
    "header", ["foo,bar,rating", "participant,item,foo,bar", "participant,temp,bottle,rating"]
)
def test_no_role_is_guessed_where_two_columns_could_have_it(read, header):
    with pytest.raises(TableError, match="no column"):
        read(
            [header.split(","), *([p, i, v, 6 - v][: header.count(",") + 1] for (p, i), v in VALUES.items())]
        )


def test_a_long_table_without_item_or_rating_is_not_taken_for_a_wide_one(read):
    # The shape of lmerTest's ham: a product's code, the rating and a treatment, all small whole numbers.
    rows = [[p, n % 4 + 1, 1 + (n + a) % 5, n // 4 + 1] for a, p in enumerate(PEOPLE) for n in range(8)]
    with pytest.raises(TableError, match=r"no column 'rating'.*rating=Informed\.liking\+Information"):
        read([["Consumer", "Product", "Informed.liking", "Information"], *rows])


def test_columns_that_say_the_same_are_no_rivals(read):
    rows = trials(["user_ID", "video_ID", "video_name", "rating"], lambda p, i, v: [p, ITEMS.index(i), i, v])
    ratings = read(rows)
    assert cells(ratings) == VALUES
    assert "'video_name' names them" in ratings.notes["item_columns"]


@pytest.mark.parametrize("name", ["scale", "metric", "prompt", "Skala"])
def test_a_column_that_tells_the_ratings_of_an_item_apart_is_the_question(read, name):
    rows = trials(["participant", "item", "rating", name], lambda p, i, v: [p, i, v, "quality"])
    rows += [[p, i, 6 - v, "annoyance"] for (p, i), v in VALUES.items()]
    found = cells(read(rows))
    assert found["Ben", "fox.png", "annoyance"] == 6 - VALUES["Ben", "fox.png"]


def test_a_matrix_of_r_has_its_names_in_the_first_row_and_column(read):
    text = '"","1","2","3","4"\n"1",4,5,1,5\n"2",2,2,3,4\n"3",1,1,1,2\n'
    found = cells(read(text, wide="items"))
    assert len(found) == 12
    assert found["4", "1"] == 5
    with pytest.raises(TableError, match="--wide items"):
        read(text)


def test_a_matrix_whose_first_column_counts_its_rows_is_refused(read):
    with pytest.raises(TableError, match="first column counts the rows"):
        read("1,4,5\n2,3,3\n3,1,1\n")
    assert len(read("1,4,5\n2,3,3\n3,1,1\n", header="none", wide="items", columns="item=1").table) == 6


def test_a_questionnaire_is_no_table_of_counts(read):
    head = ["person", *(f"{letter}{n}" for letter in "ANO" for n in range(1, 6))]
    rows = [head, *([p, *([1 + (a + n) % 5 for n in range(15)])] for a, p in enumerate(PEOPLE))]
    assert len(read(rows).table) == 75


@pytest.mark.parametrize("name", ["Max", "M", "Min", "N"])
def test_a_person_may_be_called_like_a_statistic(read, name):
    rows = [[name if p == "Ben" else p, i, v] for (p, i), v in VALUES.items()]
    found = cells(read([["participant", "item", "rating"], *rows]))
    assert found[name, "dog.png"] == VALUES["Ben", "dog.png"]
    with pytest.raises(TableError, match="rating 9"):
        read([["participant", "item", "rating"], *rows, [name, "new.png", 9]])


@pytest.mark.parametrize("name", ["Mean", "", "Średnia", "Ø"])
def test_a_row_of_means_is_left_out_whatever_it_is_called(read, name):
    rows: Rows = [[i, *(VALUES[p, i] for p in PEOPLE)] for i in ITEMS]
    means = [f"{sum(row[k] for row in rows) / 4:.2f}" for k in range(1, 6)]
    ratings = read([["item", *PEOPLE], *rows, [name, *means]])
    assert cells(ratings) == VALUES
    assert "sums up the others" in ratings.notes["summary_item"]


@pytest.mark.parametrize("name", ["Mean", "x\u0304"])
def test_whole_means_of_few_items_are_no_persons_ratings(read, name):
    ratings = read(f"rater,a,b,c\nr1,1,2,3\nr2,3,4,5\n{name},2,3,4\n")
    assert ratings.table["participant"].nunique() == 2
    assert "row 4 left out" in ratings.notes["summary_participant"]


def test_a_person_called_mean_who_rates_like_anybody_is_kept_with_a_note(read):
    ratings = read("rater,a,b,c\nr1,1,2,3\nr2,3,4,5\nMean,5,1,1\n")
    assert ratings.table["participant"].nunique() == 3
    assert "kept as a participant" in ratings.notes["kept_participant"]


def test_a_json_object_with_one_value_is_that_value(tmp_path):
    path = tmp_path / "ratings.json"
    rows = [
        {"image": i, "annotator": p, "rating": {"rating": v}, "more": {"a": 1, "b": [2]}}
        for (p, i), v in VALUES.items()
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert cells(read_ratings(path)) == VALUES


def test_names_with_a_number_are_no_labels(read):
    with pytest.raises(TableError, match="rating 'img_1'"):
        read("participant,item,rating\na,x,img_1\na,y,img_2\n")
    with pytest.raises(TableError, match="to another label"):
        read("participant,item,rating\na,x,2 cats\na,y,2 dogs\n")


def test_asterisks_among_numbers_are_no_stars(read):
    with pytest.raises(TableError, match="asterisks among numbers"):
        read("participant,item,rating\na,x,3\na,y,**\n")
    assert len(read("participant,item,rating\na,x,3\na,y,**\n", missing="**").table) == 1


def test_columns_whose_names_hold_a_plus_or_a_comma_are_named(read):
    text = 'participant,item,a+b,"c,d"\nx,i,1,2\ny,i,3,4\n'
    assert read(text, columns='rating="a+b+c,d"').table["question"].tolist() == ["a+b", "c,d"] * 2
    assert read(text, columns='"rating=c,d"').table["rating"].tolist() == [2, 4]


def test_the_words_of_questions_are_named_by_an_option(read):
    rows = [
        ["participant", "cat_mood", "cat_glow", "dog_mood", "dog_glow"],
        ["a", 1, 2, 3, 4],
        ["b", 5, 4, 3, 2],
    ]
    found = cells(read(rows, columns="question=mood+glow"))
    assert found["b", "cat", "glow"] == 4
    with pytest.raises(TableError, match="no column 'moon'"):
        read(rows, columns="question=moon")


def test_a_missing_code_is_shown_as_the_shell_takes_it(read):
    with pytest.raises(TableError, match="--missing='not sure'"):
        read("participant,item,rating\na,x,not sure\na,y,3\n")


def test_a_property_of_the_items_is_no_participant_by_its_name(read):
    lines = [
        ["item", "layer", *PEOPLE],
        *([i, 1 + n % 3, *(VALUES[p, i] for p in PEOPLE)] for n, i in enumerate(ITEMS)),
    ]
    ratings = read(lines)
    assert cells(ratings) == VALUES
    assert "layer" in ratings.table.columns
    assert "layer" in ratings.notes["not_ratings_by_name"]


def test_a_column_of_another_scale_is_not_passed_over(read):
    """Its participant wrote -1 for most of what he did not rate."""
    rows: Rows = [["item", *PEOPLE], *([i, *(VALUES[p, i] for p in PEOPLE)] for i in ITEMS)]
    for row in rows[2:]:
        row[3] = -1
    said = r"row 3, column 'Cleo': rating -1 .*--missing=-1.*; if column 'Cleo' holds no ratings, .*--columns rating=A\+B"
    with pytest.raises(TableError, match=said):
        read(rows)
    assert len(read(rows, missing="-1").table) == len(VALUES) - 3


def test_a_number_of_another_kind_is_passed_over_with_a_note(read):
    """Children are counted from 0."""
    rows = forms(["Timestamp", *ITEMS, "Children"], lambda n, p: ["d"], tail=(0,))
    rows[1][-1] = 2
    ratings = read(rows, wide="participants")
    assert set(ratings.table["item"].astype(str)) == set(ITEMS)
    assert "Children" in ratings.notes["unused_columns"]


def test_a_question_unlike_the_others_is_noted(read):
    heads = [f"How good is {i}?" for i in ITEMS]
    rows = [
        ["Timestamp", *heads, "How often do you paint?"],
        *([n, *(VALUES[p, i] for i in ITEMS), 3] for n, p in enumerate(PEOPLE)),
    ]
    ratings = read(rows)
    assert "How often do you paint?" in ratings.notes["unlike"]
    assert "--columns rating=A+B" in ratings.notes["unlike"]


@pytest.mark.parametrize("head", ["item_question", "question_text", "Rated dimension"])
def test_a_column_that_is_called_a_question_tells_questions_apart(read, head):
    rows = [["participant", head, "item", "rating"]]
    rows += [[p, q, i, v if q == "good" else 6 - v] for (p, i), v in VALUES.items() for q in ("good", "bad")]
    ratings = read(rows)
    assert cells(ratings) == {
        (p, i, q): v if q == "good" else 6 - v for (p, i), v in VALUES.items() for q in ("good", "bad")
    }


def test_several_items_of_one_page_are_rows_of_their_own(read):
    rows: Rows = [["WorkerId", "Input.image1", "Input.image2", "Answer.rating1", "Answer.rating2"]]
    rows += [
        [p, *ITEMS[n : n + 2], VALUES[p, ITEMS[n]], VALUES[p, ITEMS[n + 1]]] for p in PEOPLE for n in (0, 2)
    ]
    assert cells(read(rows)) == VALUES


def test_trial_runs_of_a_survey_are_left_out_and_doubtful_rows_noted(read):
    head = ["Status", "Finished", "RecordedDate", "ResponseId", *(f"Q{n}" for n, _ in enumerate(ITEMS))]
    rows = forms(head, lambda n, p: ["IP Address", str(n > 0), "d", p])
    rows.append(["Survey Preview", "True", "d", "me", 5, 5, 5, 5])
    ratings = read(rows)
    assert ratings.table["participant"].nunique() == len(PEOPLE)
    assert "1 row of trial runs or spam left out" in ratings.notes["trial_runs"]
    assert "1 row is marked as not finished" in ratings.notes["marked_finished"]


def test_gorilla_names_the_item_in_its_spreadsheet(read):
    head = ["Participant Private ID", "Zone Type", "Reaction Time", "Response", "Spreadsheet: image"]
    rows = trials(head, lambda p, i, v: [p, "response_rating", 1234.5, v, i])
    ratings = read(rows)
    assert cells(ratings) == VALUES
    assert set(ratings.table["rt_ms"]) == {1234.5}


def test_a_rating_program_registers_people_and_asks_by_check_boxes(read):
    """AVrateNG writes both beside the ratings, the former with item -1, the latter as 0 and 1."""
    rows: Rows = [["user_ID", "stimuli_ID", "stimuli_file", "rating_type", "rating"]]
    for p in PEOPLE:
        rows.append([p, -1, "", "user_registered", -1])
        for n, i in enumerate(ITEMS):
            rows += [
                [p, n, i, "quality", VALUES[p, i]],
                [p, n, i, "zoomed", int(p == "Ben")],
                [p, n, i, "width", 1920],
            ]
    ratings = read(rows)
    assert {key[:2]: value for key, value in cells(ratings).items()} == VALUES
    assert all(name in ratings.notes["other_answers"] for name in ("user_registered", "width", "zoomed"))


def annotation(person: Any, *results: dict[str, Any], cancelled: bool = False) -> dict[str, Any]:
    return {"completed_by": person, "result": list(results), "was_cancelled": cancelled}


def test_tasks_of_label_studio_are_read(tmp_path):
    def result(name: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"from_name": name, "to_name": "img", "value": value}

    tasks = [
        {
            "id": n,
            "data": {"note": "x", "image": i},
            "annotations": [
                annotation(
                    {"id": 7, "email": p},
                    result("quality", {"choices": [LABELS[VALUES[p, i] - 1]]}),
                    result("appeal", {"rating": 6 - VALUES[p, i]}),
                    result("remark", {"text": ["nice"]}),
                )
                for p in PEOPLE
            ]
            + [annotation(9, result("appeal", {"rating": 1}), cancelled=True)],
        }
        for n, i in enumerate(ITEMS)
    ]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    ratings = read_ratings(path)
    assert cells(ratings) == {
        (p, i, q): v if q == "quality" else 6 - v
        for (p, i), v in VALUES.items()
        for q in ("quality", "appeal")
    }
    assert "4 annotations" in ratings.notes["skipped_annotations"]
    assert "20 results" in ratings.notes["other_results"]


def test_records_may_hold_the_ratings_of_a_participant(tmp_path):
    path = tmp_path / "all.json"
    nested = [
        {"participant": p, "ratings": [{"item": i, "rating": VALUES[p, i]} for i in ITEMS]} for p in PEOPLE
    ]
    path.write_text(json.dumps({"responses": nested}))
    assert cells(read_ratings(path)) == VALUES
    path.write_text(json.dumps({p: {i: VALUES[p, i] for i in ITEMS} for p in PEOPLE}))
    assert cells(read_ratings(path)) == VALUES


def test_ratings_in_words_of_a_wide_file_lead_to_labels(read):
    rows = forms(["Response ID", *(f"How? [{i}]" for i in ITEMS)], lambda n, p: [p], lambda v: f"A{v}")
    with pytest.raises(TableError, match=r"their labels \(A1, A2, A3, A4, A5\) by --labels"):
        read(rows)
    assert cells(read(rows, labels="A1,A2,A3,A4,A5")) == VALUES


def of_person(person: str, named: bool = True) -> str:
    head, who = ("participant,item,rating", f"{person},") if named else ("item,rating", "")
    return "\n".join([head, *(f"{who}{i},{VALUES[person, i]}" for i in ITEMS)]) + "\n"


@pytest.mark.parametrize("named", [True, False])
def test_a_folder_of_one_file_for_each_participant_is_joined(tmp_path, named):
    """PsychoPy writes such folders; without a column the file's name is the participant's."""
    for person in PEOPLE:
        (tmp_path / f"{person}.csv").write_text(of_person(person, named))
    (tmp_path / "notes.csv").write_text("a,b\nsome,text\n")
    ratings = read_ratings(tmp_path)
    assert cells(ratings) == VALUES
    assert "5 files, one for each participant" in ratings.notes["people"]
    assert "notes.csv" in ratings.notes["files"]


def test_files_of_different_studies_are_not_joined(tmp_path):
    (tmp_path / "a.csv").write_text(of_person("Anna") + of_person("Ben").partition("\n")[2])
    (tmp_path / "b.csv").write_text(of_person("Cleo"))
    with pytest.raises(TableError, match="several files of ratings"):
        read_ratings(tmp_path)


@pytest.mark.parametrize("named", [True, False])
def test_a_workbook_of_one_sheet_for_each_participant_is_joined(tmp_path, named):
    path = tmp_path / "all.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for person in PEOPLE:
            sheet = book.add_worksheet(person)
            for row, line in enumerate(of_person(person, named).splitlines()):
                sheet.write_row(row, 0, line.split(","), None)
    ratings = read_ratings(path)
    assert cells(ratings) == VALUES
    assert "5 sheets, one for each participant" in ratings.notes["people"]


@pytest.mark.parametrize("ending", ["xls", "xlsb"])
def test_old_and_binary_workbooks_are_read(ending):
    """The files were written by xlwt and pyxlsbwriter."""
    ratings = read_ratings(Path(__file__).parent / "workbooks" / f"ratings.{ending}")
    wanted = {("Ann", "cat.png"): 4, ("Ann", "dog.png"): 2, ("Ben", "cat.png"): 5, ("Ben", "dog.png"): 1}
    assert cells(ratings) == wanted


def test_a_value_far_from_the_table_is_refused_before_it_takes_all_memory(tmp_path):
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row("A1", ["person", "item", "rating"])
        sheet.write("XFD1", 1)
        sheet.write("C1048576", 1)
    with pytest.raises(TableError, match=r"a sheet holds values as far as column XFD and row 1048576: clear"):
        read_ratings(path)


def test_formats_far_from_the_table_are_no_values(tmp_path):
    path = tmp_path / "formats.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for row, line in enumerate([["person", "item", "rating"], *([p, i, 3] for p in "ab" for i in "xy")]):
            sheet.write_row(row, 0, line)
        sheet.write_blank("XFD1048576", None, book.add_format({"bold": True}))
    assert len(read_ratings(path).table) == 4


def test_tasks_without_an_answer_are_no_ratings(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([{"id": 1, "data": {"image": "x"}, "annotations": []}]))
    with pytest.raises(TableError, match=r"tasks\.json: no ratings"):
        read_ratings(path)
