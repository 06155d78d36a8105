"""Servers of our own, to be killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import postgres as scratch
from tests.programs import POSTGRESQL, require
from tests.shared import made_once, run_folder

ROOT = Path(__file__).parents[2]
INSTALL = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[scratch.Server]:
    """A PostgreSQL server that a test may kill, as long as it starts it again."""
    require(POSTGRESQL)
    with scratch.server() as server:
        yield server


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a new installation on SQLite, to be copied: its tables and static files, and no secret key."""

    def make(folder: Path) -> None:
        # To migrate takes seconds: the suite's own database mostly has the tables already.
        migrated = run_folder(tmp_path_factory) / "migrated" / "db"
        if migrated.exists():
            shutil.copy(migrated, folder / "nstsite.sqlite3")
        env = _of_the_host() | {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "nstsite.settings"}
        subprocess.run([sys.executable, "-c", INSTALL], cwd=ROOT, env=env, check=True)
        (folder / "secret_key").unlink()

    return made_once(tmp_path_factory, "installed", make)


def _of_the_host() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "OMP_NUM_THREADS")
    return {name: os.environ[name] for name in kept if name in os.environ}


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation of its own: nothing of the checkout's state, nothing of this test run's."""
    return _of_the_host() | {
        "DATA_DIR": str(tmp_path / "data"),
        "STARTS_PER_MINUTE": "0",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def manage(installation: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `manage.py ...` of that installation; what still runs at the end is killed."""
    running = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=installation,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
