"""The whole loop on real photographs through the real network, small: what `make demo` promises."""

from __future__ import annotations

import io
import shutil

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from PIL import Image

from generator.demo.pictures import gather
from generator.models import Cell, ImageSet
from survey.access.roles import role_of
from survey.models import Participant, Rating, Study
from survey.simulation import demo

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.one_database]

PLAN = """
title = "Two"
slug = "demo"
[images]
pairs = [["cat.png", "woodcut-waves.png"], ["coins.png", "tissue.png"]]
[recipe]
size = 64
pyramid_min = 0
first_evaluations = 0
evaluations = 3
[[cells]]
label = "D"
pair = 1
[[cells]]
label = "F"
pair = 2
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The demonstration's pictures, painted once: `gather` leaves those that are there."""
    folder = tmp_path_factory.mktemp("pictures")
    gather(folder)
    return folder


@pytest.fixture
def plan(pictures, tmp_path, monkeypatch):
    shutil.copytree(pictures, tmp_path / "demo")
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")
    monkeypatch.setattr(demo, "PARTICIPANTS", 4)
    path = tmp_path / "two.toml"
    path.write_text(PLAN)
    return path


def test_it_goes_from_photographs_to_a_table_of_scores_and_redoes_nothing(plan, client):
    first = demo.demonstrate(plan)
    assert first.mos["item"].tolist() == ["D: cat × woodcut-waves", "F: coins × tissue"]
    assert first.mos["n"].tolist() == [4, 4]
    assert (first.mos["ci_low"] < first.mos["mos"]).all()

    made = set(Cell.objects.values_list("pk", "made_at"))
    people, ratings = Participant.objects.count(), Rating.objects.count()
    again = demo.demonstrate(plan)
    assert set(Cell.objects.values_list("pk", "made_at")) == made
    assert (Participant.objects.count(), Rating.objects.count()) == (people, ratings)
    assert again.password == first.password
    assert again.mos.equals(first.mos)

    _study_can_be_rated_at_once(client)
    _results_are_for_the_researcher(client, first.password)


def _study_can_be_rated_at_once(client) -> None:
    assert client.get(f"/s/{demo.OPEN}/").status_code == 200
    assert not Study.objects.get(slug=demo.OPEN).is_simulated
    for stimulus in Study.objects.get(slug=demo.OPEN).stimuli.all():
        with stimulus.image.open() as file:
            image = Image.open(io.BytesIO(file.read()))
            assert max(image.size) == 64
            assert set(image.info) <= {"srgb"}, "what participants are sent says nothing of how it was made"


def _results_are_for_the_researcher(client, password: str) -> None:
    address = f"/studies/{demo.SIMULATED}/results/"
    assert client.get(address).status_code == 302
    assert client.post("/sign-in/", {"username": demo.RESEARCHER, "password": password}).status_code == 302
    page = client.get(address).content.decode()
    assert "simulated" in page
    assert "cat × woodcut-waves" in page
    user = User.objects.get(username=demo.RESEARCHER)
    assert (role_of(user), user.is_staff) == ("researcher", False)
    assert client.get("/accounts/").status_code == 404
    (image_set,) = ImageSet.objects.all()
    assert client.get(f"/sets/{image_set.slug}/").status_code == 200


def test_the_command_prints_the_table_the_addresses_and_the_sign_in(plan, monkeypatch, capsys):
    monkeypatch.setattr(demo, "PLAN", plan)
    call_command("demo")
    printed = capsys.readouterr().out
    for part in ("D: cat × woodcut-waves", "simulated", "/s/demo/", "/sign-in/", demo.RESEARCHER):
        assert part in printed
