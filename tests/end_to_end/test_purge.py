"""A site on which nothing is set up deletes personal data on the day that it promised."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT
from tests.postgres import free_port

pytestmark = pytest.mark.slow

JOIN = """
from survey.models import Study
from survey.session.starting import start
from tests.survey.factories import make_study
start(make_study('about = ["age"]'))
Study.objects.update(purge_on="2020-01-01")
"""


def test_the_site_deletes_on_its_own_what_is_due(installation, manage, tmp_path):
    for command in (["migrate", "--verbosity", "0", "--skip-checks"], ["shell", "--command", JOIN]):
        process = manage(*command)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    database = tmp_path / "data" / "nstsite.sqlite3"
    assert cookies(database) == 1
    place = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "nstsite.wsgi", "--bind", place, "--workers", "1"],
        cwd=ROOT,
        env=installation,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = tmp_path / "data" / "runs" / "expired.log"
    try:
        for _ in range(600):
            if log.exists() and "purged" in log.read_text():
                break
            time.sleep(0.2)
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert (
        log.read_text()
        == "1 participant purged; ratings are kept; 0 ended sign-ins and 0 old counts of wrong passwords deleted\n"
    )
    assert cookies(database) == 0


def cookies(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        (count,) = connection.execute(
            "SELECT count(*) FROM survey_participant WHERE token IS NOT NULL"
        ).fetchone()
        return int(count)
    finally:
        connection.close()
