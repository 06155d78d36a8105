"""The list of studies says of each what state it is in, how far it has come, and what to do next."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from survey.desk.pages.study.studies import CARDS
from survey.models import Study
from survey.simulation import example
from survey.study import decisions
from tests.survey.desk.conftest import client_of
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(researcher: Client) -> Client:
    return researcher


def studies_of(owner: User, **states: str) -> None:
    for slug, state in states.items():
        make_study(slug=slug)
        Study.objects.filter(slug=slug).update(owner=owner, state=state, title=slug)


def page_of(client: Client) -> str:
    return " ".join(client.get(reverse("studies")).content.decode().split())


def buttons(page: str) -> list[tuple[str, str]]:
    """Return what each filled button says, with the title of its study, and where it leads."""
    cards = page[page.index('<ul class="cards">') :]
    found = re.findall(r'<a class="button" href="([^"]+)">([^<]+)<span class="hidden">: ([^<]+)<', cards)
    return [(f"{act}: {title}", address) for address, act, title in found]


def test_each_state_has_its_one_button_and_what_needs_something_comes_first(desk, owner):
    studies_of(owner, done="closed", running="open", begun="draft", waiting="paused")
    assert buttons(page_of(desk)) == [
        ("Continue set-up: begun", "/studies/begun/setup/"),
        ("Link for participants: running", "/studies/running/setup/#link"),
        ("Results: waiting", "/studies/waiting/results/"),
        ("Results: done", "/studies/done/results/"),
    ]
    assert 'id="link"' in desk.get("/studies/running/setup/").content.decode()


def test_a_card_counts_images_and_people_and_shows_four_pictures(desk, study):
    page = page_of(desk)
    assert "6 images · 3 people have begun, 3 finished" in page
    assert page.count("/results/images/") == 4


def test_a_draft_says_how_much_is_left(desk, owner):
    studies_of(owner, begun="draft")
    assert "6 images · 2 things left before it can open" in page_of(desk)


def test_a_simulated_study_and_that_of_another_person_lead_to_results(owner, study):
    mara = User.objects.create_user("mara")
    decisions.add_viewer(study, "mara", owner)
    assert buttons(page_of(client_of(mara))) == [("Results: A study", f"/studies/{study.slug}/results/")]
    Study.objects.update(is_simulated=True)
    assert "3 simulated people have begun" in page_of(client_of(owner))
    assert buttons(page_of(client_of(owner))) == [("Results: A study", f"/studies/{study.slug}/results/")]


def test_many_studies_are_a_table(desk, owner):
    studies_of(owner, **{f"s{number}": "open" for number in range(CARDS + 1)})
    page = page_of(desk)
    assert '<ul class="cards">' not in page
    assert page.count("/live/") == CARDS + 1


def test_who_has_no_study_gets_ways_to_begin(desk):
    page = page_of(desk)
    for words in ("Welcome", "Open the example", "New image set", "Analyse a file", "New study"):
        assert words in page
    assert "manage.py" not in page


@pytest.mark.slow
def test_the_example_is_made_by_one_click_and_once(desk, owner, monkeypatch):
    monkeypatch.setattr(example, "PARTICIPANTS", 6)
    first = desk.post(reverse("open_example"))
    page = desk.get(first["Location"]).content.decode()
    assert "Simulated: a program made these ratings." in page
    study = Study.objects.get(title=example.TITLE)
    presets = len(list((settings.BASE_DIR / "survey/static/survey/presets").glob("*.webp")))
    assert (study.owner, study.is_simulated, study.stimuli.count()) == (owner, True, presets)
    assert study.participants.filter(state="finished").count() == 6
    assert desk.post(reverse("open_example"))["Location"] == first["Location"]
    assert study.participants.count() == 6


def test_the_example_is_for_who_may_make_studies(owner):
    assert client_of(owner).post(reverse("open_example")).status_code == 404
