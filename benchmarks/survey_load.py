"""Bots play whole rating sessions against the production server on 127.0.0.1; every acknowledged answer is looked up.

    python -m benchmarks.survey_load [--people 16] [--images 60] [--seconds 10] [--database sqlite|postgres|both]

For each database: sessions as fast as the server answers (ratings/s), the bare view of `benchmarks/bare.py` in the
same server on the same rows (requests/s), and 400 people who rate once in 4 s (100 ratings/s offered). The bots share
the cores with the server. Results with the hardware go to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

from tests import postgres

ROOT = Path(__file__).parents[1]
Trial = dict[str, str]
Seat = tuple["Browser", list[Trial]]
STATE = re.compile(rb'<script id="state" type="application/json">(.*?)</script>', re.S)


@dataclass
class Tally:
    """What the bots saw: seconds of each answer, what went wrong, and trials whose answer was acknowledged."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0

    def report(self) -> dict[str, float | int]:
        """Return rate, percentiles in milliseconds, and errors."""
        took, ordered = (self.ended or time.perf_counter()) - self.began, sorted(self.seconds)

        def at(share: float) -> float:
            return (
                round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0
            )

        rate = round(len(ordered) / took, 1)
        return {
            "requests": len(ordered), "per_second": rate, "p50_ms": at(0.50), "p95_ms": at(0.95),
            "p99_ms": at(0.99), "errors": len(self.errors),
        }  # fmt: skip


