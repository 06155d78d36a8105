"""Servers of our own, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import postgres as scratch
from tests.programs import POSTGRESQL, require

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def postgres() -> Iterator[scratch.Server]:
    """A PostgreSQL server that a test may kill, as long as it starts it again."""
    require(POSTGRESQL)
    with scratch.server() as server:
        yield server


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation of its own: nothing of the checkout's state, nothing of this test run's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "OMP_NUM_THREADS")
    }
    return kept | {"DATA_DIR": str(tmp_path / "data"), "STARTS_PER_MINUTE": "0", "PYTHONPATH": str(ROOT)}


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
