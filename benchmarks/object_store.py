"""As much of an S3 server as the site asks of it, over a folder: `python -m benchmarks.object_store FOLDER HOST PORT`.

It keeps its objects when it is killed. It checks no signature, so it is for tests alone.
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread, get_ident
from urllib.parse import unquote

BUCKET = "media"
#: What a client of S3 wants to have.
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Store:
    """The objects of one bucket; it can be taken away and brought back.

    Args:
        folder: where the objects are, by their keys.
        host: address to listen on.
        port: port to listen on.
    """

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder, self.host, self.port = folder, host, port

    @property
    def url(self) -> str:
        """What MEDIA_S3_ENDPOINT takes."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Listen, in threads of this process."""
        handler = type("Answer", (_Answer,), {"folder": self.folder})
        self._server = ThreadingHTTPServer((self.host, self.port), handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def kill(self) -> None:
        """Answer nobody."""
        self._server.shutdown()
        self._server.server_close()


class _Answer(BaseHTTPRequestHandler):
    folder: Path

    def _place(self) -> Path:
        key = unquote(self.path.partition("?")[0]).removeprefix(f"/{BUCKET}/")
        place = (self.folder / key).resolve()
        return place if place.is_relative_to(self.folder.resolve()) else self.folder / "none"

    def do_PUT(self) -> None:
        place = self._place()
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_name(f".{place.name}.{get_ident()}")
        half.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        os.replace(half, place)
        self._send(200)

    def do_GET(self) -> None:
        place = self._place()
        if place.is_file():
            self._send(200, place.read_bytes())
        else:
            self._send(404)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        self._place().unlink(missing_ok=True)
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


if __name__ == "__main__":
    store = Store(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    ThreadingHTTPServer(
        (store.host, store.port), type("Answer", (_Answer,), {"folder": store.folder})
    ).serve_forever()
