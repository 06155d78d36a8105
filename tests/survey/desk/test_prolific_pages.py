"""The pages about Prolific: each act is asked for, shows what it costs, and says how it went."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from survey.models import ProlificLink
from survey.study.definition import definition_of
from survey.study.prolific.draft import recruitment_of
from tests.prolific_server import TOKEN
from tests.survey.desk.conftest import client_of
from tests.survey.factories import make_study
from tests.survey.study.prolific.conftest import *  # noqa: F403
from tests.survey.study.prolific.test_acts import recruit

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def desk(owner):
    """A browser in which the owner is signed in."""
    return client_of(owner)


def at(name, *keys):
    return reverse(f"prolific{name}", args=["study", *keys])


def form_of(desk):
    """Return what a browser would send of the draft's form."""
    form = desk.get(at("_draft")).context["form"]
    return {name: form[name].value() for name in form.fields}


def test_one_button_makes_the_codes(desk, owner):
    study = make_study()
    study.owner = owner
    study.save()
    page = desk.get(at(""))
    assert "does not recruit by Prolific yet" in text_of(page)
    desk.post(at("_choose"))
    table = recruitment_of(definition_of(study.version))
    assert len({table.complete, table.screened_out, table.withdrew}) == 3
    # A second click changes no code.
    desk.post(at("_choose"))
    assert recruitment_of(definition_of(study.version)) == table


def test_a_draft_is_made_after_its_cost_was_shown(desk, study, link, prolific):
    values = form_of(desk) | {"places": 20, "minutes": 10, "reward": "1.50"}
    page = text_of(desk.post(at("_draft"), values))
    assert "Rewards of all places 30.00 GBP" in page
    assert "In all, as Prolific says 40.00 GBP" in page
    assert "3.3 hours" in page
    assert prolific.studies == {}
    done = desk.post(at("_draft"), {**values, "confirmed": "1"}, follow=True)
    assert "The draft is on Prolific" in text_of(done)
    assert next(iter(prolific.studies.values()))["reward"] == 150
    assert "no second one" not in text_of(done)
    assert desk.post(at("_draft"), {**values, "confirmed": "1"}).status_code == 302
    assert len(prolific.studies) == 1


def test_what_was_typed_is_there_to_be_changed(desk, study, link, prolific):
    values = form_of(desk) | {"name": "Another title", "devices": ["desktop"]}
    page = desk.post(at("_draft"), {**values, "change": "1"})
    assert page.context["form"]["name"].value() == "Another title"
    assert page.context["form"]["devices"].value() == ["desktop"]


def test_the_planning_page_leads_to_the_draft_with_its_number(desk, study, link):
    assert desk.get(at("_draft") + "?people=47").context["form"]["places"].value() == 47
    assert desk.get(at("_draft") + "?people=9e9").context["form"]["places"].value() == 35


def test_a_cost_that_prolific_cannot_tell_is_said_to_be_unknown(desk, study, link, prolific):
    values = form_of(desk)
    prolific.instead = [(500, {}, "")]
    page = desk.post(at("_draft"), values)
    assert page.status_code == 200
    assert "not known: Prolific has trouble" in text_of(page)


def test_publishing_shows_the_cost_and_takes_a_button(desk, study, link, remote, prolific):
    page = desk.get(at("_step", "publish"))
    assert "Rewards of all places 5.25 GBP" in text_of(page)
    assert prolific.studies[remote]["status"] == "UNPUBLISHED"
    desk.post(at("_step", "publish"), {"expected": page.context["expected"]})
    assert prolific.studies[remote]["status"] == "ACTIVE"
    assert "People can take part by Prolific now" in text_of(desk.get(at("")))


def test_more_places_show_their_cost_first(desk, study, link, remote, prolific):
    assert desk.post(at("_places"), {"places": 35}).status_code == 422
    page = text_of(desk.post(at("_places"), {"places": 45}))
    assert "More places 10" in page
    assert "Their rewards 1.50 GBP" in page
    assert prolific.studies[remote]["total_available_places"] == 35
    desk.post(at("_places"), {"places": 45, "confirmed": "1"})
    assert prolific.studies[remote]["total_available_places"] == 45


def test_submissions_are_sorted_and_approved(desk, study, link, remote, prolific):
    recruit(study, "s1", "finished")
    recruit(study, "s2", "screened-out")
    for name in ("s1", "s2", "s3"):
        prolific.add(remote, f"p-{name}", name, "AWAITING REVIEW", "DONE1234")
    page = desk.get(at("_submissions"))
    assert "1 finished and waits for your review; 2 need a look" in text_of(page)
    assert "s2 screened out here DONE1234" in text_of(page)
    # The other's box was never there.
    done = desk.post(at("_submissions"), {"submission": ["s1", "s2"]}, follow=True)
    assert "Approved: 1" in text_of(done)
    assert [one["status"] for one in prolific.submissions[remote]] == [
        "APPROVED",
        "AWAITING REVIEW",
        "AWAITING REVIEW",
    ]


@pytest.mark.parametrize("name", ["_submissions", "_look"])
def test_trouble_is_one_line_on_the_page(desk, study, link, remote, prolific, name):
    prolific.instead = [(502, {}, "<html>Bad gateway</html>")]
    page = desk.get(at(name)) if name == "_submissions" else desk.post(at(name), follow=True)
    assert page.status_code == 200
    assert "Prolific has trouble at the moment (status 502)." in text_of(page)


def test_the_token_is_on_no_page_and_in_no_file(desk, study, link, remote, prolific):
    pages = [at(""), at("_draft"), at("_places"), at("_submissions"), reverse("log", args=["study"])]
    pages += [reverse("study_file", args=["study"]), reverse("log_file", args=["study"])]
    for page in pages:
        assert TOKEN not in b"".join(desk.get(page)).decode()


def test_a_refused_token_is_not_shown_again(desk, study, prolific):
    page = desk.post(at("_connect"), {"token": "a-token-of-nobody"}, follow=True)
    assert "does not accept the token" in text_of(page)
    assert "a-token-of-nobody" not in page.content.decode()


def test_connecting_and_disconnecting(desk, study, prolific):
    page = desk.post(at("_connect"), {"token": f" {TOKEN}\n"}, follow=True)
    assert "Connected as Mara" in text_of(page)
    desk.post(at("_disconnect"))
    assert ProlificLink.objects.get().secret == ""


def test_a_study_without_people_has_no_such_page(desk, owner, study):
    study.is_simulated = True
    study.save()
    assert desk.get(at("")).status_code == 404