class Browser:
    """One kept-alive connection to the server, with one cookie; as little work as a client can do."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie, self.saved, self.total = port, "", 0, 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Send one request; return status and body. Raises OSError, or EOFError when the server hangs up."""
        body = urlencode(form or {})
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        if self.cookie:
            head += f"Cookie: participant={self.cookie}\r\n"
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        try:
            writer.write(f"{head}\r\n{body}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            status, length, closes = self._read_head(answer.decode("latin-1"))
            content = await (reader.read() if length is None else reader.readexactly(length))
        except (OSError, EOFError):
            self.close()
            raise
        if closes or length is None:
            self.close()
        return status, content

    def _read_head(self, head: str) -> tuple[int, int | None, bool]:
        lines = head.split("\r\n")
        headers = [line.partition(": ") for line in lines[1:]]
        found = {name.lower(): value for name, _, value in headers}
        if match := re.search(r"set-cookie: participant=([^;]+)", head, re.I):
            self.cookie = match.group(1)
        length = int(found["content-length"]) if "content-length" in found else None
        return int(lines[0].split()[1]), length, found.get("connection", "").lower() == "close"

    def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def begin(browser: Browser, slug: str) -> list[Trial]:
    """Take a place; return the trials ahead."""
    status, _ = await browser.ask("POST", f"/s/{slug}/", {"consent": "on"})
    assert status == 303, f"start: {status}"
    status, page = await browser.ask("GET", f"/s/{slug}/rate/")
    match = STATE.search(page)
    assert status == 200, f"first page: {status}"
    assert match, "first page: no state in it"
    state = json.loads(match.group(1))
    browser.saved, browser.total = state["saved"], state["total"]
    ahead: list[Trial] = state["ahead"]
    return ahead


async def play(
    port: int,
    slug: str,
    tally: Tally,
    until: float,
    pause: float = 0.0,
    retry: bool = False,
    seat: Seat | None = None,
) -> None:
    """Play sessions one after the other until the clock says `until`; each answer waits `pause` seconds on average.

    seat: a session that has begun already. retry: send an answer again, as the page's outbox does, until the server
    says that it is kept.
    """
    rng = random.Random(id(seat))
    while time.perf_counter() < until:
        browser, ahead = seat or (Browser(port), [])
        seat = None
        try:
            ahead = ahead or await begin(browser, slug)
            await asyncio.sleep(rng.random() * pause)
            while ahead and time.perf_counter() < until:
                ahead = await _rate(browser, slug, ahead, rng, tally, retry)
                await asyncio.sleep(pause * (0.5 + rng.random()))
        except (OSError, EOFError, AssertionError) as error:
            tally.errors.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(0.2)
        browser.close()


async def _rate(
    browser: Browser, slug: str, ahead: list[Trial], rng: random.Random, tally: Tally, retry: bool
) -> list[Trial]:
    trial = ahead[0]
    form = {"trial": trial["token"], "revision": str(trial["revision"]), "q-overall": str(rng.randint(1, 5))}
    form |= {"rt_ms": "900", "viewport_w": "1280", "viewport_h": "720", "dpr": "1", "input": "mouse"}
    # As the page does: with images enough ahead it asks for no more.
    form["known"] = (
        str(browser.saved) if len(ahead) > 12 or len(ahead) == browser.total - browser.saved else ""
    )
    while True:
        began = time.perf_counter()
        try:
            status, content = await browser.ask("POST", f"/s/{slug}/rate/", form)
        except (OSError, EOFError):
            status, content = 0, b""
        if status == 200:
            tally.seconds.append(time.perf_counter() - began)
            tally.acknowledged.append(trial["token"])
            reply = json.loads(content)
            browser.saved, browser.total = reply["saved"], reply["total"]
            left: list[Trial] = reply.get("ahead", ahead[1:])
            return left
        if not retry:
            raise AssertionError(f"answer: {status}")
        tally.errors.append(f"answer: {status}")
        await asyncio.sleep(0.2)


async def crowd(people: int, act: Callable[[], Awaitable[None]]) -> None:
    """Run so many bots at once."""
    await asyncio.gather(*(act() for _ in range(people)))


async def knock(port: int, cookie: str, tally: Tally, until: float) -> None:
    """Ask the bare view again and again."""
    browser = Browser(port)
    browser.cookie = cookie
    while time.perf_counter() < until:
        began = time.perf_counter()
        status, _ = await browser.ask("GET", "/")
        if status == 200:
            tally.seconds.append(time.perf_counter() - began)
        else:
            tally.errors.append(f"bare: {status}")
    browser.close()


class Site:
    """An installation of its own in a scratch folder, and its production server."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "DATA_DIR": str(folder / "data"), "STARTS_PER_MINUTE": "0", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        if database:
            self.env["DATABASE_URL"] = database
        self.folder = folder

    def manage(self, *arguments: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def run(self, program: str) -> str:
        """Run a program with this installation's settings; return what it printed."""
        env = self.env | {"DJANGO_SETTINGS_MODULE": "nstsite.settings"}
        return subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def publish(self, slug: str, images: int) -> None:
        """Make the database and a study of plain coloured images."""
        pictures = self.folder / "pictures"
        pictures.mkdir(exist_ok=True)
        for i in range(images):
            Image.new("RGB", (64, 48), (i * 7 % 256, i * 31 % 256, i * 101 % 256)).save(
                pictures / f"c{i}-{i % 2}.png"
            )
        commands = [
            ("migrate",),
            ("collectstatic", "--noinput"),
            ("create_study", slug, "--images", str(pictures)),
        ]
        self.run(
            "import django, sys; django.setup()\n"
            "from django.core.management import call_command\n"
            f"for command in {commands!r}: call_command(*command, verbosity=0)"
        )

    @contextlib.contextmanager
    def serve(self, workers: int = 2, settings: str = "nstsite.settings") -> Iterator[tuple[int, int]]:
        """Serve as `make serve` does; yield the port and the master's process id."""
        port = postgres.free_port()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "nstsite.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            str(workers),
        ]
        command += [
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "--keep-alive",
            "75",
            "--log-level",
            "error",
        ]
        process = subprocess.Popen(command, cwd=ROOT, env=self.env | {"DJANGO_SETTINGS_MODULE": settings})
        try:
            asyncio.run(_answers(port))
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)

    def missing(self, tokens: list[str]) -> tuple[int, int]:
        """Return how many of these trials have no rating, and how many have more than one."""
        listed = self.folder / "tokens.json"
        listed.write_text(json.dumps(tokens))
        program = (
            "import json\nfrom collections import Counter\nfrom survey.models import Rating\n"
            f"want = set(json.load(open({str(listed)!r})))\n"
            "have = Counter(Rating.objects.values_list('trial__token', flat=True))\n"
            "print(len(want - set(have)), sum(n > 1 for n in have.values()))"
        )
        lost, doubled = self.manage("shell", "--verbosity", "0", "-c", program).split()[-2:]
        return int(lost), int(doubled)


