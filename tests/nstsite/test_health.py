from __future__ import annotations

import pytest
from django.core.files.storage import default_storage


def test_it_is_alive_without_a_database(client):
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_it_is_ready_when_database_and_media_work(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})


@pytest.mark.django_db
def test_it_says_when_the_media_store_takes_no_file(client, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(vars(default_storage)["_wrapped"]), "save", full)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["media: No space left on device"])
