"""What breaks while people rate: no answer that was acknowledged is lost or doubled, and the site comes back by itself.

The bots send an answer again until it is acknowledged, as the page's outbox does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.survey_load import Browser, Site, Tally, crowd, play
from tests.end_to_end.test_backup import database

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgres"])
def site(request, tmp_path) -> Site:
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    site = Site(tmp_path, database(server, "faults") if server else None)
    site.publish("load", images=20)
    return site


def workers(master: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def harmed(port: int, harm: Callable[[], None], seconds: float = 6.0) -> Tally:
    """Let six people rate; after a second do harm; return what they saw. They must be served again afterwards."""

    async def run() -> Tally:
        # Each worker's first answer loads the program.
        await asyncio.gather(*(Browser(port).ask("GET", "/s/load/") for _ in range(16)))
        tally = Tally()
        until = time.perf_counter() + seconds
        bots = asyncio.create_task(crowd(6, lambda: play(port, "load", tally, until, pause=0.05, retry=True)))
        while not tally.acknowledged:
            await asyncio.sleep(0.1)
            assert time.perf_counter() < until
        await asyncio.to_thread(harm)
        served = len(tally.acknowledged)
        await asyncio.wait_for(bots, 60)
        assert len(tally.acknowledged) > served
        return tally

    return asyncio.run(run())


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


def test_postgresql_killed_and_gone_for_ten_seconds(postgres, tmp_path) -> None:
    site = Site(tmp_path, database(postgres, "faults"))
    site.publish("load", images=20)

    def kill_and_restart() -> None:
        postgres.kill()
        time.sleep(10)
        assert asyncio.run(ready(port)) == 503
        postgres.start()

    with site.serve() as (port, _):
        tally = harmed(port, kill_and_restart, seconds=15)
        assert asyncio.run(ready(port)) == 200
    assert tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


async def ready(port: int) -> int:
    status, _ = await Browser(port).ask("GET", "/readyz")
    return status


def test_clients_that_connect_and_send_nothing_give_way_within_seconds(tmp_path) -> None:
    """Half a request is another matter: reading those is the proxy's work (docs/operations.md, Harden)."""
    site = Site(tmp_path, None)
    site.publish("load", images=20)
    with site.serve() as (port, _), contextlib.ExitStack() as stack:

        def stall() -> None:
            for _ in range(16):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))

        tally = harmed(port, stall)
    assert not tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 48 MB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_answers_and_loses_none(small_disk, tmp_path) -> None:
    site = Site(tmp_path, None)
    site.env["DATA_DIR"] = str(small_disk)
    site.publish("load", images=20)
    ballast = small_disk / "ballast"

    def fill_then_free() -> None:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        time.sleep(2)
        ballast.unlink()

    with site.serve() as (port, _):
        tally = harmed(port, fill_then_free, seconds=8)
    assert tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)
