"""Installations and servers of our own, to be harmed."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from benchmarks.site import Site
from tests import postgres as scratch
from tests.end_to_end.conftest import installation, installed, manage, postgres
from tests.shared import made_once

__all__ = ["installation", "installed", "manage", "postgres"]

IMAGES = 12


def empty_database(server: scratch.Server, name: str, template: str = "template1") -> str:
    """Make a database, as a copy of another; return its address."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.url.removesuffix("/postgres") + f"/{name}"


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Site:
    """An installation with the study `load`, to be copied by all workers."""

    def make(folder: Path) -> None:
        shutil.copytree(installed, folder / "data")
        Site(folder, None).publish("load", IMAGES)

    return Site(made_once(tmp_path_factory, "published", make), None)


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
