"""What can break while people rate, each done to a running site. The tests do it to both databases, and so does `benchmarks/attack.py`.

Each returns what the people saw. The bots send an answer again until it is acknowledged, as the page's outbox does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from benchmarks.bots import Player, Tally, crowd, play
from benchmarks.object_store import BUCKET, KEYS, Store
from benchmarks.site import Site
from survey.simulation.client import Browser
from tests import postgres as scratch

PEOPLE = 4
# Seconds to wait, at most.
PATIENCE = 180
YEAR = 365 * 86_400


class Served(NamedTuple):
    """An installation with its running server, which survives what is done to it."""

    site: Site
    port: int
    master: int


@contextlib.contextmanager
def serve(site: Site, settings: str = "nstsite.settings", preload: bool = False) -> Iterator[Served]:
    """Serve an installation, by workers that have loaded the program: each for itself, or the master before them."""
    with site.serve(settings=settings, preload=preload) as (port, master):
        asyncio.run(_warm(port))
        yield Served(site, port, master)


async def _warm(port: int) -> None:
    """Let each worker load the program, as its first answer does."""
    await asyncio.gather(*(Browser(port).ask("GET", "/s/load/") for _ in range(8)))


def workers(master: int) -> list[int]:
    """Return the process ids of the web workers."""
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def harmed(
    port: int, harm: Callable[[Tally], object], people: int = PEOPLE, kind: type[Player] = Player
) -> Tally:
    """Let people rate, and once they do, do harm; return what they saw. They must be served again afterwards."""

    async def run() -> Tally:
        tally, is_over = Tally(), asyncio.Event()

        async def served(more: int) -> None:
            wanted = len(tally.acknowledged) + more
            while len(tally.acknowledged) < wanted:
                await asyncio.sleep(0.05)

        act = partial(play, port, "load", tally, lambda: not is_over.is_set(), 0.1, retry=True, kind=kind)
        bots = asyncio.create_task(crowd(people, act))
        await asyncio.wait_for(served(people), PATIENCE)
        await asyncio.to_thread(harm, tally)
        await asyncio.wait_for(served(10 * people), PATIENCE)
        is_over.set()
        await asyncio.wait_for(bots, PATIENCE)
        return tally

    return asyncio.run(run())


def ask(port: int, path: str, cookies: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Return status and content of one address."""

    async def once() -> tuple[int, bytes]:
        browser = Browser(port)
        browser.cookies |= cookies or {}
        return await browser.ask("GET", path)

    return asyncio.run(once())


def web_workers_killed(served: Served, people: int = PEOPLE) -> Tally:
    """Kill all web workers at once: the master starts others."""

    def kill_all(_: Tally) -> None:
        for pid in workers(served.master):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)

    tally = harmed(served.port, kill_all, people)
    assert len(workers(served.master)) == 2
    return tally


def postgresql_killed(served: Served, server: scratch.Server, people: int = PEOPLE) -> Tally:
    """Kill PostgreSQL and start it again after ten seconds."""

    def kill_and_restart(_: Tally) -> None:
        back = time.monotonic() + 10
        server.kill()
        # This waits for the database too, for longer than that.
        assert ask(served.port, "/readyz")[0] == 503
        time.sleep(max(0.0, back - time.monotonic()))
        server.start()

    tally = harmed(served.port, kill_and_restart, people)
    assert ask(served.port, "/readyz")[0] == 200
    return tally


@contextlib.contextmanager
def no_room_for_files(master: int, most: int) -> Iterator[None]:
    """Let no worker write a file beyond so many bytes: a full or read-only disk, for root and for everybody else."""
    kept = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers(master)}
    for pid, (_, hard) in kept.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
    yield
    for pid, limits in kept.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def disk_full(served: Served, people: int = PEOPLE) -> Tally:
    """Fill the disk that SQLite writes to, for two seconds."""

    def fill_then_free(_: Tally) -> None:
        with no_room_for_files(served.master, 64 * 1024):
            time.sleep(2)

    return harmed(served.port, fill_then_free, people)


