"""A separate installation in a temporary folder, with a study, served as in production."""

from __future__ import annotations

import contextlib
import http.client
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
from PIL import Image

from tests import postgres

ROOT = Path(__file__).parents[1]
# The trial of each rating.
RATED = "SELECT t.token FROM survey_rating r JOIN survey_trial t ON t.id = r.trial_id"


class Site:
    """A separate installation in a temporary folder, and its production server."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "DATA_DIR": str(folder / "data"), "STARTS_PER_MINUTE": "0", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        if database:
            self.env["DATABASE_URL"] = database
        self.folder = folder

    def manage(self, *arguments: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def run(self, program: str) -> str:
        """Run a program with this installation's settings; return what it printed."""
        env = self.env | {"DJANGO_SETTINGS_MODULE": "nstsite.settings"}
        return subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def publish(self, slug: str, images: int, session: int | None = None) -> None:
        """Make the database and a study of plain coloured images; each person rates `session` of them, or all."""
        pictures = self.folder / "pictures"
        pictures.mkdir(exist_ok=True)
        for i in range(images):
            picture = Image.new("RGB", (64, 48), (i * 7 % 256, i * 31 % 256, i * 101 % 256))
            # A picture of one colour would be warned about.
            picture.putpixel((0, 0), (128, 128, 128))
            picture.save(pictures / f"c{i}-{i % 2}.png")
        file = self.folder / "study.toml"
        file.write_text(f'title = "{slug}"\n' + (f"[session]\nimages = {session}\n" if session else ""))
        commands = [
            ("migrate",),
            ("collectstatic", "--noinput"),
            ("create_study", slug, "--images", str(pictures), "--from", str(file)),
        ]
        self.run(
            "import django, sys; django.setup()\n"
            "from django.core.management import call_command\n"
            f"for command in {commands!r}: call_command(*command, verbosity=0)"
        )

    @contextlib.contextmanager
    def serve(
        self, workers: int = 2, settings: str = "nstsite.settings", preload: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Serve as `make serve` does; yield the port and the master's process id.

        Args:
            workers: How many processes answer.
            settings: The module with the site's settings.
            preload: Load the program once, before there are workers, which then start in no time.
        """
        port = postgres.free_port()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "nstsite.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            str(workers),
        ]
        command += ["--log-level", "error", *(["--preload"] if preload else [])]
        process = subprocess.Popen(command, cwd=ROOT, env=self.env | {"DJANGO_SETTINGS_MODULE": settings})
        try:
            _wait_for(port)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(timeout=180)

    def missing(self, tokens: list[str]) -> tuple[int, int]:
        """Return how many of these trials have no rating, and how many have more than one."""
        rated = Counter(self._tokens())
        return len(set(tokens) - set(rated)), sum(times > 1 for times in rated.values())

    def _tokens(self) -> list[str]:
        # Without Django, whose start takes half a second.
        if url := self.env.get("DATABASE_URL"):
            with psycopg.connect(url) as server:
                return [row[0] for row in server.execute(RATED)]
        with contextlib.closing(sqlite3.connect(Path(self.env["DATA_DIR"]) / "nstsite.sqlite3")) as file:
            return [row[0] for row in file.execute(RATED)]


def _wait_for(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/healthz")
            connection.getresponse()
            connection.close()
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")
