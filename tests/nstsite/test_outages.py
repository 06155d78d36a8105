"""What is away is said to be away, and when to ask again."""

from __future__ import annotations

import errno

import pytest
from botocore.exceptions import EndpointConnectionError  # type: ignore[import-untyped]
from django.db import InterfaceError, OperationalError
from django.test import Client

from tests.survey.factories import join, make_study

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("gone"),
        InterfaceError("gone"),
        EndpointConnectionError(endpoint_url="http://s3"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EROFS, "Read-only file system"),
    ],
)
def test_a_page_that_cannot_reach_its_data_answers_503_and_is_not_kept(client, monkeypatch, error):
    study = make_study()
    trial = join(client, study).trials.all()[0]

    def away(name: str) -> None:
        raise error

    monkeypatch.setattr("survey.session.pages.trials.default_storage.open", away)
    response = client.get(f"/s/study/image/{trial.stimulus.name}")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError(errno.EIO, "Input/output error")])
def test_a_fault_of_ours_is_reported_as_one(monkeypatch, error):
    def broken(path: str) -> None:
        raise error

    make_study()
    client = Client(raise_request_exception=False)
    trial = join(client, make_study(slug="other")).trials.all()[0]
    monkeypatch.setattr("survey.session.pages.trials.default_storage.open", broken)
    assert client.get(f"/s/other/image/{trial.stimulus.name}").status_code == 500
