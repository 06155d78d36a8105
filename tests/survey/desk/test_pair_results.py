"""A pair study's results: choices, not ratings, on the page and in every file."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from survey.exports import background
from survey.exports.files import FORMATS, formats_of
from survey.exports.pair_words import pair_codebook, pair_methods_text
from survey.exports.pairs import collect_pairs
from survey.models import Preference, Study
from survey.study import stored
from survey.study.decisions import exclude
from tests.survey.exports.studies import TWO_QUESTIONS, simulated_study
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(owner) -> Study:
    study = simulated_study(
        f'method = "pair"\n{TWO_QUESTIONS}', people=12, seed=2, conditions=("mid", "strong", "weak")
    )
    study.owner = owner
    study.save()
    return study


def test_the_page_shows_scores_plots_and_thumbnails_of_the_question_asked_for(desk, study):
    html = desk.get(reverse("results", args=[study.slug]), {"question": "liking"}).content.decode()
    scores = collect_pairs(study).analysis.questions["liking"].scores
    names = dict(study.stimuli.values_list("item", "name"))
    for row in scores.to_dict("records"):
        assert f'src="images/{names[row["item"]]}.webp"' in html
        assert f"<strong>{row['score']:.2f}</strong>" in html
    for plot in ("scores", "conditions", "preferences"):
        assert f'src="plots/{plot}.svg?question=liking' in html
    assert "Mean Opinion Score" not in html


def test_the_page_of_a_large_study_shows_what_was_made_in_the_background(desk, study, monkeypatch):
    monkeypatch.setattr(stored, "MAX_RATINGS", 10)
    monkeypatch.setattr(stored, "MAX_IN_FILES", 10)
    here = reverse("results", args=[study.slug])
    assert "waits to be made" in desk.get(here).content.decode()
    assert "waits to be made" in desk.get(here + "download/csv").content.decode()
    background.work()
    whole = collect_pairs(study).analysis.questions["liking"].scores
    monkeypatch.setattr("survey.results.tidy_table._answers", None)
    html = desk.get(here, {"question": "liking"}).content.decode()
    for value in whole["score"]:
        assert f"<strong>{value:.2f}</strong>" in html
    choices = Preference.objects.filter(trial__phase="main").count()
    assert f"{choices} choices: the scores alone" in html
    table = desk.get(here + "tables/scores.csv", {"question": "liking"}).content.decode()
    assert [float(row["score"]) for row in csv.DictReader(io.StringIO(table))] == whole["score"].tolist()
    assert desk.get(here + "tables/pairs.csv").status_code == 404
    assert desk.get(here + "plots/scores.svg").status_code == 404
    assert "Made at" in desk.get(reverse("live", args=[study.slug])).content.decode()
    assert desk.get(reverse("participants", args=[study.slug])).status_code == 200


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_every_address_on_the_page_answers(desk, study):
    here = reverse("results", args=[study.slug])
    for address in ("plots/preferences.svg", "plots/scores.csv", "tables/pairs.csv", "tables/scores.csv"):
        assert desk.get(here + address).status_code == 200
    for name in formats_of(study):
        assert desk.get(f"{here}download/{name}").status_code == 200
    for address in ("plots/mos.svg", "tables/mos.csv", "download/sureal"):
        assert desk.get(here + address).status_code == 404


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_everything_holds_choices_and_scores_and_no_mos(desk, study):
    response = desk.get(reverse("download", args=[study.slug, "all"]))
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = archive.namelist()
        choices = list(csv.DictReader(io.TextIOWrapper(archive.open("choices.csv"))))
    assert {"scores.csv", "pairs.csv", "conditions.csv", "plots/liking_scores.svg", "SHA256SUMS"} <= {*names}
    assert not [name for name in names if "mos" in name]
    assert len(choices) == Preference.objects.count()
    assert {row["answer"] for row in choices} == {"first", "second", "tie"}


def test_a_format_of_ratings_is_refused_with_those_that_fit(tmp_path, study):
    for name in sorted({*FORMATS} - {*formats_of(study)}):
        with pytest.raises(CommandError, match="there are csv, xlsx, json, parquet, all") as caught:
            call_command("export_study", "study", format=name, output=tmp_path / "x")
        assert caught.value.returncode == 2
    assert not (tmp_path / "x").exists()


def test_who_is_left_out_is_not_counted_and_kept_apart(desk, study, owner):
    exclude(study.participants.first(), "clicked through", owner)
    export = collect_pairs(study)
    assert export.analysis.questions["quality"].summary["participants"] == 11
    assert export.excluded["participant"].nunique() == 1


def test_a_pair_study_that_nobody_answered_says_what_comes_next(desk, owner):
    study = make_study('method = "pair"\n', slug="empty")
    study.owner = owner
    study.save()
    assert "No answers count yet" in desk.get(reverse("results", args=["empty"])).content.decode()
    assert desk.get(reverse("plot", args=["empty", "scores", "svg"])).status_code == 404


@pytest.fixture
def informative(owner) -> Study:
    study = simulated_study(
        'method = "pair"\n[session]\npairs = "informative"\n',
        slug="told",
        people=10,
        seed=2,
        conditions=[f"c{i}" for i in range(5)],
    )
    study.owner = owner
    study.save()
    return study


def test_pairs_drawn_by_information_have_scores_and_no_shares_on_the_page(desk, informative):
    html = desk.get(reverse("results", args=["told"])).content.decode()
    assert "would mislead" in html
    assert "%</td>" not in html
    assert "plots/preferences.svg" not in html
    assert "plots/scores.svg" in html


@pytest.mark.slow
def test_every_column_of_an_export_is_explained_and_says_which_rule_drew_a_pair(informative, study):
    for some, rule in ((informative, "informative"), (study, "balanced")):
        export = collect_pairs(some)
        assert set(export.choices["drawn_by"]) == {rule}
        table = pair_codebook(export).set_index(["table", "column"])
        for name, frame in export.tables().items():
            assert [column for _, column in table.loc[[name]].index] == list(frame.columns)
        assert (table["meaning"] != "").all()
        assert "drew" in table.loc[("choices", "drawn_by"), "meaning"]


@pytest.mark.slow
def test_the_methods_paragraph_says_how_pairs_were_drawn_and_scored(informative, study):
    text = pair_methods_text(collect_pairs(informative))
    assert "Pairs were drawn by expected information gain" in text
    assert "penalised by a normal distribution" in text
    text = pair_methods_text(collect_pairs(study))
    assert "those with the fewest choices came first" in text
    assert "maximum likelihood" in text