def media_read_only(served: Served, people: int = PEOPLE) -> Tally:
    """Let nobody write an image: the database is another process's, so that this is for PostgreSQL."""

    def write_protect(_: Tally) -> None:
        with no_room_for_files(served.master, 0):
            status, why = ask(served.port, "/readyz")
            time.sleep(1)
        assert (status, b"media" in why) == (503, True)

    tally = harmed(served.port, write_protect, people)
    assert ask(served.port, "/readyz")[0] == 200
    return tally


def silent_clients(served: Served, people: int = PEOPLE) -> Tally:
    """Connect 16 times and send nothing.

    Half a request is another matter: reading those is the proxy's work (docs/how-to/operations.md, Harden).
    """
    with contextlib.ExitStack() as stack:

        def stall(_: Tally) -> None:
            for _line in range(16):
                stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))

        return harmed(served.port, stall, people)


def object_store_away(site: Site, people: int = PEOPLE, preload: bool = False) -> Tally:
    """Take the object store away: people rate on, and images come as soon as it is back."""
    store = Store(Path(site.env["DATA_DIR"]) / "media", "127.0.0.1", scratch.free_port())
    site.env |= KEYS | {"MEDIA_S3_BUCKET": BUCKET, "MEDIA_S3_ENDPOINT": store.url}
    store.start()
    image = next(path.stem for path in store.folder.rglob("*.*") if "stimuli" in path.parts)
    token = site.manage("shell", "--verbosity", "0", "-c", A_PERSON).split()[-1]
    with serve(site, preload=preload) as served:
        port = served.port

        def shown() -> int:
            return ask(port, f"/s/load/image/{image}", {"participant": token})[0]

        assert shown() == 200

        def lose_it(_: Tally) -> None:
            store.kill()
            assert ask(port, "/readyz")[0] == 503
            assert shown() == 503

        tally = harmed(port, lose_it, people)
        store.start()
        assert shown() == 200
        assert ask(port, "/readyz")[0] == 200
    store.kill()
    return tally


A_PERSON = (
    "from survey.models import Study; from survey.session.starting import start; "
    "print(start(Study.objects.get(slug='load')).token)"
)


@contextlib.contextmanager
def bad_line(port: int) -> Iterator[int]:
    """Forward to a port, and cut each connection after some bytes, whichever way they go; yield the port to use."""
    rng, loop = random.Random(0), asyncio.new_event_loop()

    async def forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: list[int]) -> None:
        while left[0] > 0 and (data := await source.read(1024)):
            sink.write(data[: left[0]])
            left[0] -= len(data)
            await sink.drain()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, on = await asyncio.open_connection("127.0.0.1", port)
        left = [rng.randint(300, 40_000)]
        ways = [
            asyncio.ensure_future(forward(reader, on, left)),
            asyncio.ensure_future(forward(back, writer, left)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, on):
            end.transport.abort()

    server = loop.run_until_complete(asyncio.start_server(carry, "127.0.0.1", 0))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def lines_cut(served: Served, people: int = PEOPLE) -> Tally:
    """Cut every connection again and again, in the middle of what is sent or answered."""
    with bad_line(served.port) as line:
        return harmed(line, lambda _: time.sleep(2), people)


class Twice(Player):
    """A person whose every answer goes out twice at once: a double click, or two tabs."""

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Send a request, and an answer by two connections."""
        if method != "POST" or not path.endswith("/rate/"):
            return await super().ask(method, path, form)
        other = Player(self.port)
        other.cookies = self.cookies
        first, second = await asyncio.gather(super().ask(method, path, form), other.ask(method, path, form))
        other.close()
        assert first[0] == second[0] == 200, f"answers sent twice: {first[0]}, {second[0]}"
        return first


def answers_sent_twice(served: Served, people: int = PEOPLE) -> Tally:
    """Send each answer twice at the same moment."""
    return harmed(served.port, lambda _: time.sleep(1), people, Twice)


def clock_jumps(site: Site, people: int = PEOPLE, preload: bool = False) -> Tally:
    """Set the host's clock a year ahead, an hour back, and right again."""

    def jump(_: Tally) -> None:
        for seconds in (YEAR, -3600, 0):
            Path(site.env["DATA_DIR"], "clock").write_text(str(seconds))
            time.sleep(1)

    with serve(site, "tests.faults.clock", preload) as served:
        return harmed(served.port, jump, people)
