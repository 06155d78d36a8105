"""The owner's set-up page: link, QR code, state, and the same definition through a form."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from survey import services
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_study('languages = ["en", "de"]\n[session]\nimages = 4\n')


@pytest.fixture
def owner(client, study):
    study.owner = User.objects.create_user("owner", password="x")
    study.save()
    client.force_login(study.owner)
    return study.owner


def filled(client) -> dict[str, str]:
    """Return the form as the page offers it."""
    form = client.get("/studies/study/setup/").context["form"]
    offered = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    return {name: value for name, value in offered.items() if value}


@pytest.mark.parametrize("path", ["", "qr.svg"])
def test_strangers_are_told_nothing(client, study, path):
    address = f"/studies/study/setup/{path}"
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("stranger", password="x"))
    assert client.get(address).status_code == 404


def test_the_link_stands_there_as_text_and_as_a_code(client, owner):
    assert "http://testserver/s/study/" in client.get("/studies/study/setup/").content.decode()
    code = client.get("/studies/study/setup/qr.svg")
    assert code.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in code.content


@pytest.mark.parametrize("state", ["paused", "closed", "open"])
def test_a_study_is_opened_paused_and_closed(client, owner, study, state):
    client.post("/studies/study/setup/state/", {"state": state})
    study.refresh_from_db()
    assert study.state == state


def test_an_unknown_state_changes_nothing(client, owner, study):
    client.post("/studies/study/setup/state/", {"state": "draft"})
    study.refresh_from_db()
    assert study.state == "open"


def test_the_form_as_offered_changes_nothing(client, owner, study):
    before = study.version.sha256
    form = filled(client) | {"title:de": "A study", "title:en": "A study"}
    assert client.post("/studies/study/setup/", form).status_code == 302
    again = services.definition_of(study.version)
    assert again.title == {"en": "A study", "de": "A study"}
    form = filled(client)
    client.post("/studies/study/setup/", form)
    assert services.definition_of(study.version) == again
    assert study.versions.count() == 1
    assert before != again.sha256


def test_a_change_after_someone_took_part_is_a_new_version(client, owner, study):
    services.start(study)
    form = filled(client) | {"consent.minutes": "7", "session.images": "", "consent.version": "2"}
    client.post("/studies/study/setup/", form)
    version = study.version
    definition = services.definition_of(version)
    assert (version.number, definition.consent.minutes, definition.session.images) == (2, 7, None)
    assert definition.consent.version == "2"


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("title:en", "", "This field is required."),
        ("consent.minutes", "46", "less than or equal to 45"),
        ("consent.purpose:en", "Only in English", "Say it in every language"),
        ("purge_on", "soon", "Enter a valid date"),
    ],
)
def test_a_fault_is_told_beside_its_field_and_nothing_is_saved(client, owner, study, field, value, complaint):
    response = client.post("/studies/study/setup/", filled(client) | {field: value})
    assert response.status_code == 422
    assert complaint in response.content.decode()
    assert study.versions.count() == 1