async def _answers(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError, EOFError):
            await Browser(port).ask("GET", "/healthz")
            return
        await asyncio.sleep(0.1)
    raise RuntimeError("the server did not start")


async def _knocking(port: int, cookie: str, people: int, seconds: float) -> Tally:
    tally = Tally()
    until = tally.began + seconds
    await crowd(people, lambda: knock(port, cookie, tally, until))
    return tally


async def _rating(port: int, people: int, seconds: float, pause: float) -> tuple[Tally, Tally]:
    """Seat people, eight at a time, then let them rate; return the tallies of starting and of rating."""
    starts, seats = Tally(), []
    queue = iter(range(people))

    async def seat() -> None:
        for _ in queue:
            browser = Browser(port)
            began = time.perf_counter()
            seats.append((browser, await begin(browser, "load")))
            starts.seconds.append(time.perf_counter() - began)

    await crowd(8, seat)
    starts.ended = time.perf_counter()
    tally = Tally()
    until = tally.began + seconds
    await asyncio.gather(*(play(port, "load", tally, until, pause, seat=taken) for taken in seats))
    return starts, tally


def measure(site: Site, asked: argparse.Namespace) -> dict[str, object]:
    """Measure one installation: full load, the bare view, the pace of people."""
    site.publish("load", asked.images)
    result: dict[str, object] = {}
    kept: list[str] = []
    with site.serve(asked.workers) as (port, _):
        asyncio.run(_rating(port, 8, 2, 0))
        _, full = asyncio.run(_rating(port, asked.people, asked.seconds, 0))
        result["ratings_full_load"] = full.report()
        starts, paced = asyncio.run(_rating(port, asked.paced, asked.seconds, 4))
        result["starts_with_first_page"] = starts.report()
        result[f"ratings_{asked.paced}_people"] = paced.report()
        kept += full.acknowledged + paced.acknowledged
    lost, doubled = site.missing(kept)
    result |= {"acknowledged": len(kept), "lost": lost, "doubled": doubled}
    token = site.manage(
        "shell",
        "--verbosity",
        "0",
        "-c",
        "from survey.models import *; print(Participant.objects.first().token)",
    )
    with site.serve(asked.workers, "benchmarks.bare") as (port, _):
        cookie = token.split()[-1]
        bare = asyncio.run(_knocking(port, cookie, asked.people, asked.seconds))
        result["bare_view"] = bare.report()
    result["share_of_bare"] = round(
        float(full.report()["requests"]) / max(1, float(bare.report()["requests"])), 3
    )
    return result


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=16, help="bots at once under full load")
    parser.add_argument("--paced", type=int, default=400, help="bots that rate once in 4 s")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/survey_load.json")
    asked = parser.parse_args()
    if asked.people > 2000 or asked.paced > 2000 or asked.seconds > 120:
        parser.error("at most 2000 people and 120 seconds")
    report: dict[str, object] = {
        "hardware": _hardware(),
        "settings": {k: str(v) for k, v in vars(asked).items() if k != "output"},
    }
    for database in ("sqlite", "postgres") if asked.database == "both" else (asked.database,):
        with tempfile.TemporaryDirectory(prefix="survey-load-") as folder, contextlib.ExitStack() as stack:
            url = stack.enter_context(postgres.server()).url if database == "postgres" else None
            report[database] = measure(Site(Path(folder), url), asked)
        print(database, json.dumps(report[database], indent=1))
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(report, indent=1) + "\n")


def _hardware() -> dict[str, object]:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": cpu.group(1) if cpu else "?",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


if __name__ == "__main__":
    main()
