"""Each address for each kind of person; an address without a row in the table fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from survey.access import accounts, tokens
from survey.access.roles import Role
from survey.models import AccountLink, Study
from survey.simulation import example
from survey.study import decisions
from tests.survey.desk.access_table import ELSEWHERE, LEVELS, ROWS
from tests.survey.desk.conftest import client_of
from tests.survey.desk.world import address_of, filled, make_world, named_patterns
from tests.survey.exports.studies import rated_study
from tests.survey.factories import join, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PEOPLE = ("admin", "owner", "viewer", "researcher", "anonymous")


@pytest.fixture
def world(study: Study, owner: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """All people, and one of each thing that an address can name; the example study has one participant."""
    monkeypatch.setattr(example, "PARTICIPANTS", 1)
    return make_world(study, owner)


def browser_of(person: str) -> Client:
    return Client() if person == "anonymous" else client_of(User.objects.get(username=person))


def answer(client: Client, name: str, address: str, world: dict[str, Any]) -> str:
    """Open an address, or press its button, and undo what that did; return `in`, `sign in` or `404`."""
    row = ROWS[name]
    with transaction.atomic():
        response = client.post(address, filled(row.form, world)) if row.post else client.get(address)
        if response.streaming:
            response.getvalue()
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith(reverse("sign_in")):
        return "sign in"
    return "in" if response.status_code in (200, 302) else str(response.status_code)


def test_every_address_has_its_row():
    names = set(named_patterns())
    assert names - set(ROWS) - ELSEWHERE == set(), "add these to tests/survey/desk/access_table.py"
    assert set(ROWS) | ELSEWHERE == names, "these are gone"


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_gets_in_where_they_may_and_nowhere_else(world, person):
    client = browser_of(person)
    patterns = named_patterns()
    told, meant = {}, {}
    for name, row in ROWS.items():
        if name in patterns:
            told[name] = answer(client, name, address_of(name, patterns[name], world), world)
            refused = "sign in" if person == "anonymous" else "404"
            meant[name] = "in" if person in LEVELS[row.level] else refused
    assert told == meant


@pytest.mark.slow
@pytest.mark.parametrize("person", PEOPLE)
def test_nobody_sends_a_form_to_a_page_that_they_may_not_open(world, person):
    """In other survey programs a page was guarded and what its form was sent to was not."""
    client = browser_of(person)
    patterns = named_patterns()
    got_in = []
    for name, row in ROWS.items():
        if name not in patterns or person in LEVELS[row.level]:
            continue
        with transaction.atomic():
            response = client.post(address_of(name, patterns[name], world), filled(row.form, world))
            transaction.set_rollback(True)
        away = response.status_code == 302 and response["Location"].startswith(reverse("sign_in"))
        # 405: a page that takes no form at all.
        if not away and response.status_code not in (404, 405):
            got_in.append((name, response.status_code))
    assert got_in == []


def test_a_look_changes_nothing(world):
    client = browser_of("owner")
    for name, pattern in named_patterns().items():
        if name in ROWS and ROWS[name].post:
            assert client.get(address_of(name, pattern, world)).status_code == 405, name


def test_a_button_of_another_sites_page_does_nothing(world, study):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="owner"))
    for name, pattern in named_patterns().items():
        if name in ROWS and ROWS[name].post:
            address = address_of(name, pattern, world)
            assert client.post(address, filled(ROWS[name].form, world)).status_code == 403, name


def test_the_list_shows_what_one_may_read(world, study):
    results = reverse("results", args=[study.slug])
    seen = {who: results in browser_of(who).get(reverse("studies")).content.decode() for who in PEOPLE}
    assert seen == {"admin": True, "owner": True, "viewer": True, "researcher": False, "anonymous": False}


def test_an_account_that_is_switched_off_gets_in_nowhere(world, study):
    client = browser_of("owner")
    User.objects.filter(username="owner").update(is_active=False)
    assert client.get(reverse("results", args=[study.slug]))["Location"].startswith(reverse("sign_in"))


def test_a_participant_is_nobody_here(study, client):
    other = make_study(slug="other")
    join(client, other)
    for slug in (study.slug, other.slug):
        assert client.get(reverse("results", args=[slug]))["Location"].startswith(reverse("sign_in"))


def test_a_share_link_shows_until_it_is_revoked(study, owner, client):
    link = decisions.share(study, owner)
    address = reverse("shared_results", args=[link.token])
    assert client.get(address)["X-Robots-Tag"] == "noindex"
    decisions.revoke(link, owner)
    assert client.get(address).status_code == 404


def test_a_shared_page_links_to_nothing_that_needs_an_account(study, owner, client):
    link = decisions.share(study, owner)
    html = client.get(reverse("shared_results", args=[link.token])).content.decode()
    assert f"/studies/{study.slug}/" not in html


def test_a_guessed_share_link_finds_nothing(study, client):
    assert client.get(reverse("shared_results", args=["guess"])).status_code == 404


def test_what_belongs_to_another_study_is_not_found(study, desk, owner):
    other = make_study(slug="other")
    name = other.stimuli.get(item="cat-weak").name
    for page in ("stimulus_image", "stimulus_thumbnail"):
        assert desk.get(reverse(page, args=[study.slug, name])).status_code == 404
    link = decisions.share(other, owner)
    assert desk.post(reverse("revoke", args=[study.slug, link.pk])).status_code == 404
    link.refresh_from_db()
    assert link.revoked_at is None


#: What stands in a study's address after its name: of another study, it is not found.
OF_A_STUDY = {
    "$other",
    "$exclusion",
    "$link",
    "$reader_invitation",
    "$viewing",
    "$stimulus",
}


def test_no_address_of_ones_own_study_reaches_into_another(world, study, owner):
    """pretix's API answered for all events of an organiser, and gave a made file to whoever knew its number."""
    other = rated_study(people=2, slug="other")
    boss = User.objects.get(username="researcher")
    Study.objects.filter(pk=other.pk).update(owner=boss)
    other.refresh_from_db()
    person = other.participants.all()[0]
    accounts.invite(boss, Role.VIEWER, study=other)
    foreign = {
        "other": (second := other.participants.all()[1]).pk,
        "other_code": second.code,
        "exclusion": decisions.exclude(person, "a test", boss).pk,
        "link": decisions.share(other, boss).pk,
        "reader_invitation": AccountLink.objects.get(study=other).pk,
        "viewing": decisions.add_viewer(other, "viewer", boss).pk,
        "stimulus": other.stimuli.all()[0].name,
    }
    patterns, client = named_patterns(), browser_of("owner")
    tried, reached = 0, []
    for name, row in ROWS.items():
        if name not in patterns or not OF_A_STUDY & {str(value) for value in row.keys.values()}:
            continue
        if "slug" not in patterns[name].pattern.converters:
            continue
        tried += 1
        address = address_of(name, patterns[name], world | foreign)
        response = (
            client.post(address, filled(row.form, world | foreign)) if row.post else client.get(address)
        )
        if response.status_code != 404:
            reached.append((name, response.status_code))
    assert reached == []
    assert tried > 6
    assert other.participants.count() == 2
    assert client.get(reverse("common_scale", args=[study.slug]), {"with": "other"}).status_code == 404
    assert "other" not in client.get(reverse("planning"), {"noise": "other"}).context
    secret = tokens.make(owner, "mine")
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get(reverse("api_study", args=["other"]), headers=headers).status_code == 404


def test_a_new_researcher_may_create_and_a_viewer_may_not(world):
    from survey.access.studies import may_create_studies

    may = {user.username: may_create_studies(user) for user in User.objects.all()}
    assert may == {"admin": True, "owner": True, "researcher": True, "viewer": False, "stranger": False}
