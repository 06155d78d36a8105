"""Installations and servers of our own, to be harmed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from benchmarks.bots import Tally, crowd, play
from benchmarks.site import Site
from survey.simulation.browser import Browser
from tests import postgres as scratch
from tests.end_to_end.conftest import installation, manage, postgres

__all__ = ["installation", "manage", "postgres"]

IMAGES = 12
PEOPLE = 4
# Seconds to wait, at most.
PATIENCE = 60


def harmed(port: int, harm: Callable[[Tally], object]) -> Tally:
    """Let people rate, and once they do, do harm; return what they saw. They must be served again afterwards."""

    async def run() -> Tally:
        # Each worker's first answer loads the program.
        await asyncio.gather(*(Browser(port).ask("GET", "/s/load/") for _ in range(8)))
        tally, is_over = Tally(), asyncio.Event()

        async def served(more: int) -> None:
            wanted = len(tally.acknowledged) + more
            while len(tally.acknowledged) < wanted:
                await asyncio.sleep(0.05)

        act = partial(play, port, "load", tally, lambda: not is_over.is_set(), 0.1, retry=True)
        bots = asyncio.create_task(crowd(PEOPLE, act))
        await asyncio.wait_for(served(PEOPLE), PATIENCE)
        await asyncio.to_thread(harm, tally)
        await asyncio.wait_for(served(10 * PEOPLE), PATIENCE)
        is_over.set()
        await asyncio.wait_for(bots, PATIENCE)
        return tally

    return asyncio.run(run())


def ask(port: int, path: str, cookies: dict[str, str] | None = None) -> tuple[int, bytes]:
    async def once() -> tuple[int, bytes]:
        browser = Browser(port)
        browser.cookies |= cookies or {}
        return await browser.ask("GET", path)

    return asyncio.run(once())


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


def copy(site: Site, folder: Path, database: str | None = None) -> Site:
    """Copy an installation, and take another database for it unless that is in its folder."""
    shutil.copytree(site.env["DATA_DIR"], folder / "data")
    return Site(folder, database)


@pytest.fixture
def sqlite_site(on_sqlite: Site, tmp_path: Path) -> Site:
    """An installation of this test's own on SQLite, with the study `load` open."""
    return copy(on_sqlite, tmp_path)


@pytest.fixture
def postgres_site(on_postgres: Site, postgres: scratch.Server, tmp_path: Path) -> Site:
    """The same on PostgreSQL."""
    return copy(on_postgres, tmp_path, empty_database(postgres, "copied", "published"))


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest) -> Site:
    """Each of the two, one after the other."""
    chosen: Site = request.getfixturevalue(f"{request.param}_site")
    return chosen
