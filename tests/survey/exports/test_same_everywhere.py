"""The same tables on the page, by the API, in every export and from `analyse` of the export."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.urls import reverse

from survey.access import tokens
from survey.exports.files import csv_files, study_files
from survey.exports.tables import csv_bytes, records
from survey.models import Exclusion, Rating, Trial
from survey.results.collect import collect, mos_tables
from tests.survey.exports.studies import TWO_QUESTIONS, nasty_picture, rated_study

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def study(admin_user):
    """Two questions, seven images, five participants of whom one is left out; some images rated again."""
    study = rated_study(TWO_QUESTIONS, people=5, extra=[nasty_picture()])
    study.owner = admin_user
    study.save()
    rng = np.random.default_rng(0)
    for trial in Trial.objects.filter(participant__study=study, position__lte=3):
        ratings = list(trial.ratings.all())
        trial.pk, trial.token, trial.position = None, f"again-{trial.pk}", trial.position + 100
        trial.save()
        for rating in ratings:
            value = int(rng.integers(1, 6))
            Rating.objects.create(trial=trial, question=rating.question, value=value, first_value=value)
    Exclusion.objects.create(participant=study.participants.order_by("pk")[0], reason="asleep")
    return study


def test_page_api_export_and_analyse_give_the_same_tables(study, admin_client, admin_user, tmp_path):
    export = collect(study)
    tables = export.analysis.tables()
    assert (tables["mos"]["n"] > tables["mos"]["participants"]).any()

    files = csv_files(export)
    (tmp_path / "ratings.csv").write_bytes(files["ratings.csv"])
    call_command("analyse", str(tmp_path / "ratings.csv"), "--output", str(tmp_path / "out"))
    for name, table in tables.items():
        assert files[f"{name}.csv"] == csv_bytes(table)
        assert (tmp_path / "out" / f"{name}.csv").read_bytes() == files[f"{name}.csv"], name

    secret = tokens.make(admin_user, "a notebook")
    answer = admin_client.get(
        reverse("api_results", args=["study"]), headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.content == study_files(study, "json")["results.json"]
    told = json.loads(answer.content)
    for name, table in tables.items():
        assert told[name] == records(table), name

    for key, part in export.analysis.questions.items():
        pd.testing.assert_frame_equal(mos_tables(study)[key], part.mos, check_exact=True)
        for name in ("mos", "comparisons", "observers"):
            page = admin_client.get(reverse("table", args=["study", name]), {"question": key}).content
            assert page == csv_bytes(getattr(part, name)), (key, name)
        shown = admin_client.get(reverse("results", args=["study"]), {"question": key}).content.decode()
        for row in part.mos.itertuples():
            assert f"<strong>{row.mos:.2f}</strong>" in shown
