"""For every test: the order of the files, the database, and one browser."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.programs import require_browser
from tests.prolific_server import Prolific, serving

#: Milliseconds that a page may take. Generous: on a busy machine the first one waits for every import of the server.
PAGE_TIMEOUT = 20_000
#: Fixtures of a test that reads or writes the suite's own database.
_DATABASE = {"db", "transactional_db", "live_server", "django_db_setup"}


# On a busy machine an example may take any time: a slow one is no failure.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the database, and put the files that take long first.

    Workers take whole files in this order: a long one that comes last would let the others wait for it.
    """
    slow: dict[str, int] = {}
    for item in items:
        if item.get_closest_marker("django_db") or _DATABASE & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")
        if item.get_closest_marker("slow") or item.get_closest_marker("browser"):
            file = item.nodeid.partition("::")[0]
            slow[file] = slow.get(file, 0) + 1
    items.sort(key=lambda item: -slow.get(item.nodeid.partition("::")[0], 0))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: all modules and 4,500 collected tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the tests that commit be cleaned up: on SQLite that deletes rows, which the audit log's trigger refuses.

    tests/survey/access/test_audit.py puts the trigger back for its own tests.
    """
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_no_delete")


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
        yield browser
        browser.close()
