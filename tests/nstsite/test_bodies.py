"""What is too large is refused by its announcement: not a byte of it is read or written to disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.test.client import FakePayload
from django.urls import reverse

from nstsite.bodies import FORMS, MAX_BYTES, MAX_FORM_BYTES, MAX_UPLOAD_BYTES, UPLOADS
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


def test_nginx_lets_through_what_the_site_takes():
    text = (Path(settings.BASE_DIR) / "deploy/nginx/nstsite.conf").read_text()
    (usual,) = re.findall(r"^    client_max_body_size (\d+)m;", text, re.M)
    assert int(usual) * 1_048_576 == MAX_BYTES
    named = dict.fromkeys(UPLOADS, MAX_UPLOAD_BYTES) | dict.fromkeys(FORMS, MAX_FORM_BYTES)
    own = re.findall(r"location (=|~) (\S+) \{\n        client_max_body_size (\d+)m;", text)
    assert len(own) == len(named)
    for name, most in named.items():
        address = reverse(name, args=["study"] if name in FORMS else [])
        (found,) = [
            size
            for kind, place, size in own
            if (address == place if kind == "=" else re.search(place, address))
        ]
        assert int(found) * 1_048_576 == most


def test_who_is_signed_in_uploads_up_to_the_limit_where_files_are_taken(client):
    client.force_login(User.objects.create_superuser("admin", password="x"))
    assert send(client, "/pictures/upload/", MAX_UPLOAD_BYTES + 1) == 413
    assert send(client, "/plans/new/", MAX_BYTES + 1) == 413
    with pytest.raises(AssertionError, match="the body was read"):
        send(client, "/pictures/upload/", MAX_UPLOAD_BYTES)


def test_the_addresses_that_take_files_are_there():
    from tests.survey.desk.world import named_patterns

    assert set(named_patterns()) >= UPLOADS
