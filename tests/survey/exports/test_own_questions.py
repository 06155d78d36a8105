"""Answers to a study's own questions are in the tables, and run nowhere as a formula."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
import python_calamine

from survey.exports.files import study_files
from survey.models import Study
from survey.session import answering, finishing, progress, starting
from survey.simulation.people import simulate
from tests.survey.factories import answers_of, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("unrendered")]

OWN = """
[[own_questions]]
key = "job"
when = "before"
text = "What is your job?"
[[own_questions]]
key = "arts"
text = "Which arts?"
answer = "several"
choices = ["Painting", "Music", "Dance"]
[[own_questions]]
key = "why"
about = "image"
text = "Why?"
"""
FORMULA = '=HYPERLINK("http://x")'


def answered(method: str = "acr") -> Study:
    """Return a study that one person with a formula for a job has finished."""
    study = make_study(f'method = "{method}"\n{OWN}')
    for job in (FORMULA, "Baker"):
        person = starting.start(study)
        finishing.tell_before(person, {"job": job})
        while trial := progress.next_trial(person):
            own = {"why": [f"{job} says"]} if trial.position == 1 else {}
            answering.rate(trial.token, answers_of(study), own=own)
        finishing.tell_about(person, {"arts": ["Painting", "Dance"]})
    return study


@pytest.mark.parametrize("method", ["acr", "pair"])
def test_they_are_columns_of_the_people_and_a_table_of_their_own(method):
    files = study_files(answered(method), "csv")
    people = pd.read_csv(io.BytesIO(files["participants.csv"]))
    assert list(people["about_job"]) == [f"'{FORMULA}", "Baker"]
    assert set(people["about_arts"]) == {"Painting; Dance"}
    own = pd.read_csv(io.BytesIO(files["own_answers.csv"]))
    assert list(own["answer"]) == [f"'{FORMULA} says", "Baker says"]
    assert list(own["question"]) == ["why", "why"]
    assert own["item"].notna().all()
    assert own["other"].notna().all() == (method == "pair")


@pytest.mark.slow
def test_every_other_format_that_has_people_has_them():
    study = answered()
    everything = study_files(study, "all")
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(everything["results.xlsx"]))
    rows = workbook.get_sheet_by_name("own_answers").to_python()
    assert [row[-1] for row in rows[1:]] == [f"{FORMULA} says", "Baker says"]
    assert json.loads(everything["results.json"])["own_answers"][1]["answer"] == "Baker says"
    assert "psych-ds/data/study-study_description-ownanswers_data.csv" in everything
    codebook = pd.read_csv(io.BytesIO(everything["codebook.csv"]))
    meaning = codebook.set_index(["table", "column"])["meaning"]
    assert "What is your job?" in meaning["participants", "about_job"]
    assert "Painting, Music, Dance" in meaning["participants", "about_arts"]
    assert "why: Why?" in meaning["own_answers", "answer"]


def test_a_study_that_asks_none_has_no_such_table():
    study = make_study()
    person = starting.start(study)
    while trial := progress.next_trial(person):
        answering.rate(trial.token, answers_of(study))
    assert "own_answers.csv" not in study_files(study, "csv")


def test_simulated_people_answer_them_all():
    study = make_study(OWN.replace('key = "why"\n', 'key = "why"\nrequired = true\nmax_length = 5\n'))
    simulate(study, participants=3, seed=1)
    assert set(study.participants.values_list("state", flat=True)) == {"finished"}
    files = study_files(study, "csv")
    own = pd.read_csv(io.BytesIO(files["own_answers.csv"]))
    assert len(own) == 3 * 6
    assert set(own["answer"]) == {"Simul"}
    people = pd.read_csv(io.BytesIO(files["participants.csv"]))
    assert np.isin(people["about_arts"], ["Painting", "Music", "Dance"]).all()
