"""What is too large is refused by its announcement: not a byte of it is read or written to disk."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.test.client import FakePayload

from nstsite.bodies import MAX_BYTES, MAX_UPLOAD_BYTES, UPLOADS
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db

FORM = "multipart/form-data; boundary=x"


class Unread(FakePayload):
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send(client: Client, address: str, announced: int) -> int:
    environment: dict[str, Any] = {
        "wsgi.input": Unread(),
        "CONTENT_LENGTH": str(announced),
        "CONTENT_TYPE": FORM,
    }
    return int(client.generic("POST", address, **environment).status_code)


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/s/study/",
        "/s/study/rate/",
        "/sign-in/",
        "/admin/login/",
        "/pictures/upload/",
        "/studies/new/",
    ],
)
def test_a_stranger_can_send_a_megabyte_and_no_more(client, address):
    make_study()
    assert send(client, address, 500_000_000) == 413
    assert send(client, address, MAX_BYTES + 1) == 413


def test_who_is_signed_in_uploads_up_to_the_limit_where_files_are_taken(client):
    client.force_login(User.objects.create_superuser("admin", password="x"))
    assert send(client, "/pictures/upload/", MAX_UPLOAD_BYTES + 1) == 413
    assert send(client, "/plans/new/", MAX_BYTES + 1) == 413
    with pytest.raises(AssertionError, match="the body was read"):
        send(client, "/pictures/upload/", MAX_UPLOAD_BYTES)


def test_the_addresses_that_take_files_are_there():
    from tests.survey.desk.world import named_patterns

    assert set(named_patterns()) >= UPLOADS
