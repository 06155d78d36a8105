"""The production server as it runs: after a session and a few malformed requests, no file and no log names anyone."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT
from tests.postgres import free_port
from tests.survey.factories import folder_of_pictures

pytestmark = pytest.mark.slow

#: Where the participant's connections come from: on Linux, all of 127.0.0.0/8 is this machine.
ADDRESS = "127.0.0.77"
FORWARDED = "198.51.100.23"
BROWSER = "Marker-Browser/99.7"
TELLING = (ADDRESS, FORWARDED, "Marker-Browser")


@pytest.fixture
def served(installed, installation, manage, tmp_path):
    """An installation with one open study, under gunicorn at its most talkative; yields its port and its log."""
    pictures = folder_of_pictures(tmp_path / "pictures", ["a.png", "b.png"])
    shutil.copytree(installed, installation["DATA_DIR"])
    process = manage("create_study", "study", "--images", str(pictures))
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    port, log = free_port(), tmp_path / "gunicorn.log"
    serve = ["-m", "gunicorn", "nstsite.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    talkative = installation | {"LOG_LEVEL": "DEBUG", "TRUSTED_PROXIES": "1", "STARTS_PER_MINUTE": "100"}
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, *serve, "--log-level", "debug"],
            cwd=ROOT,
            env=talkative,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(port)
        yield port, log
    finally:
        server.terminate()
        server.wait(timeout=60)


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            ask(port)("GET", "/healthz")
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    pytest.fail("gunicorn did not start")


def ask(port: int) -> Callable[..., tuple[int, str, str]]:
    """Return a browser of one tab: `ask(method, path, form)` gives status, body, location, and keeps cookies."""
    cookies: dict[str, str] = {}

    def send(method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, source_address=(ADDRESS, 0), timeout=60)
        headers = {"User-Agent": BROWSER, "X-Forwarded-For": FORWARDED, "Host": "localhost"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
        response = connection.getresponse()
        for name, value in re.findall(r"^([^=;]+)=([^;]*)", response.headers.get("Set-Cookie", "")):
            cookies[name] = value
        body = response.read().decode(errors="replace")
        connection.close()
        return response.status, body, response.headers.get("Location", "")

    return send


def shout(port: int, bytes_: bytes) -> None:
    """Send what is no HTTP, as scanners do."""
    with socket.create_connection(("127.0.0.1", port), source_address=(ADDRESS, 0), timeout=30) as connection:
        connection.sendall(bytes_)
        connection.recv(1000)


def test_nothing_that_the_server_writes_names_a_person(served, installation):
    port, log = served
    browse = ask(port)
    assert browse("POST", "/s/study/", {"consent": "on"})[0] == 303
    for _ in range(2):
        page = browse("GET", "/s/study/rate/")[1]
        trial = re.search(r'name="trial" value="([^"]+)"', page)
        assert trial is not None
        assert browse("POST", "/s/study/rate/", {"trial": trial[1], "q-overall": "4"})[0] == 303
    assert "Thank you" in browse("GET", "/s/study/done/")[1]
    assert browse("GET", "/s/nowhere/")[0] == 404
    assert browse("POST", "/sign-in/", {"username": "x", "password": "y"})[0] == 403
    assert browse("POST", "/s/study/delete/", {"code": "\x00"})[0] == 400
    shout(port, b"\x16\x03\x01 hello\r\n\r\n")
    shout(port, f"GET /s/study/?from={FORWARDED} HTTP/9.9\r\nUser-Agent: {BROWSER}\r\n\r\n".encode())
    written = log.read_text()
    # The log is there, and talks: of the route, and of what was no request.
    assert "/s/<slug:slug>/rate/" in written
    assert "Invalid request" in written
    files = [log, *(path for path in Path(installation["DATA_DIR"]).rglob("*") if path.is_file())]
    assert any(path.suffix == ".sqlite3" for path in files)
    found = [(path.name, word) for path in files for word in TELLING if word.encode() in path.read_bytes()]
    assert found == []
