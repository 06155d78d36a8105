"""For every test: the order of the files, the database, and one browser."""

from __future__ import annotations

import contextlib
import gc
import os
import sqlite3
from asyncio import _get_running_loop, _set_running_loop
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.core import management
from django.db import connection
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.programs import require_browser
from tests.prolific_server import Prolific, serving
from tests.shared import made_once

#: Milliseconds that a page may take. Generous: on a busy machine the first one waits for every import of the server.
PAGE_TIMEOUT = 20_000
#: Fixtures of a test that reads or writes the suite's own database.
_DATABASE = {"db", "transactional_db", "live_server", "django_db_setup"}
#: Their tests wait half of their time, for a page or for a server of their own.
_WAITING = ("tests/browser/", "tests/end_to_end/", "tests/faults/")
#: Seconds that files take whose tests are few and long: the number of their long tests does not show it.
_SECONDS = {
    "tests/faults/test_under_load.py": 120,
    "tests/end_to_end/test_newcomer.py": 90,
    "tests/nstsite/test_hostile.py": 50,
    "tests/faults/test_backup.py": 40,
    "tests/faults/test_distributed.py": 40,
    "tests/benchmarks/test_gpu.py": 30,
    "tests/faults/test_object_store.py": 15,
    "tests/survey/desk/test_results_page.py": 15,
    "tests/end_to_end/test_privacy.py": 15,
    "tests/end_to_end/test_readme.py": 15,
    "tests/end_to_end/test_demo.py": 15,
    "tests/nstsite/test_web_requirements.py": 15,
    "tests/generator/making/test_killed_runs.py": 15,
}


# On a busy machine an example may take any time: a slow one is no failure. And each run tries the same examples.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what uses the database, and put the files in an order that keeps the workers busy.

    Workers take whole files in this order. The last word must be ours: pytest-django puts tests by how they use the database.
    """
    for item in items:
        if item.get_closest_marker("django_db") or _DATABASE & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")
    yield
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    items[:] = [item for file in _in_order(files) for item in files[file]]


def _in_order(files: Mapping[str, Sequence[pytest.Item]]) -> list[str]:
    """Return the files, the long ones first. Those that wait are spread over the first half of the others.

    Most of the time is in that half. A file of a minute that began in the other would run alone at the end.
    """
    longest_first = sorted(files, key=lambda file: (-_SECONDS.get(file, 0), -sum(map(_is_long, files[file]))))
    waiting = [file for file in longest_first if file.startswith(_WAITING)]
    busy = [file for file in longest_first if not file.startswith(_WAITING)]
    step = 0.5 * len(busy) / max(1, len(waiting))
    places = {file: float(number) for number, file in enumerate(busy)}
    places |= {file: number * step for number, file in enumerate(waiting)}
    return sorted(waiting + busy, key=places.__getitem__)


def _is_long(item: pytest.Item) -> bool:
    """Say whether a test takes long by itself, or by emptying the database behind it."""
    database = item.get_closest_marker("django_db")
    return bool(
        item.get_closest_marker("slow")
        or item.get_closest_marker("browser")
        or (database and database.kwargs.get("transaction"))
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hide the event loop that Playwright leaves running in this thread from the tests without a browser."""
    loop = _get_running_loop()
    if "browser" not in getattr(item, "fixturenames", ()):
        _set_running_loop(None)
    result = yield
    _set_running_loop(loop or _get_running_loop())
    return result


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: all modules and 5,400 collected tests.

    And let it look less often: a page makes thousands of objects, hardly one of which waits for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Migrate SQLite's database in one worker, and copy it into those of the others: to migrate takes seconds."""
    if connection.vendor == "sqlite":

        def call(command: str, **options: Any) -> None:
            # Only for the making of the test database, whose first command is `migrate`.
            patch.stop()
            if command == "migrate":
                _migrate(tmp_path_factory, options)
            else:
                management.call_command(command, **options)

        patch = mock.patch.object(management, "call_command", call)
        patch.start()


def _migrate(factory: pytest.TempPathFactory, options: dict[str, Any]) -> None:
    def make(folder: Path) -> None:
        management.call_command("migrate", **options)
        with contextlib.closing(sqlite3.connect(folder / "db")) as file:
            connection.connection.backup(file)

    with contextlib.closing(sqlite3.connect(made_once(factory, "migrated", make) / "db")) as file:
        connection.ensure_connection()
        file.backup(connection.connection)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the tests that commit be cleaned up: on SQLite that deletes rows, which the audit log's trigger refuses.

    tests/survey/access/test_audit.py puts the trigger back for its own tests.
    """
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_no_delete")


@pytest.fixture(autouse=True)
def same_chance(request: pytest.FixtureRequest) -> Iterator[None]:
    """Participants of a test get the same designs in each run."""
    # Imports models, which pytest-django must have set up.
    from tests.chance import repeatable

    with repeatable(request.node.nodeid):
        yield


@pytest.fixture
def audit_protected(db: None) -> None:
    """The audit log as a deployment has it, for one test."""
    migration = import_module("survey.migrations.0003_audit_log")
    with connection.cursor() as cursor:
        # A schema editor, as SQLite's own does not work within a test's transaction.
        migration.protect(None, SimpleNamespace(connection=connection, execute=cursor.execute))


@pytest.fixture
def prolific(settings: Any) -> Iterator[Prolific]:
    """Prolific's API on this machine, as its documentation describes it."""
    with serving() as server:
        settings.PROLIFIC_API = server.address
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a process: Playwright cannot be started twice in one."""
    path = require_browser()
    # Playwright's sync API runs an event loop in this thread; Django would refuse the ORM beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        # No sandbox: as root there is none to be had. No background networking: the tests need no network.
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        expect.set_options(timeout=PAGE_TIMEOUT)
        loop = _get_running_loop()
        yield browser
        _set_running_loop(loop)
        browser.close()
