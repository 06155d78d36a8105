"""Each address with the wrong person at the door."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from survey import desk as decisions
from survey.models import Exclusion, ShareLink, Study
from survey.researcher_urls import PAGES, urlpatterns
from tests.survey.factories import join, make_study
from tests.survey.researcher.conftest import client_of

pytestmark = pytest.mark.django_db

ARGUMENTS = {
    "plot": {"name": "mos", "file_format": "svg"},
    "table": {"name": "mos"},
    "download": {"file_format": "csv"},
}
BUTTONS = ("exclude", "lift", "links", "viewers")
POSTS = ("exclude", "lift", "share", "revoke", "add_viewer", "remove_viewer")


def pages(study: Study, prefix: str = "", **key: str) -> list[str]:
    """Return the address of every page to read of a study."""
    name = study.stimuli.first().name
    arguments = ARGUMENTS | {"stimulus_image": {"name": name}, "stimulus_thumbnail": {"name": name}}
    key = key or {"slug": study.slug}
    return [reverse(prefix + page, kwargs=key | arguments.get(page, {})) for _, _, page in PAGES]


def acts(study: Study) -> list[str]:
    """Return the address of everything that changes a study, and of the pages with those buttons."""
    person = study.participants.first()
    assert person is not None
    exclusion = Exclusion.objects.create(participant=person, reason="a test")
    link = ShareLink.objects.create(study=study)
    viewer = decisions.add_viewer(study, User.objects.create_user("viewer").username, study.owner)
    slug = study.slug
    return [
        reverse("participants", args=[slug]),
        reverse("sharing", args=[slug]),
        reverse("exclude", args=[slug, person.code]),
        reverse("lift", args=[slug, exclusion.pk]),
        reverse("share", args=[slug]),
        reverse("revoke", args=[slug, link.pk]),
        reverse("add_viewer", args=[slug]),
        reverse("remove_viewer", args=[slug, viewer.pk]),
    ]


def status(client: Client, address: str) -> int:
    """Open an address, or press its button where it is one; return the answer's status."""
    response = (
        client.post(address) if any(f"/{word}/" in address for word in BUTTONS) else client.get(address)
    )
    if response.streaming:
        response.getvalue()
    return response.status_code


def test_the_owner_reads_every_page(study, desk):
    assert {address: status(desk, address) for address in pages(study)} == dict.fromkeys(pages(study), 200)


def test_a_stranger_with_an_account_finds_nothing(study):
    stranger = client_of(User.objects.create_user("stranger"))
    for address in pages(study):
        assert status(stranger, address) == 404, address
    for address in acts(study):
        assert status(stranger, address) == 404, address
    assert reverse("results", args=[study.slug]) not in stranger.get(reverse("studies")).content.decode()


def test_without_an_account_every_address_leads_to_the_sign_in(study, client):
    for address in [*pages(study), *acts(study), reverse("studies")]:
        response = client.get(address)
        assert response.status_code == 302, address
        assert response["Location"].startswith(reverse("sign_in"))


def test_a_participant_is_nobody_here(study, client):
    other = make_study(slug="other")
    join(client, other)
    for address in [*pages(study), *pages(other)]:
        assert client.get(address)["Location"].startswith(reverse("sign_in"))


def test_a_viewer_reads_and_changes_nothing(study):
    everything = acts(study)
    viewer = client_of(User.objects.get(username="viewer"))
    for address in pages(study):
        assert status(viewer, address) == 200, address
    for address in everything:
        assert status(viewer, address) == 404, address
    assert reverse("results", args=[study.slug]) in viewer.get(reverse("studies")).content.decode()


def test_an_admin_reads_all(study):
    admin = client_of(User.objects.create_superuser("admin"))
    for address in pages(study):
        assert status(admin, address) == 200, address


def test_a_share_link_shows_every_page_until_it_is_revoked(study, owner, client):
    link = decisions.share(study, owner)
    shared = pages(study, "shared_", token=link.token)
    assert {status(client, address) for address in shared} == {200}
    assert client.get(shared[0])["X-Robots-Tag"] == "noindex"
    decisions.revoke(link, owner)
    assert {status(client, address) for address in shared} == {404}


def test_a_shared_page_links_to_nothing_that_needs_an_account(study, owner, client):
    link = decisions.share(study, owner)
    html = client.get(reverse("shared_results", args=[link.token])).content.decode()
    assert reverse("sharing", args=[study.slug]) not in html
    assert reverse("participants", args=[study.slug]) not in html


def test_a_guessed_share_link_finds_nothing(study, client):
    assert status(client, reverse("shared_results", args=["guess"])) == 404


def test_an_image_of_another_study_is_not_found(study, desk):
    other = make_study(slug="other")
    name = other.stimuli.get(item="cat-weak").name
    for page in ("stimulus_image", "stimulus_thumbnail"):
        assert status(desk, reverse(page, args=[study.slug, name])) == 404


def test_a_look_changes_nothing(study, desk):
    for pattern in urlpatterns:
        if pattern.name in POSTS:
            keys = {"slug": study.slug, "code": "X", "pk": 1}
            wanted = {key: keys[key] for key in pattern.pattern.converters}
            assert desk.get(reverse(str(pattern.name), kwargs=wanted)).status_code == 405, pattern.name
