"""Installations and servers of our own, to be harmed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from benchmarks.site import Site
from tests import postgres as scratch
from tests.end_to_end.conftest import installation, manage, postgres

__all__ = ["installation", "manage", "postgres"]

IMAGES = 12
Result = TypeVar("Result")


def run_apart(work: Coroutine[None, None, Result]) -> Result:
    """Run an event loop in a thread of its own: Playwright, for other tests, leaves one running in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def empty_database(server: scratch.Server, name: str, template: str = "template1") -> str:
    """Make a database, as a copy of another; return its address."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.url.removesuffix("/postgres") + f"/{name}"


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An installation with the study `load`, to be copied."""
    site = Site(tmp_path_factory.mktemp("sqlite"), None)
    site.publish("load", IMAGES)
    return site


@pytest.fixture(scope="session")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres: scratch.Server) -> Site:
    """The same on PostgreSQL."""
    site = Site(tmp_path_factory.mktemp("postgres"), empty_database(postgres, "published"))
    site.publish("load", IMAGES)
    return site


@pytest.fixture
def sqlite_site(on_sqlite: Site, tmp_path: Path) -> Site:
    """An installation of this test's own on SQLite, with the study `load` open."""
    shutil.copytree(on_sqlite.env["DATA_DIR"], tmp_path / "data")
    return Site(tmp_path, None)


@pytest.fixture
def postgres_site(on_postgres: Site, postgres: scratch.Server, tmp_path: Path) -> Site:
    """The same on PostgreSQL."""
    shutil.copytree(on_postgres.env["DATA_DIR"], tmp_path / "data")
    return Site(tmp_path, empty_database(postgres, "harmed", "published"))


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest) -> Site:
    """Each of the two, one after the other."""
    chosen: Site = request.getfixturevalue(f"{request.param}_site")
    return chosen
