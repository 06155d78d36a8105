"""Effects of factors in the files, in the report and on the page."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from django.core.management import call_command
from django.urls import reverse

from survey.analysis import analyse
from survey.exports.codebook import codebook
from survey.exports.files import FORMATS
from survey.exports.methods import methods_text
from survey.results.collect import collect
from tests.survey.analysis.effects.grids import grid
from tests.survey.exports.studies import rated_study, without_rendering


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("effects")
    grid().to_csv(folder / "ratings.csv", index=False)
    with without_rendering():
        call_command("analyse", str(folder / "ratings.csv"), "--output", str(folder / "out"))
    return folder / "out"


def test_analyse_writes_effects_and_tells_them_in_the_summary(out):
    table = pd.read_csv(out / "effects.csv")
    tests = table[table["kind"] == "test"].set_index("effect")
    assert list(tests.index) == ["style", "layer", "style × layer"]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["effects"]["layer"]["p"] == pytest.approx(tests.loc["layer", "p"])
    assert summary["effects_finding"].startswith("No effect of style or layer")
    assert summary["effects_not_tested"] == {}


def test_the_report_opens_the_factors_with_one_sentence(out):
    section = (out / "report.html").read_text().partition("<h3>What the factors do</h3>")[2]
    assert section.lstrip().startswith("<p>No effect of style or layer, alone or together, could be shown")
    assert "Effects of the factors" in section


@pytest.mark.slow
def test_each_question_has_its_effects():
    one = grid()
    both = pd.concat([one.assign(question="a"), one.assign(question="b", rating=6 - one["rating"])])
    found = analyse(both)
    assert found.effects is not None
    assert list(found.effects.columns[:2]) == ["question", "effect"]
    assert set(found.whole_summary["questions"]["b"]["effects"]) == {"style", "layer", "style × layer"}


def test_a_table_without_factors_has_no_effects():
    found = analyse(grid()[["participant", "item", "rating"]])
    assert "effects" not in found.tables()
    assert "effects" not in found.whole_summary


@pytest.fixture
def study(admin_user):
    study = rated_study(people=5)
    study.owner = admin_user
    study.save()
    return study


@pytest.mark.slow
@pytest.mark.django_db
def test_the_page_codebook_and_methods_of_a_study_tell_its_effects(study, admin_client):
    export = collect(study)
    found = next(iter(export.analysis.questions.values())).factor_effects.result
    assert found is not None
    page = admin_client.get(reverse("results_conditions", args=[study.slug])).content.decode()
    assert f'<p class="answer">{found.finding}</p>' in page.replace("&#x27;", "'")
    assert "tables/effects.csv" in page
    described = codebook(export)
    assert set(described[described["table"] == "effects"]["column"]) == set(found.table.columns)
    assert ("REML" in methods_text(export)) == found.of_kind("test")["p"].notna().any()


@pytest.mark.slow
@pytest.mark.django_db
def test_latex_has_the_effects_and_means_of_factors_and_names_what_was_not_tested(study):
    few = collect(study)
    text = FORMATS["tex"](few)["mos.tex"].decode()
    untested = few.analysis.questions["overall"].factor_effects.result
    assert untested is not None
    assert "condition" in untested.untested
    assert text.count("was not tested: ") == len(untested.left_out)
    assert "condition was not tested" not in text
    many = collect(rated_study(slug="many", people=16))
    found = many.analysis.questions["overall"].factor_effects.result
    assert found is not None
    tables = FORMATS["tex"](many)["mos.tex"].decode()
    tested = found.of_kind("test")["p"].notna().any()
    assert tables.count(r"\begin{table}") == (3 if tested else 1)
    assert ("Satterthwaite" in tables) == tested


@pytest.mark.slow
@pytest.mark.django_db
def test_a_page_does_not_wait_for_a_large_model(study, admin_client, monkeypatch):
    monkeypatch.setattr("survey.analysis.effects.effects.MAX_WORK_ON_A_PAGE", 0)
    page = admin_client.get(reverse("results_conditions", args=[study.slug])).content.decode()
    assert "longer to compute than a page waits for" in page
    assert 'id="plot-effects"' not in page
