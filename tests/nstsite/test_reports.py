"""The page of an error shows no token and no password, though DEBUG is on."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from survey.access import tokens
from tests.prolific_server import TOKEN, Prolific
from tests.survey.desk.conftest import client_of
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db
# Put together, since a report shows lines of the program.
PASSWORD = " ".join(["an", "unheard-of", "password"])


def fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("a fault")


@pytest.fixture
def desk(settings: Any) -> Client:
    settings.DEBUG = True
    owner = User.objects.create_superuser("owner", password=PASSWORD)
    study = make_study()
    study.owner = owner
    study.save()
    client = client_of(owner)
    client.raise_request_exception = False
    return client


def report(response: Any) -> str:
    html = str(response.content.decode())
    assert response.status_code == 500
    assert "Traceback" in html
    assert "a fault" in html
    return html


@pytest.mark.parametrize(
    "breaks",
    [
        "survey.desk.pages.study.prolific.connect",
        "survey.study.prolific.link.check_token",
        "survey.study.prolific.link.lock",
        "survey.study.prolific.link.record",
        "survey.study.prolific.api.Prolific._ask",
        "requests.request",
        "requests.adapters.HTTPAdapter.send",
        "urllib3.connectionpool.HTTPConnectionPool.urlopen",
        "urllib3.connectionpool.HTTPConnectionPool._make_request",
        "http.client.HTTPConnection.endheaders",
    ],
)
def test_no_report_shows_prolifics_token(
    desk: Client, prolific: Prolific, monkeypatch: Any, breaks: str
) -> None:
    monkeypatch.setattr(breaks, fail)
    assert TOKEN not in report(desk.post("/studies/study/prolific/connect/", {"token": TOKEN}))


def test_no_report_shows_a_password(desk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(User, "check_password", fail)
    form = {"old_password": PASSWORD, "new_password1": PASSWORD * 2, "new_password2": PASSWORD * 2}
    assert PASSWORD not in report(desk.post("/account/password/", form))
    stranger = Client(raise_request_exception=False)
    assert PASSWORD not in report(stranger.post("/sign-in/", {"username": "owner", "password": PASSWORD}))


def test_no_report_shows_an_api_token(desk: Client, monkeypatch: Any) -> None:
    secret = tokens.make(User.objects.get(), "x")
    monkeypatch.setattr("survey.access.tokens.hash_of", fail)
    asked = Client(raise_request_exception=False).get(
        "/api/v1/studies", headers={"Authorization": f"Bearer {secret}"}
    )
    assert secret not in report(asked)
