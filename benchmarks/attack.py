"""Everything that may go wrong at once: `python -m benchmarks.attack [--people 12] [--stride 1] [--seconds 10]`.

On each database: the faults of `tests/faults/`, one after the other, while people rate; then the hostile requests of
`tests/nstsite/hostile.py` to every address of a running site, while people rate. On PostgreSQL, an image worker is killed
at its work too. Every acknowledged answer is looked up afterwards. Prints Markdown, writes benchmarks/results/attack.md
and the table of docs/how-to/operations.md. It exits with 1 where anything was lost or doubled, or an address broke.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple
from urllib.parse import urlencode

import django
import psycopg

from benchmarks.bots import Tally, crowd, play
from benchmarks.site import ROOT, Site
from tests import postgres
from tests.faults import harms
from tests.faults.conftest import IMAGES, copy, empty_database

RESULT: Final = ROOT / "benchmarks/results/attack.md"
PAGE: Final = ROOT / "docs/how-to/operations.md"
#: Where the page has the figures: from this line to the next heading.
HEADING: Final = "### Figures of the faults"
#: The hostile visitors who send at once.
VISITORS: Final = 4
#: Mean seconds before an answer, of the people who rate meanwhile.
PAUSE: Final = 0.5
CSRF: Final = "a" * 32


class Row(NamedTuple):
    """What came of one fault on one database."""

    what: str
    database: str
    answers: int
    again: int
    longest: float
    lost: int
    doubled: int


class Hostile(NamedTuple):
    """What came of the hostile requests on one database."""

    database: str
    addresses: int
    statuses: Counter[int]
    broken: list[str]
    alone: Tally
    beside: Tally
    lost: int
    doubled: int


@dataclass
class Ground:
    """An installation with a study, to be copied for each fault."""

    folder: Path
    database: str
    server: postgres.Server | None

    def __post_init__(self) -> None:
        url = empty_database(self.server, "published") if self.server else None
        self._first = Site(self.folder / "first", url)
        self._first.folder.mkdir(parents=True)
        self._first.publish("load", IMAGES)

    def copy(self) -> Site:
        """Return a fresh one."""
        url = empty_database(self.server, "harmed", "published") if self.server else None
        return copy(self._first, Path(tempfile.mkdtemp(dir=self.folder)), url)


#: What the figures call it -> how it is done to a server.
FAULTS: Final[dict[str, Callable[[harms.Served, int], Tally]]] = {
    "web workers killed": harms.web_workers_killed,
    "every connection cut, again and again": harms.lines_cut,
    "each answer sent twice at once": harms.answers_sent_twice,
    "clients that connect and send nothing": harms.silent_clients,
}
#: The same, of faults that start the server in a way of their own.
FAULTS_OF_A_SITE: Final[dict[str, Callable[[Site, int], Tally]]] = {
    "clock a year ahead, an hour back": harms.clock_jumps,
    "object store away": harms.object_store_away,
}


def harmed(ground: Ground, people: int) -> Iterator[Row]:
    """Do each fault to a site of its own."""
    faults = dict(FAULTS)
    if ground.server:
        faults["PostgreSQL killed, away for 10 s"] = partial(_killed, ground.server)
        faults["media read-only"] = harms.media_read_only
    else:
        faults["disk full for 2 s"] = harms.disk_full
    of_a_site = {what: partial(_served, harm) for what, harm in faults.items()} | FAULTS_OF_A_SITE
    for what, harm in of_a_site.items():
        site = ground.copy()
        tally = harm(site, people)
        kept = tally.acknowledged
        yield Row(
            what, ground.database, len(kept), len(tally.errors), max(tally.seconds), *site.missing(kept)
        )


def _served(harm: Callable[[harms.Served, int], Tally], site: Site, people: int) -> Tally:
    with harms.serve(site) as served:
        return harm(served, people)


def _killed(server: postgres.Server, served: harms.Served, people: int) -> Tally:
    return harms.postgresql_killed(served, server, people)


def attacked(ground: Ground, people: int, seconds: float, stride: int) -> Hostile:
    """Send the hostile requests while people rate; before, let them rate alone."""
    site = ground.copy()
    made = site.run(MAKE_PREY).splitlines()[-1]
    with harms.serve(site) as (_, port, _):
        ends = time.perf_counter() + seconds
        alone = asyncio.run(_rating(port, people, lambda: time.perf_counter() < ends))
        with ThreadPoolExecutor(1) as aside:
            attack = aside.submit(_attack, port, made, stride)
            beside = asyncio.run(_rating(port, people, lambda: not attack.done()))
            addresses, statuses, broken = attack.result()
    lost, doubled = site.missing(alone.acknowledged + beside.acknowledged)
    return Hostile(ground.database, addresses, statuses, broken, alone, beside, lost, doubled)


async def _rating(port: int, people: int, goes_on: Callable[[], bool]) -> Tally:
    tally = Tally()
    await crowd(people, lambda: play(port, "load", tally, goes_on, PAUSE, retry=True))
    tally.ended = time.perf_counter()
    return tally


#: Run with the settings of the site that is attacked. Its last line is the prey as JSON.
MAKE_PREY: Final = (
    "import django, dataclasses, json\ndjango.setup()\n"
    "from django.test.utils import setup_test_environment\nsetup_test_environment()\n"
    "from tests.nstsite.hostile import make_prey\nprint(json.dumps(dataclasses.asdict(make_prey())))"
)


def _attack(port: int, made: str, stride: int) -> tuple[int, Counter[int], list[str]]:
    from tests.nstsite.hostile import MAY_FAIL, Prey, Request, attacks

    prey = Prey(**json.loads(made))
    statuses: Counter[int] = Counter()
    broken: list[str] = []
    waiting, lock = attacks(prey, stride), Lock()

    def visit() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                request: Request | None = next(waiting, None)
            if request is None:
                break
            try:
                status = _send(line, request)
            except (OSError, http.client.HTTPException, ValueError) as error:
                # The server hung up: it does so after a request that is none.
                line.close()
                status = -1 if isinstance(error, TimeoutError) else 0
            with lock:
                statuses[status] += 1
                if status == -1 or (status >= 500 and request.name not in MAY_FAIL):
                    broken.append(f"{status} {request.method} {request.path[:80]}")
        line.close()

    with ThreadPoolExecutor(VISITORS) as visitors:
        for one in [visitors.submit(visit) for _ in range(VISITORS)]:
            one.result()
    return len(prey.routes), statuses, broken


def _send(line: http.client.HTTPConnection, request: object) -> int:
    from tests.nstsite.hostile import Request

    assert isinstance(request, Request)
    headers = {"Host": "127.0.0.1", **request.headers}
    # Signed-in people's forms need the token, and an attacker who is one of them has it.
    headers["Cookie"] = f"{headers.get('Cookie', '')}; csrftoken={CSRF}"
    headers["X-CSRFToken"] = CSRF
    path, body = request.path, b""
    if request.method == "get":
        path += f"?{urlencode(request.form)}" if request.form else ""
    else:
        body = urlencode(request.form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    line.request(
        request.method.upper(), path, body or None, {k: v.encode("latin-1") for k, v in headers.items()}
    )
    answer = line.getresponse()
    answer.read()
    return answer.status


def images_made(server: postgres.Server, folder: Path) -> tuple[int, int, int]:
    """Kill an image worker at its work; return how many images were asked for, made, and kept in a file of their own."""
    from tests.faults.test_distributed import CELLS, counts, wait_for, write_plan

    running: list[subprocess.Popen[str]] = []
    site = Site(folder, empty_database(server, "distributed"))
    env = site.env | {"GENERATOR_EXECUTOR": "procrastinate"}

    def manage(*words: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        running.append(
            subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=ROOT,
                env=env,
                stdout=pipe,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return running[-1]

    url = site.env["DATABASE_URL"]
    worker = ("procrastinate", "worker", "-q", "images", "--concurrency", "1")
    try:
        assert manage("migrate", "--verbosity", "0", "--skip-checks").wait() == 0
        command = manage("generate", str(write_plan(folder / "plan", evaluations=60)), "--distributed")
        first = manage(*worker)
        wait_for(lambda: counts(url).get("running", 0) > 0)
        first.kill()
        first.wait()
        manage(*worker)
        command.communicate(timeout=harms.PATIENCE)
        with psycopg.connect(url) as connection:
            cells = connection.execute("SELECT status, image FROM generator_cell").fetchall()
    finally:
        for process in running:
            process.kill()
            process.wait()
    return CELLS, sum(status == "done" for status, _ in cells), len({image for _, image in cells})


def report(
    rows: list[Row], hostile: list[Hostile], images: tuple[int, int, int] | None, people: int, stride: int
) -> str:
    """Return the figures as Markdown."""
    lost, doubled = (sum(getattr(row, name) for row in [*rows, *hostile]) for name in ("lost", "doubled"))
    kept = sum(row.answers for row in rows)
    kept += sum(len(one.alone.acknowledged) + len(one.beside.acknowledged) for one in hostile)
    text = [
        f"{os.cpu_count()} cores for the site and the people (load {os.getloadavg()[0]:.1f} at the end). "
        f"{people} people rated at once. {kept:,} acknowledged answers: {lost} lost, {doubled} doubled.",
        "",
        "| fault, while people rate | database | answers acknowledged | sent again | longest wait | lost | doubled |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {row.what} | {row.database} | {row.answers} | {row.again} | {row.longest:.1f} s | {row.lost} | {row.doubled} |"
            for row in rows
        ),
        "",
        "| hostile requests, while people rate | " + " | ".join(one.database for one in hostile) + " |",
        "| --- |" + " --- |" * len(hostile),
    ]
    lines: dict[str, Callable[[Hostile], object]] = {
        "addresses tried": lambda one: one.addresses,
        f"requests sent, with one hostile value of {stride}": lambda one: f"{one.statuses.total():,}",
        "answered 2xx or 3xx": lambda one: f"{_count(one, 2) + _count(one, 3):,}",
        "refused with 4xx": lambda one: f"{_count(one, 4):,}",
        "connection closed on them": lambda one: one.statuses[0],
        "addresses that broke (5xx, or no answer in 60 s)": lambda one: len(one.broken),
        "ratings a second, alone and beside them": lambda one: _both(one, "per_second"),
        "p95 of a rating in ms, alone and beside them": lambda one: _both(one, "p95_ms"),
        "answers acknowledged": lambda one: len(one.alone.acknowledged) + len(one.beside.acknowledged),
        "of these lost, doubled": lambda one: f"{one.lost}, {one.doubled}",
    }
    text += [
        f"| {what} | " + " | ".join(str(of(one)) for one in hostile) + " |" for what, of in lines.items()
    ]
    if images:
        text += [
            "",
            "An image worker was killed: of {} images asked for, {} were made, in {} files.".format(*images),
        ]
    return "\n".join(text) + "\n"


def _count(one: Hostile, kind: int) -> int:
    return sum(count for status, count in one.statuses.items() if status // 100 == kind)


def _both(one: Hostile, what: str) -> str:
    return f"{one.alone.report()[what]}, {one.beside.report()[what]}"


def write(text: str) -> None:
    """Write the figures where they are kept, and where people read them."""
    RESULT.write_text(text)
    page = PAGE.read_text()
    before, heading, after = page.partition(f"{HEADING}\n")
    assert heading, f"{PAGE} has no heading {HEADING!r}"
    rest = re.search(r"^#", after, re.M)
    PAGE.write_text(f"{before}{heading}\n{text}\n{after[rest.start() :] if rest else ''}")


def main() -> None:
    """Attack, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=12, help="bots at once")
    parser.add_argument(
        "--seconds", type=float, default=10, help="of rating alone, before the hostile requests"
    )
    parser.add_argument("--stride", type=int, default=1, help="send every so many-th hostile value only")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    rows: list[Row] = []
    hostile: list[Hostile] = []
    images = None
    for database in ("sqlite", "postgres") if asked.database == "both" else (asked.database,):
        with tempfile.TemporaryDirectory(prefix="attack-") as folder, contextlib.ExitStack() as stack:
            server = stack.enter_context(postgres.server()) if database == "postgres" else None
            ground = Ground(Path(folder), "PostgreSQL" if server else "SQLite", server)
            for row in harmed(ground, asked.people):
                rows.append(row)
                print(row, flush=True)
            hostile.append(attacked(ground, asked.people, asked.seconds, asked.stride))
            print(*hostile[-1].broken, hostile[-1].statuses, sep="\n", flush=True)
            if server:
                images = images_made(server, Path(tempfile.mkdtemp(dir=folder)))
    text = report(rows, hostile, images, asked.people, asked.stride)
    print(text)
    write(text)
    bad = any(row.lost or row.doubled for row in rows)
    bad |= any(one.lost or one.doubled or one.broken for one in hostile)
    sys.exit(int(bad or bool(images and len(set(images)) > 1)))


if __name__ == "__main__":
    main()
