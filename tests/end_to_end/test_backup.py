"""What is backed up while people rate can be restored elsewhere, and nothing acknowledged before is missing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from benchmarks.survey_load import Browser, Site, Tally, crowd, play
from tests import postgres as scratch

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def run(site: Site, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{scratch.find_bin()}:{site.env['PATH']}"
    return subprocess.run(
        [f"deploy/{script}", str(folder)],
        cwd=ROOT,
        env=site.env | {"PYTHON": sys.executable, "PATH": path},
        capture_output=True,
        text=True,
    )


def database(server: scratch.Server, name: str) -> str:
    """Make an empty database; return its address."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.removesuffix("/postgres") + f"/{name}"


def rate_for(port: int, seconds: float) -> Tally:
    tally = Tally()
    until = time.perf_counter() + seconds
    asyncio.run(crowd(3, lambda: play(port, "load", tally, until)))
    return tally


async def image(port: int, name: str, cookie: str) -> int:
    browser = Browser(port)
    browser.cookie = cookie
    status, _ = await browser.ask("GET", f"/s/load/image/{name}")
    return status


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_backup_taken_in_full_run_is_restored_elsewhere(kind, request, tmp_path) -> None:
    server = request.getfixturevalue("postgres") if kind == "postgres" else None
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    here = Site(tmp_path / "here", database(server, "here") if server else None)
    here.publish("load", images=8)
    with here.serve() as (port, _):
        before = rate_for(port, 2)
        saved = run(here, "backup.sh", tmp_path / "backup")
        rate_for(port, 0.5)
    assert saved.returncode == 0, saved.stderr

    there = Site(tmp_path / "there", database(server, "there") if server else None)
    restored = run(there, "restore.sh", tmp_path / "backup")
    assert restored.returncode == 0, restored.stderr
    there.manage("migrate", "--verbosity", "0")
    there.manage("collectstatic", "--noinput", "--verbosity", "0")
    assert before.acknowledged
    assert there.missing(before.acknowledged) == (0, 0)
    with there.serve() as (port, _):
        assert rate_for(port, 1).acknowledged
    names = there.manage("shell", "--verbosity", "0", "-c", SHOW_IMAGES).split()
    assert names[-1] == "8"


SHOW_IMAGES = (
    "from survey.models import Stimulus; print(sum(len(s.image.read()) > 0 for s in Stimulus.objects.all()))"
)


def test_a_damaged_backup_is_refused(tmp_path) -> None:
    site = Site(tmp_path, None)
    site.publish("load", images=2)
    assert run(site, "backup.sh", tmp_path / "backup").returncode == 0
    picture = next((tmp_path / "backup/media").rglob("*.png"))
    picture.write_bytes(picture.read_bytes()[:-1])
    other = Site(tmp_path, None)
    other.env["DATA_DIR"] = str(tmp_path / "other")
    refused = run(other, "restore.sh", tmp_path / "backup")
    assert refused.returncode != 0
    assert picture.name in refused.stdout + refused.stderr
    assert not (tmp_path / "other").exists()
