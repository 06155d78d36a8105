"""Groups of participants in the results: the page, the downloads, the methods text, simulated people."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from django.urls import reverse

from survey.exports.files import all_files
from survey.results.collect import collect
from tests.survey.exports.studies import simulated_study

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

GROUPS = '[[groups]]\nkey = "plain"\n[[groups]]\nkey = "told"\ninstructions = "A network made these."\n'


@pytest.fixture
def study(admin_user):
    made = simulated_study(GROUPS, people=12, seed=1)
    made.owner = admin_user
    made.save(update_fields=["owner"])
    return made


def test_simulated_people_fill_the_groups(study):
    assert study.participants.filter(group="told").count() == 6


def test_results_compare_the_groups_first_in_a_sentence(study, admin_client):
    page = admin_client.get(reverse("results_groups", args=[study.slug])).content.decode()
    assert "6 people of “told”" in page
    assert "0 % of the 6 in “plain” and 0 % of the 6 in “told” did not finish" in page
    assert "told − plain" in page
    assert "tables/groups.csv" in page
    assert "results/groups/" in admin_client.get(reverse("results", args=[study.slug])).content.decode()
    table = admin_client.get(reverse("table", args=[study.slug, "groups"]))
    assert table.status_code == 200


@pytest.mark.usefixtures("unrendered")
def test_downloads_have_the_group_of_each_rating_and_person_and_the_comparison(study):
    files = all_files(collect(study))
    ratings, people, groups, sessions, codebook = (
        pd.read_csv(io.BytesIO(files[f"{name}.csv"]))
        for name in ("ratings", "participants", "groups", "group_sessions", "codebook")
    )
    of = people.set_index("participant")["group"]
    assert (ratings["group"] == ratings["participant"].map(of)).all()
    assert set(groups["kind"]) >= {"mean", "difference", "model", "item", "variance"}
    assert sessions["finished"].tolist() == [6, 6]
    for name in ("groups", "group_sessions"):
        described = codebook[codebook["table"] == name]
        assert described["meaning"].str.len().min() > 5
    methods = files["methods.txt"].decode()
    assert "assigned to 2 groups (plain, told)" in methods
    assert "Welch's t test on participants' means" in methods
    assert "How the groups of participants differ" in files["report.html"].decode()


def test_a_page_does_not_wait_for_a_large_model_of_groups(study, admin_client, monkeypatch):
    monkeypatch.setattr("survey.analysis.groups.compare.MAX_WORK_ON_A_PAGE", 0)
    page = admin_client.get(reverse("results_groups", args=[study.slug])).content.decode()
    assert "takes longer to compute than a page waits for" in page
    assert "6 people of “told”" in page


def test_a_study_without_groups_has_no_such_view(admin_user, admin_client):
    made = simulated_study(slug="alone", people=3, seed=1)
    made.owner = admin_user
    made.save(update_fields=["owner"])
    export = collect(made)
    assert "group_sessions" not in export.people_tables
    assert "results/groups/" not in admin_client.get(reverse("results", args=["alone"])).content.decode()
    page = admin_client.get(reverse("results_groups", args=["alone"])).content.decode()
    assert "no groups of participants" in page
