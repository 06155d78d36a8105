from __future__ import annotations

import io
import json
import logging
import logging.config
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG)
    return lambda: [record.getMessage() for record in caplog.records]


def test_each_answer_carries_the_id_that_its_log_line_has(client, caplog):
    caplog.set_level(logging.INFO, "nstsite.requests")
    first, second = client.get("/healthz"), client.get("/healthz")
    assert first["X-Request-ID"] != second["X-Request-ID"]
    assert "GET /healthz 200" in caplog.text


def test_it_takes_over_the_proxys_id_and_refuses_one_that_could_forge_a_line(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abcd-1234"})["X-Request-ID"] == "abcd-1234"
    for bad in ("x" * 65, "short", "two words here"):
        assert client.get("/healthz", headers={"X-Request-ID": bad})["X-Request-ID"] != bad


def test_no_line_holds_an_address_of_a_person_or_the_secret_of_a_share_link(client, lines):
    visitor = {"REMOTE_ADDR": "203.0.113.77", "HTTP_X_FORWARDED_FOR": "198.51.100.9"}
    client.get("/shared/SECRETLINK/results/", **visitor)
    client.get("/s/nowhere/?PROLIFIC_PID=PERSON", **visitor)
    client.post("/sign-in/", {"username": "a", "password": "b"}, **visitor)
    text = "\n".join(lines())
    assert "/shared/<str:token>/results/" in text
    for secret in ("203.0.113.77", "198.51.100.9", "SECRETLINK", "PERSON"):
        assert secret not in text


def test_as_json_each_line_is_one_object(capsys):
    config: dict[str, Any] = django_settings.LOGGING
    console = config["handlers"]["console"] | {"formatter": "json"}
    logging.config.dictConfig(config | {"handlers": {"console": console}})
    try:
        logging.getLogger("nstsite.test").warning("a\nb", extra={"status": 503})
    finally:
        logging.config.dictConfig(config)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"message": "a\nb", "status": 503, "levelname": "WARNING"}.items()


@pytest.fixture
def written(settings):
    """What the configured handler writes of a record, as text and as JSON."""
    stream = io.StringIO()

    def write(file_format: str) -> str:
        logger = logging.getLogger()
        config: dict[str, Any] = django_settings.LOGGING
        console = config["handlers"]["console"] | {"formatter": file_format, "stream": stream}
        logging.config.dictConfig(config | {"handlers": {"console": console}})
        assert logger.handlers
        return stream.getvalue()

    yield write, stream
    logging.config.dictConfig(django_settings.LOGGING)


@pytest.mark.parametrize("file_format", ["text", "json"])
def test_no_refusal_and_no_fault_writes_the_secret_of_an_address(written, file_format, monkeypatch):
    write, stream = written
    write(file_format)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.post("/shared/SECRETLINK/results/", {"a": "b"})
    client.post("/sign-in/?next=/shared/SECRETLINK/", {"a": "b"})

    def fail(token: str) -> None:
        raise RuntimeError(f"no page at /shared/{token}/results/?v=SECRETLINK")

    monkeypatch.setattr("nstsite.shared_pages.shared_study", fail)
    assert client.get("/shared/SECRETLINK/results/?v=SECRETLINK").status_code == 500
    text = stream.getvalue()
    assert "RuntimeError" in text
    assert "Forbidden" in text
    assert "SECRETLINK" not in text


def test_a_wrong_host_leaves_no_traceback(written):
    write, stream = written
    write("text")
    assert Client().get("/", headers={"Host": "evil.example"}).status_code == 400
    assert stream.getvalue() == ""


@pytest.mark.django_db
def test_a_paused_study_is_no_fault_in_the_log(written):
    write, stream = written
    study = make_study()
    study.state = study.State.PAUSED
    study.save()
    write("text")
    assert Client().get("/s/study/").status_code == 503
    assert stream.getvalue() == ""
