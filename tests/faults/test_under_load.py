"""What breaks while people rate: no answer that was acknowledged is lost or doubled, and the site comes back by itself.

The bots send an answer again until it is acknowledged, as the page's outbox does. What they were told is looked up in
the database afterwards.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.bots import Tally
from benchmarks.site import Site
from tests import postgres as scratch
from tests.faults.conftest import ask, copy, empty_database, harmed

pytestmark = pytest.mark.slow


def workers(master: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


class Served(NamedTuple):
    """An installation with its running server, which survives what the tests do to it."""

    site: Site
    port: int
    master: int


@pytest.fixture(scope="module")
def on_sqlite_served(on_sqlite: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    site = copy(on_sqlite, tmp_path_factory.mktemp("served"))
    with site.serve() as (port, master):
        yield Served(site, port, master)


@pytest.fixture(scope="module")
def on_postgres_served(
    on_postgres: Site, postgres: scratch.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    database = empty_database(postgres, "harmed", "published")
    site = copy(on_postgres, tmp_path_factory.mktemp("served"), database)
    with site.serve() as (port, master):
        yield Served(site, port, master)


@pytest.fixture(params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest) -> Served:
    """Each of the two, one after the other."""
    chosen: Served = request.getfixturevalue(f"on_{request.param}_served")
    return chosen


@contextlib.contextmanager
def no_room_for_files(master: int, most: int) -> Iterator[None]:
    """Let no worker write a file beyond so many bytes: a full or read-only disk, for root and for everybody else."""
    kept = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers(master)}
    for pid, (_, hard) in kept.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
    yield
    for pid, limits in kept.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def test_web_workers_killed_under_load_lose_and_double_nothing(served: Served) -> None:
    def kill_all(_: Tally) -> None:
        for pid in workers(served.master):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)

    tally = harmed(served.port, kill_all)
    assert len(workers(served.master)) == 2
    assert tally.errors
    assert served.site.missing(tally.acknowledged) == (0, 0)


def test_postgresql_killed_and_gone_for_ten_seconds(
    postgres: scratch.Server, on_postgres_served: Served
) -> None:
    site, port, _ = on_postgres_served

    def kill_and_restart(_: Tally) -> None:
        back = time.monotonic() + 10
        postgres.kill()
        # This waits for the database too, for longer than that.
        assert ask(port, "/readyz")[0] == 503
        time.sleep(max(0.0, back - time.monotonic()))
        postgres.start()

    tally = harmed(port, kill_and_restart)
    assert ask(port, "/readyz")[0] == 200
    assert tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


def test_a_full_disk_refuses_answers_and_loses_none(on_sqlite_served: Served) -> None:
    site, port, master = on_sqlite_served

    def fill_then_free(_: Tally) -> None:
        with no_room_for_files(master, 64 * 1024):
            time.sleep(2)

    tally = harmed(port, fill_then_free)
    assert tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


def test_with_read_only_media_people_go_on_and_the_site_says_that_it_is_not_ready(
    on_postgres_served: Served,
) -> None:
    site, port, master = on_postgres_served

    def write_protect(_: Tally) -> None:
        with no_room_for_files(master, 0):
            status, why = ask(port, "/readyz")
            time.sleep(1)
        assert (status, b"media" in why) == (503, True)

    tally = harmed(port, write_protect)
    assert ask(port, "/readyz")[0] == 200
    assert not tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


def test_clients_that_connect_and_send_nothing_give_way_within_seconds(on_sqlite_served: Served) -> None:
    """Half a request is another matter: reading those is the proxy's work (docs/how-to/operations.md, Harden)."""
    site, port, _ = on_sqlite_served
    with contextlib.ExitStack() as stack:

        def stall(tally: Tally) -> None:
            for _ in range(16):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))

        tally = harmed(port, stall)
    assert not tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)
