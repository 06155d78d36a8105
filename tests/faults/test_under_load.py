"""What breaks while people rate: no answer that was acknowledged is lost or doubled, and the site comes back by itself.

The bots send an answer again until it is acknowledged, as the page's outbox does. What they were told is looked up in
the database afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from benchmarks.bots import Tally, crowd, play
from benchmarks.site import Site
from survey.simulation.browser import Browser
from tests import postgres as scratch
from tests.faults.conftest import run_apart

pytestmark = pytest.mark.slow
PEOPLE = 4
# Seconds to wait, at most.
PATIENCE = 60


def workers(master: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def harmed(port: int, harm: Callable[[], None]) -> Tally:
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
        await asyncio.to_thread(harm)
        await asyncio.wait_for(served(10 * PEOPLE), PATIENCE)
        is_over.set()
        await asyncio.wait_for(bots, PATIENCE)
        return tally

    return run_apart(run())


def ask(port: int, path: str, cookies: dict[str, str] | None = None) -> tuple[int, bytes]:
    async def once() -> tuple[int, bytes]:
        browser = Browser(port)
        browser.cookies |= cookies or {}
        return await browser.ask("GET", path)

    return run_apart(once())


@contextlib.contextmanager
def no_room_for_files(master: int, most: int) -> Iterator[None]:
    """Let no worker write a file beyond so many bytes: a full or read-only disk, for root and for everybody else."""
    kept = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers(master)}
    for pid, (_, hard) in kept.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
    yield
    for pid, limits in kept.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def test_web_workers_killed_under_load_lose_and_double_nothing(site: Site) -> None:
    with site.serve() as (port, master):

        def kill_all() -> None:
            for pid in workers(master):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.5)

        tally = harmed(port, kill_all)
        assert len(workers(master)) == 2
    assert tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


def test_postgresql_killed_and_gone_for_ten_seconds(postgres: scratch.Server, postgres_site: Site) -> None:
    with postgres_site.serve() as (port, _):

        def kill_and_restart() -> None:
            postgres.kill()
            time.sleep(10)
            assert ask(port, "/readyz")[0] == 503
            postgres.start()

        tally = harmed(port, kill_and_restart)
        assert ask(port, "/readyz")[0] == 200
    assert tally.errors
    assert postgres_site.missing(tally.acknowledged) == (0, 0)


def test_a_full_disk_refuses_answers_and_loses_none(sqlite_site: Site) -> None:
    with sqlite_site.serve() as (port, master):

        def fill_then_free() -> None:
            with no_room_for_files(master, 64 * 1024):
                time.sleep(2)

        tally = harmed(port, fill_then_free)
    assert tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)


def test_with_read_only_media_people_go_on_and_the_site_says_that_it_is_not_ready(
    postgres_site: Site,
) -> None:
    with postgres_site.serve() as (port, master):

        def write_protect() -> None:
            with no_room_for_files(master, 0):
                status, why = ask(port, "/readyz")
                time.sleep(1)
            assert (status, b"media" in why) == (503, True)

        tally = harmed(port, write_protect)
        assert ask(port, "/readyz")[0] == 200
    assert not tally.errors
    assert postgres_site.missing(tally.acknowledged) == (0, 0)


def test_clients_that_connect_and_send_nothing_give_way_within_seconds(sqlite_site: Site) -> None:
    """Half a request is another matter: reading those is the proxy's work (docs/how-to/operations.md, Harden)."""
    with sqlite_site.serve() as (port, _), contextlib.ExitStack() as stack:

        def stall() -> None:
            for _ in range(16):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))

        tally = harmed(port, stall)
    assert not tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)
