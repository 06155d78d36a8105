"""Images from a bucket's own address, past the site: the policy lets the page fetch them, and no other origin's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.files.storage import default_storage

from survey.models import Rating, Trial
from tests.browser.steps import begin, rate, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Bucket(SimpleHTTPRequestHandler):
    """Serve the media folder as a public bucket does, to scripts of any origin."""

    def end_headers(self) -> None:
        """Allow reading across origins (CORS)."""
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def bucket(settings) -> Iterator[str]:
    """The address of a second server; MEDIA_PUBLIC_URL and the policy as settings.py derives them from it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Bucket, directory=default_storage.path("")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    settings.MEDIA_PUBLIC_URL = f"{origin}/"
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    more = {name: [*directives[name], origin] for name in ("img-src", "connect-src")}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | more}
    yield origin
    server.shutdown()
    server.server_close()


def test_a_session_with_images_from_another_origin(bucket, study, page):
    fetched: list[str] = []
    page.on("response", lambda response: fetched.append(response.url))
    begin(page)
    for number in (1, 2):
        ready(page, number)
        assert page.locator(".stage img").evaluate("i => i.naturalWidth") == 48
        rate(page)
    ready(page, 3)
    assert [url for url in fetched if url.startswith(f"{bucket}/stimuli/")]
    assert Rating.objects.count() == 2
    assert not Trial.objects.filter(outcome="skipped").exists()
