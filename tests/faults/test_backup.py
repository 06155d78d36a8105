"""What is backed up while people rate can be restored elsewhere, and nothing acknowledged before is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bots import Tally
from benchmarks.site import ROOT, Site
from tests.faults.conftest import IMAGES, empty_database
from tests.faults.harms import harmed, serve
from tests.programs import POSTGRESQL

pytestmark = pytest.mark.slow
COUNT_IMAGES = (
    "from survey.models import Stimulus; print(sum(len(s.image.read()) > 0 for s in Stimulus.objects.all()))"
)


def run(site: Site, script: str, folder: Path, *key: Path) -> subprocess.CompletedProcess[str]:
    path = f"{POSTGRESQL.find()}:{site.env['PATH']}"
    return subprocess.run(
        [f"deploy/{script}", str(folder), *map(str, key)],
        cwd=ROOT,
        env=site.env | {"PYTHON": sys.executable, "PATH": path},
        capture_output=True,
        text=True,
    )


def test_a_backup_taken_in_full_run_is_restored_elsewhere(site: Site, tmp_path: Path, request) -> None:
    before: list[str] = []
    folder = tmp_path / "backup"

    def back_up(tally: Tally) -> None:
        # A backup of so few images takes a tenth of a second: take another until somebody rated meanwhile.
        while not before or len(tally.acknowledged) == len(before):
            shutil.rmtree(folder, ignore_errors=True)
            before[:] = tally.acknowledged
            saved = run(site, "backup.sh", folder)
            assert saved.returncode == 0, saved.stderr

    with serve(site, preload=True) as (_, port, _):
        assert not harmed(port, back_up).errors

    url = None
    if "DATABASE_URL" in site.env:
        url = empty_database(request.getfixturevalue("postgres"), "elsewhere")
    there = Site(tmp_path / "there", url)
    restored = run(there, "restore.sh", folder)
    assert restored.returncode == 0, restored.stderr
    assert there.missing(before) == (0, 0)
    counted = there.manage("shell", "--verbosity", "0", "-c", COUNT_IMAGES)
    assert counted.split()[-1] == str(IMAGES)
    assert (tmp_path / "there/data/secret_key").read_text() == (tmp_path / "data/secret_key").read_text()


def test_a_damaged_backup_is_refused(sqlite_site: Site, tmp_path: Path) -> None:
    assert run(sqlite_site, "backup.sh", tmp_path / "backup").returncode == 0
    picture = next((tmp_path / "backup/media").rglob("*.png"))
    picture.write_bytes(picture.read_bytes()[:-1])
    other = Site(tmp_path / "other", None)
    refused = run(other, "restore.sh", tmp_path / "backup")
    assert refused.returncode != 0
    assert picture.name in refused.stdout + refused.stderr
    assert not (tmp_path / "other").exists()


def test_nothing_is_restored_over_what_is_there(sqlite_site: Site, tmp_path: Path) -> None:
    assert run(sqlite_site, "backup.sh", tmp_path / "backup").returncode == 0
    refused = run(sqlite_site, "restore.sh", tmp_path / "backup")
    assert refused.returncode == 2
    assert "is there already" in refused.stderr


def test_the_secret_key_can_be_kept_apart_and_is_put_back(sqlite_site: Site, tmp_path: Path) -> None:
    own = (tmp_path / "data/secret_key").read_text()
    key, folder = tmp_path / "keys/site.key", tmp_path / "backup"
    key.parent.mkdir()
    assert run(sqlite_site, "backup.sh", folder, key).returncode == 0
    assert key.read_text() == own
    assert key.stat().st_mode & 0o077 == 0
    assert [file for file in folder.rglob("*") if file.is_file() and own.encode() in file.read_bytes()] == []
    there = Site(tmp_path / "there", None)
    assert run(there, "restore.sh", folder, key).returncode == 0
    assert (tmp_path / "there/data/secret_key").read_text() == own


def test_a_backup_without_its_key_is_restored_and_says_what_that_means(
    sqlite_site: Site, tmp_path: Path
) -> None:
    key = tmp_path / "site.key"
    assert run(sqlite_site, "backup.sh", tmp_path / "backup", key).returncode == 0
    there = Site(tmp_path / "there", None)
    restored = run(there, "restore.sh", tmp_path / "backup")
    assert restored.returncode == 0
    assert "No secret key came along" in restored.stderr
    assert (
        "no such file"
        in run(Site(tmp_path / "x", None), "restore.sh", tmp_path / "backup", tmp_path / "y").stderr
    )
    assert int(there.manage("shell", "--verbosity", "0", "-c", COUNT_IMAGES).split()[-1]) == IMAGES


def test_no_key_is_written_over_another(sqlite_site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text("of another site")
    refused = run(sqlite_site, "backup.sh", tmp_path / "backup", other)
    assert refused.returncode == 2
    assert "is another key" in refused.stderr
    assert other.read_text() == "of another site"
