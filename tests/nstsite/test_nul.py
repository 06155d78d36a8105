"""A NUL is refused with a clear status on every way in: PostgreSQL raises when asked for one, SQLite does not."""

from __future__ import annotations

import pytest
from django.test import Client

from survey.models import Participant, Rating
from tests.survey.factories import current, join, make_study

pytestmark = pytest.mark.django_db

NUL = "\x00"


@pytest.mark.parametrize("address", ["/s/study%00/", "/s/study/image/x%00", "/s/study/?invitation=%00"])
def test_an_address_with_a_nul_is_not_there(client, address):
    make_study()
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("", {"consent": "on", "invitation": NUL}),
        ("", {"consent": "on", "PROLIFIC_PID": f"p{NUL}1"}),
        ("rate/", {"trial": NUL, "q-overall": "3"}),
        ("rate/", {f"q-{NUL}": "3"}),
        ("skip/", {"trial": NUL, "reason": "failed"}),
        ("delete/", {"code": NUL}),
    ],
)
def test_a_form_with_a_nul_is_refused_and_changes_nothing(client, page, form):
    person = join(Client(), make_study())
    trial = current(person)
    assert client.post(f"/s/study/{page}", {"trial": trial.token} | form).status_code == 400
    assert Participant.objects.count() == 1
    assert not Rating.objects.exists()


@pytest.mark.parametrize("name", ["participant", "sessionid"])
@pytest.mark.parametrize("page", ["/s/study/", "/s/study/rate/", "/studies/"])
def test_a_cookie_with_a_nul_is_refused(client, name, page):
    make_study()
    response = client.get(page, headers={"cookie": f'{name}="a\\000b"'})
    assert response.status_code == 400


def test_signing_in_with_a_nul_is_refused(client):
    assert client.post("/sign-in/", {"username": NUL, "password": NUL}).status_code == 400
