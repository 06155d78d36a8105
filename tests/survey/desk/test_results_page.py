"""The results page shows the analysis, whole and nothing else."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from functools import partial
from html import unescape

import pandas as pd
import pytest
from django.urls import reverse

from survey.analysis import plots
from survey.analysis.report.answers import answer
from survey.analysis.report.meanings import shown_table
from survey.desk.pages.results.pieces import score
from survey.desk.pages.results.view import TABLES
from survey.exports.files import csv_files
from survey.exports.methods import methods_text
from survey.results.collect import collect, fingerprint
from survey.session.answering import rate
from survey.session.progress import next_trial
from survey.session.starting import start
from survey.study.pictures import Picture
from survey.study.publish import publish
from tests.survey.exports.studies import NASTY, TWO_QUESTIONS, give_ratings, nasty_picture, rated_study
from tests.survey.factories import definition, make_study, picture

pytestmark = pytest.mark.django_db


def page(desk, study, **asked) -> str:
    response = desk.get(reverse("results", args=[study.slug]), asked)
    assert response.status_code == 200
    html: str = response.content.decode()
    return html


def owned(study, owner):
    study.owner = owner
    study.save()
    return study


def rows(desk, study, name="mos", **asked) -> list[dict[str, str]]:
    text = desk.get(reverse("table", args=[study.slug, name]), asked).content.decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_every_image_stands_with_its_numbers(desk, study):
    html = page(desk, study).partition('<section id="scores">')[0]
    mos = collect(study).analysis.mos
    names = dict(study.stimuli.values_list("item", "name"))
    for row in mos.to_dict("records"):
        assert f'src="images/{names[row["item"]]}.webp"' in html
        assert f"<strong>{row['mos']:.2f}</strong>" in html
        if row["ci_low"] == row["ci_low"]:
            assert f"{row['ci_low']:.2f} to {row['ci_high']:.2f}" in html
    assert html.count("<strong>") == len(mos)


def test_the_page_opens_with_its_finding_and_what_may_be_said(desk, study):
    html = page(desk, study)
    found = answer(collect(study).analysis, wanted=35)
    assert f'<p class="answer">{found.finding}</p>' in html
    assert "Too early to say: 3 people so far" in html
    for claim in found.claims:
        assert claim.text in html


@pytest.mark.parametrize("view", ["conditions", "reliability", "downloads"])
def test_each_view_leads_to_the_others_and_keeps_the_switches(desk, study, view):
    html = desk.get(reverse(f"results_{view}", args=[study.slug]), {"ci": "bounded"}).content.decode()
    assert 'aria-current="page"' in html.partition('class="views"')[2].partition("</nav>")[0]
    assert html.count("ci=bounded") >= 4


def test_every_plot_and_table_has_its_view(desk, study):
    pages = page(desk, study) + "".join(
        desk.get(reverse(f"results_{view}", args=[study.slug])).content.decode()
        for view in ("conditions", "covariates", "reliability")
    )
    data = plots.select_question(collect(study).analysis, collect(study).checked)
    assert set(re.findall(r'id="plot-(\w+)"', pages)) == {plot.name for plot, _ in plots.drawable(data)}
    notes = data.analysis.summary["notes"]
    for table in TABLES:
        there = getattr(data.analysis, table) is not None
        # One of the two models, as people gave enough ratings for it.
        shown = shown_table("recovered", notes) if table.startswith("recovered") else table
        assert (f"tables/{table}.csv" in pages) == (there and shown == table)


def test_downloads_begin_with_the_paragraph_to_copy_and_say_what_each_holds(desk, study, monkeypatch):
    address = reverse("results_downloads", args=[study.slug])
    html = unescape(desk.get(address).content.decode())
    assert f'<textarea id="methods" rows="9" readonly>{methods_text(collect(study))}</textarea>' in html
    assert html.index('data-copy="methods"') < html.index("Everything, as a ZIP")
    assert "no image itself" in html
    assert "<dt>groups</dt>" not in html
    monkeypatch.setattr("survey.exports.background.is_slow", lambda study: True)
    html = desk.get(address).content.decode()
    assert 'id="methods"' not in html
    assert "<code>methods.txt</code> in <em>Everything</em>" in html


def test_images_come_under_readable_names_with_a_table(desk, study):
    response = desk.get(reverse("results_images", args=[study.slug]))
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        names = archive.namelist()
        table = list(csv.DictReader(io.StringIO(archive.read("images.csv").decode("utf-8-sig"))))
    assert len(names) == len(set(names)) == study.stimuli.count() + 3
    assert {row["file"] for row in table} == set(names) - {"images.csv", "settings.csv", "README.txt"}
    assert {row["item"] for row in table} == set(study.stimuli.values_list("item", flat=True))


def test_an_image_that_goes_while_it_is_asked_for_is_not_found(desk, study):
    stimulus = study.stimuli.first()
    stimulus.image.storage.delete(stimulus.image.name)
    assert desk.get(reverse("results_images", args=[study.slug])).status_code == 404
    for address in ("stimulus_image", "stimulus_thumbnail"):
        assert desk.get(reverse(address, args=[study.slug, stimulus.name])).status_code == 404


def test_above_forty_images_the_rest_is_one_link_away(desk, study, monkeypatch):
    monkeypatch.setattr("survey.desk.pages.results.ranking.MAX_SHOWN", 2)
    assert "Show all 6 images" in page(desk, study)
    assert page(desk, study).count('class="picture"') == 2
    assert page(desk, study, all="1").count('class="picture"') == 6


def test_the_table_as_csv_is_the_analysis_in_full(desk, study):
    mos = collect(study).analysis.mos
    assert [float(row["mos"]) for row in rows(desk, study)] == mos["mos"].tolist()


def test_a_new_rating_is_on_the_page_at_once(desk, study):
    before = page(desk, study)
    give_ratings(study, 1, seed=5)
    assert page(desk, study) != before
    assert {row["n"] for row in rows(desk, study)} == {"4"}


def test_any_change_of_an_answer_changes_the_fingerprint(study):
    seen = {fingerprint(study)}
    person = start(study)
    trial = next_trial(person)
    assert trial is not None
    rate(trial.token, {"overall": 3}, revision=trial.revision)
    seen.add(fingerprint(study))
    rating = trial.ratings.get()
    rating.value, rating.changes = 4, 1
    rating.save()
    seen.add(fingerprint(study))
    study.questions.update(text="Other words?")
    seen.add(fingerprint(study))
    person.delete()
    seen.add(fingerprint(study))
    assert len(seen) == 5


def test_previews_do_not_count(desk, study, owner):
    person = start(study, preview_by=owner)
    while trial := next_trial(person):
        rate(trial.token, {"overall": 1}, revision=trial.revision)
    assert {row["n"] for row in rows(desk, study)} == {"3"}


def test_each_question_has_its_page(desk, owner):
    study = owned(rated_study(TWO_QUESTIONS, people=3), owner)
    assert "How good is it?" in page(desk, study).partition("<form class")[0]
    assert "How much do you like it?" in page(desk, study, question="liking").partition("<form class")[0]
    assert rows(desk, study, question="quality") != rows(desk, study, question="liking")


def test_the_interval_switch_changes_the_interval(desk, study):
    assert {row["ci_method"] for row in rows(desk, study, ci="bounded")} == {"bounded"}
    assert "95 % interval (Bounded (SOS-Wilson))" in page(desk, study, ci="bounded")


def test_the_model_panel_shows_the_models_scores(desk, study):
    model = collect(study).analysis.recovered_shrunken.set_index("item")["quality"]
    for row in rows(desk, study, panel="model"):
        assert float(row["mos"]) == model[row["item"]]
        assert row["ci_method"] == "model"


def test_a_factor_narrows_the_images(desk, study):
    assert {row["item"] for row in rows(desk, study, only="strength=weak")} == {
        "cat-weak",
        "dog-weak",
        "owl-weak",
    }


@pytest.mark.parametrize("level", [["conv1_1", "conv2_1"], True, "x"])
def test_a_factor_may_have_levels_of_any_kind(desk, owner, level):
    pictures = [
        Picture(f"{number}", partial(picture, number), factors={"f": level if number % 2 else 0.5})
        for number in range(4)
    ]
    study = owned(publish("mixed", definition(), pictures), owner)
    give_ratings(study, 3)
    assert {row["item"] for row in rows(desk, study, only=f"f={level}")} == {"1", "3"}
    items = pd.read_csv(io.BytesIO(csv_files(collect(study))["items.csv"]), index_col="item", dtype=str)
    assert items["f"].to_dict() == {"0": "0.5", "1": str(level), "2": "0.5", "3": str(level)}


@pytest.mark.parametrize(
    "asked", [{"ci": "x"}, {"panel": "x"}, {"only": "x=y"}, {"question": "x"}, {"only": "rating"}]
)
def test_a_switch_that_is_not_offered_counts_as_not_set(desk, study, asked):
    assert rows(desk, study, **asked) == rows(desk, study)


def test_names_are_text_on_the_page(desk, owner):
    study = owned(rated_study(people=2, extra=[nasty_picture()]), owner)
    html = page(desk, study)
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert NASTY.partition("<")[0].replace('"', "&quot;").replace("& ", "&amp; ") in html


def test_the_page_obeys_the_content_security_policy(desk, study):
    html = page(desk, study)
    assert not re.search(r"\sstyle=|<style|<script(?! type=\"module\" src=)|\son[a-z]+=", html)


def test_a_simulated_study_says_so(desk, study):
    assert "simulated" not in page(desk, study)
    study.is_simulated = True
    study.save()
    assert "Simulated: a program made these ratings" in page(desk, study)
    assert "simulated" in desk.get(reverse("studies")).content.decode()


def test_a_study_without_ratings_says_what_comes_next(desk, owner):
    study = owned(make_study(), owner)
    html = page(desk, study)
    assert "No answers count yet" in html
    assert reverse("participant", args=[study.slug]) in html
    for name, rest in (("plot", ["mos", "svg"]), ("table", ["mos"]), ("download", ["csv"])):
        assert desk.get(reverse(name, args=[study.slug, *rest])).status_code == 404


@pytest.mark.parametrize("file_format", ["svg", "png", "pdf", "csv"])
def test_plots_come_in_every_format(desk, study, file_format):
    response = desk.get(reverse("plot", args=[study.slug, "mos", file_format]))
    start_of = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "csv": b"item,"}
    assert response.content.startswith(start_of[file_format])


def test_an_unknown_plot_or_format_is_not_found(desk, study):
    for name, file_format in (("nothing", "svg"), ("mos", "exe")):
        assert desk.get(reverse("plot", args=[study.slug, name, file_format])).status_code == 404
    assert desk.get(reverse("table", args=[study.slug, "summary"])).status_code == 404
    assert desk.get(reverse("download", args=[study.slug, "docx"])).status_code == 404


def test_a_download_of_several_files_is_a_zip_of_the_same_bytes(desk, study):
    address = reverse("download", args=[study.slug, "csv"])
    first, again = desk.get(address), desk.get(address)
    assert first.content == again.content
    assert first["Content-Disposition"] == 'attachment; filename="study_csv.zip"'
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert {"ratings.csv", "mos.csv", "codebook.csv"} <= set(archive.namelist())


def test_the_page_asks_the_database_few_questions(desk, study, django_assert_max_num_queries):
    page(desk, study)
    give_ratings(study, 2, seed=9)
    with django_assert_max_num_queries(40):
        page(desk, study)


def test_a_kept_plot_reads_the_study_once(desk, study, django_assert_max_num_queries):
    address = reverse("plot", args=[study.slug, "mos", "svg"])
    first = desk.get(address).content
    with django_assert_max_num_queries(12):
        assert desk.get(address).content == first


def test_a_number_that_rounds_to_nought_has_no_sign():
    assert [score(value) for value in (-0.004, 0.004, -0.006)] == ["0.00", "0.00", "-0.01"]
