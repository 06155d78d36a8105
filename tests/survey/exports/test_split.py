"""Votes in two camps: in a study's files, in its methods paragraph and on its pages."""

from __future__ import annotations

import pytest
from django.urls import reverse

from survey.exports.codebook import codebook
from survey.exports.methods import methods_text
from survey.models import Rating
from survey.results.collect import collect
from tests.survey.exports.studies import rated_study

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def study(admin_user):
    study = rated_study(people=12)
    study.owner = admin_user
    study.save()
    return study


@pytest.fixture
def divided(study):
    """An image that every other person rated 1, and the others 5."""
    item = study.stimuli.order_by("item").values_list("item", flat=True).first()
    votes = Rating.objects.filter(trial__stimulus__item=item, trial__participant__study=study).order_by("pk")
    for place, vote in enumerate(votes):
        Rating.objects.filter(pk=vote.pk).update(value=5 if place % 2 else 1)
    return item


def test_scores_and_reliability_name_the_image(study, divided, admin_client):
    scores = admin_client.get(reverse("results", args=[study.slug])).content.decode()
    assert "two camps: 6 votes at 1, 6 votes at 5" in scores
    reliability = admin_client.get(reverse("results_reliability", args=[study.slug])).content.decode()
    assert (
        f"split into two camps more than chance allows: “{divided}”. Read its mean with care." in reliability
    )
    assert "tables/split.csv" in reliability


def test_the_table_has_its_columns_explained_and_the_methods_their_sentence(study, divided):
    export = collect(study)
    table = export.analysis.tables()["split"]
    assert table.loc[table["split"], "item"].tolist() == [divided]
    described = codebook(export)
    assert set(described.loc[described["table"] == "split", "column"]) == set(table.columns)
    assert "Janowski et al. 2019" in methods_text(export)


def test_the_methods_say_nothing_of_what_was_not_tested():
    assert "Janowski" not in methods_text(collect(rated_study(people=3)))


def test_a_page_of_many_images_leaves_the_search_to_reliability(study, divided, admin_client, monkeypatch):
    monkeypatch.setattr("survey.analysis.items.split.MAX_BESIDE_SCORES", 5)
    assert "two camps" not in admin_client.get(reverse("results", args=[study.slug])).content.decode()
    reliability = admin_client.get(reverse("results_reliability", args=[study.slug])).content.decode()
    assert f"“{divided}”" in reliability
