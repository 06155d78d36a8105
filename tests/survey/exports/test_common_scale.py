"""A pair study and a study of ratings of the same images: page, files and command."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

from survey.exports.common_scale import NotCommon, collect_common, common_files, partners
from survey.models import Study
from survey.simulation.people import simulate
from tests.survey.desk.conftest import client_of
from tests.survey.exports.studies import simulated_study
from tests.survey.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.slow]

CONDITIONS = ("a", "b", "c", "d")


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def pairs(owner) -> Study:
    return answered('method = "pair"\n', "pairs", owner)


@pytest.fixture
def ratings(owner) -> Study:
    return answered("", "ratings", owner)


def answered(toml: str, slug: str, owner: User) -> Study:
    study = simulated_study(toml, slug=slug, people=12, seed=3, conditions=CONDITIONS)
    study.owner = owner
    study.save()
    return study


def test_the_same_images_are_found_by_their_bytes_whatever_they_are_called(pairs, ratings):
    for stimulus in ratings.stimuli.all():
        stimulus.item = f"other-{stimulus.item}"
        stimulus.save()
    (scale,) = collect_common(pairs, ratings).scales.values()
    assert set(scale.items["item"]) == set(pairs.stimuli.values_list("item", flat=True))
    assert scale.items["quality"].corr(scale.items["by_ratings"]) > 0.7
    assert partners(pairs, [ratings, pairs]) == [ratings]
    assert partners(ratings, [ratings, pairs]) == [pairs]


def test_the_files_have_the_numbers_of_the_page_and_every_column_explained(pairs, ratings, owner):
    client = client_of(owner)
    address = reverse("common_scale", args=["pairs"])
    assert "?with=ratings" in client.get(address).content.decode()
    html = client.get(address, {"with": "ratings"}).content.decode()
    export = collect_common(pairs, ratings)
    (scale,) = export.scales.values()
    assert "3 of 4 people" in html
    for row in scale.items.to_dict("records"):
        assert f"<strong>{row['quality']:.2f}</strong>".replace("-", "−") in html.replace("-", "−")
    response = client.get(address, {"with": "ratings", "form": "zip"})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("common_scale.csv"))))
        explained = list(csv.DictReader(io.TextIOWrapper(archive.open("codebook.csv"))))
        assert "Perez-Ortiz" in archive.read("methods.txt").decode()
    assert [row["column"] for row in explained] == list(rows[0])
    assert [float(row["quality"]) for row in rows] == scale.items["quality"].tolist()
    # The other way round it is the same scale.
    assert client.get(reverse("common_scale", args=["ratings"]), {"with": "pairs"}).status_code == 200


def test_a_scale_of_simulated_answers_says_so(pairs, ratings, owner):
    export = collect_common(pairs, ratings)
    said = "Simulated: a program made these choices."
    assert export.methods.startswith(said)
    assert "Simulated: a program made these ratings." in export.methods
    page = client_of(owner).get(reverse("common_scale", args=["pairs"]), {"with": "ratings"})
    assert said in page.content.decode()
    ratings.participants.update(is_simulated=False)
    assert "made these ratings" not in collect_common(pairs, ratings).methods


def test_the_command_writes_the_files_of_the_page(pairs, ratings, tmp_path, capsys):
    call_command("common_scale", "pairs", "ratings", output=tmp_path / "out")
    files = common_files(collect_common(pairs, ratings))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == files
    assert "3 of 4 people" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("ratings", "pairs"), "'ratings' compares no pairs; name the pair study first"),
        (("pairs", "pairs"), "'pairs' compares pairs too"),
        (("pairs", "few"), "share 4 images; one scale needs 5 or more"),
        (("pairs", "rating"), "did you mean 'ratings'"),
    ],
)
def test_what_cannot_be_combined_is_said_in_one_line(pairs, ratings, tmp_path, names, words):
    make_study(slug="few", contents=("cat",), conditions=CONDITIONS)
    with pytest.raises(CommandError, match=words) as caught:
        call_command("common_scale", *names, output=tmp_path / "out")
    assert caught.value.returncode == 2
    assert not (tmp_path / "out").exists()


def test_a_study_without_answers_gives_no_scale_and_a_slider_with_answers_does(pairs, owner):
    slider = '[[questions]]\nkey = "overall"\ntext = "?"\nscale = "0:100"\n'
    study = make_study(slider, slug="slider", conditions=CONDITIONS)
    with pytest.raises(NotCommon, match="no rating"):
        collect_common(pairs, study)
    simulate(study, participants=12, seed=3)
    study.owner = owner
    study.save()
    client = client_of(owner)
    response = client.get(reverse("common_scale", args=["pairs"]), {"with": "slider"})
    assert response.status_code == 200
    assert "3 of 4 people" in response.content.decode()
    methods = collect_common(pairs, study).methods
    assert re.search(
        r"for the ratings, cut into \d+ classes of about equally many, with one quality", methods
    )


def test_a_study_that_one_may_not_read_is_not_offered(pairs, ratings, owner):
    ratings.owner = None
    ratings.save()
    client = client_of(owner)
    address = reverse("common_scale", args=["pairs"])
    assert "None of the studies" in client.get(address).content.decode()
    assert client.get(address, {"with": "ratings"}).status_code == 404
