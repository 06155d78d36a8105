"""Covariates in the files, in the report and on the page."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.urls import reverse

from survey.analysis import analyse
from survey.exports.codebook import codebook
from survey.exports.methods import methods_text
from survey.results.collect import collect
from tests.survey.analysis.covariates.measured import measured
from tests.survey.exports.studies import rated_study, without_rendering


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("covariates")
    measured().to_csv(folder / "ratings.csv", index=False)
    with without_rendering():
        call_command("analyse", str(folder / "ratings.csv"), "--output", str(folder / "out"))
    return folder / "out"


def test_analyse_writes_covariates_and_tells_them_in_the_summary(out):
    table = pd.read_csv(out / "covariates.csv").set_index("covariate")
    assert list(table.index) == ["ssim", "noise"]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["covariates"]["ssim"]["plcc"] == pytest.approx(table.loc["ssim", "plcc"])
    assert summary["covariates_finding"].startswith(
        "Items with higher similarity to the content (SSIM) were rated higher"
    )


def test_the_report_opens_the_covariates_with_one_sentence(out):
    section = (out / "report.html").read_text().partition("<h3>What was measured on the images</h3>")[2]
    assert section.lstrip().startswith(
        "<p>Items with higher similarity to the content (SSIM) were rated higher"
    )
    assert "Scores over the covariates" in section


@pytest.mark.slow
def test_each_question_has_its_covariates():
    one = measured()
    both = pd.concat([one.assign(question="a"), one.assign(question="b", rating=6 - one["rating"])])
    found = analyse(both)
    assert found.covariates is not None
    assert list(found.covariates.columns[:2]) == ["question", "covariate"]
    assert found.whole_summary["questions"]["b"]["covariates"]["ssim"]["plcc"] < 0


def test_a_table_without_covariates_has_none():
    found = analyse(measured()[["participant", "item", "rating"]])
    assert "covariates" not in found.tables()
    assert "covariates" not in found.whole_summary


@pytest.fixture
def study(admin_user):
    study = rated_study(people=6)
    study.owner = admin_user
    study.save()
    rng = np.random.default_rng(1)
    for stimulus in study.stimuli.all():
        stimulus.covariates = {"ssim": float(rng.random()), "colourfulness": float(rng.random())}
        stimulus.save(update_fields=["covariates"])
    return study


@pytest.mark.slow
@pytest.mark.django_db
def test_the_page_codebook_and_methods_of_a_study_tell_its_covariates(study, admin_client):
    export = collect(study)
    links = next(iter(export.analysis.questions.values())).covariate_links.result
    assert links is not None
    page = admin_client.get(reverse("results_covariates", args=[study.slug])).content.decode()
    assert f'<p class="answer">{links.finding}</p>' in page
    assert "tables/covariates.csv" in page
    assert 'id="plot-covariates"' in page
    described = codebook(export)
    described = described[described["table"] == "covariates"]
    assert set(described["column"]) == set(links.table.columns)
    assert described["meaning"].str.len().gt(0).all()
    assert "ITU-T P.1401" in methods_text(export)
    plot = admin_client.get(reverse("plot", args=[study.slug, "covariates", "svg"]))
    assert plot.status_code == 200


@pytest.mark.slow
@pytest.mark.django_db
def test_a_page_does_not_wait_for_large_models_of_covariates(study, admin_client, monkeypatch):
    monkeypatch.setattr("survey.analysis.covariates.links.MAX_WORK_ON_A_PAGE", 0)
    page = admin_client.get(reverse("results_covariates", args=[study.slug])).content.decode()
    assert "take longer to compute than a page waits for" in page
    assert 'id="plot-covariates"' in page


@pytest.mark.django_db
def test_a_study_without_covariates_has_no_such_view(admin_user, admin_client):
    study = rated_study(people=2, slug="plain")
    study.owner = admin_user
    study.save()
    study.stimuli.update(factors={})
    page = admin_client.get(reverse("results", args=[study.slug])).content.decode()
    assert "results/covariates/" not in page
    alone = admin_client.get(reverse("results_covariates", args=[study.slug])).content.decode()
    assert "Nothing was measured on these images." in alone
