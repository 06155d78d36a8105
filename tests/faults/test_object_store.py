"""The object store is gone: people rate on, images fail until it is back, and nobody has to restart anything."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.site import Site
from tests import postgres as scratch
from tests.faults.test_under_load import ask, harmed

pytestmark = pytest.mark.slow
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Store:
    """As much of S3 as the site asks of it, over a folder; it can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        self.port = scratch.free_port()
        self.objects = {
            f"/media/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*.*")
        }

    def start(self) -> None:
        """Listen."""
        objects = self.objects

        class Answer(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                self._send(200)

            def do_GET(self) -> None:
                content = objects.get(self.path)
                self._send(404 if content is None else 200, content or b"")

            do_HEAD = do_GET

            def do_DELETE(self) -> None:
                objects.pop(self.path, None)
                self._send(204)

            def _send(self, status: int, content: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Last-Modified", self.date_time_string())
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Answer)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def kill(self) -> None:
        """Answer nobody."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def store(sqlite_site: Site) -> Iterator[Store]:
    store = Store(Path(sqlite_site.env["DATA_DIR"]) / "media")
    sqlite_site.env |= KEYS | {
        "MEDIA_S3_BUCKET": "media",
        "MEDIA_S3_ENDPOINT": f"http://127.0.0.1:{store.port}",
    }
    store.start()
    yield store
    store.kill()


def test_people_rate_on_without_the_object_store_and_see_images_once_it_is_back(
    sqlite_site: Site, store: Store
) -> None:
    image = next(Path(name).stem for name in store.objects if "/stimuli/" in name)
    token = sqlite_site.manage("shell", "--verbosity", "0", "-c", A_PERSON).split()[-1]
    with sqlite_site.serve() as (port, _):

        def shown() -> int:
            return ask(port, f"/s/load/image/{image}", {"participant": token})[0]

        assert shown() == 200

        def lose_it() -> None:
            store.kill()
            assert ask(port, "/readyz")[0] == 503
            assert shown() == 503

        tally = harmed(port, lose_it)
        store.start()
        assert shown() == 200
        assert ask(port, "/readyz")[0] == 200
    assert not tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)


A_PERSON = (
    "from survey.models import Study; from survey.session.starting import start; "
    "print(start(Study.objects.get(slug='load')).token)"
)
