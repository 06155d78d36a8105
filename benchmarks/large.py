"""A study of a million ratings on the desk: `python -m benchmarks.large [--people N] [--images N] [--each N]`.

Fills a SQLite database of its own, makes the figures and exports as the background process does, each in a process of
its own, then opens every page of the desk in one process, as a web worker would. Prints Markdown with wall and processor
seconds, peak memory and queries, and writes benchmarks/results/large.md. On a busy machine only processor time tells.

Pages are found by their addresses, so that a new one is measured too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.stored import fill_study, machine

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "large.md"
SLUG = "large"
EXPORTS = ("csv", "xlsx", "tex", "json", "parquet", "sureal", "sujson", "psych-ds", "ratings.csv", "all")


class Row(NamedTuple):
    """What one piece of work took."""

    what: str
    wall: float
    cpu: float
    peak: float
    more: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--each", type=int, default=50, help="ratings of each participant")
    parser.add_argument("--exports", nargs="*", default=EXPORTS, help="formats to make")
    parser.add_argument("--data", type=Path, help="keep the database in this folder, and use what it has")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or Path(temporary)
        environment = os.environ | {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "nstsite.settings"}

        def run(*words: object) -> list[Row]:
            command = [sys.executable, "-m", "benchmarks.large", "--step", *map(str, words)]
            done = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            rows = [Row(*row) for row in json.loads(done.stdout.splitlines()[-1])]
            for row in rows:
                print(_line(row), flush=True)
            return rows

        run("fill", options.images, options.people, options.each)
        made = [row for kind in ("figures", *options.exports) for row in run("make", kind)]
        opened = [*run("open"), *run("start")]
    ratings = options.people * options.each
    text = (
        f"{ratings:,} ratings of {options.people:,} people. {machine()}\n\n{_table(made)}\n{_table(opened)}"
    )
    RESULT.write_text(text)


def _table(rows: list[Row]) -> str:
    head = ["| what | wall | processor | peak memory | |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *map(_line, rows)]) + "\n"


def _line(row: Row) -> str:
    return f"| {row.what} | {row.wall:.2f} s | {row.cpu:.2f} s | {row.peak:.0f} MB | {row.more} |"


def measured(what: str, work: Callable[[], str]) -> Row:
    """Do some work; return what it took. It returns what else is to be said."""
    # The kernel forgets the peak of what ran before.
    Path("/proc/self/clear_refs").write_text("5")
    wall, cpu = time.perf_counter(), time.process_time()
    more = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Row(what, wall, cpu, _peak(), more)


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fill(images: str, people: str, each: str) -> list[Row]:
    """Make the database, where it is not there yet."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from survey.models import Study

    call_command("migrate", verbosity=0)
    if not Study.objects.filter(slug=SLUG).exists():
        call_command("collectstatic", interactive=False, verbosity=0)
        fill_study(SLUG, int(images), int(people), int(each))
    if not User.objects.exists():
        User.objects.create_superuser("benchmark")
    return []


def make(kind: str) -> list[Row]:
    """Make one kind as the background process does."""
    from survey.exports import background
    from survey.models import Stored, Study
    from survey.study import stored

    study = Study.objects.get(slug=SLUG)

    def work() -> str:
        stored.ask(study, kind)
        making = stored.take()
        assert making is not None, "something else is being made"
        background.make(making)
        making.refresh_from_db()
        return f"{making.size / 2**20:.0f} MB" if making.state == Stored.State.DONE else making.problem

    return [measured(f"make {kind}", work)]


def open_pages() -> list[Row]:
    """Open every page of the desk that shows the study, twice: the second one counts, as imports are over."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from survey.exports import background

    background.wake = lambda: None
    client = Client(headers={"host": "127.0.0.1"}, raise_request_exception=False)
    client.force_login(User.objects.earliest("pk"))
    rows = []
    for address in _addresses():
        if client.get(address).status_code == 405:
            continue

        def visit(address: str = address) -> str:
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address)
                size = sum(map(len, response)) if response.streaming else len(response.content)
            return f"{response.status_code}, {len(queries)} queries, {size / 1000:.0f} kB"

        rows.append(measured(address, visit))
    return rows


def _addresses() -> Iterator[str]:
    from survey.desk.urls import urlpatterns
    from survey.models import Participant, Stored

    yield from ("/studies/", f"/planning/?noise={SLUG}", "/log/", "/accounts/")
    for pattern in urlpatterns:
        route = str(pattern.pattern)
        if pattern.pattern.converters.keys() == {"slug"} and not route.startswith("api/"):
            yield "/" + route.replace("<slug:slug>", SLUG)
    people = f"/studies/{SLUG}/participants/"
    yield from (f"{people}?page={Participant.objects.count() // 200}", f"{people}?flagged=1")
    yield from (f"/studies/{SLUG}/results/tables/mos.csv", f"/studies/{SLUG}/results/plots/mos.svg")
    for made in Stored.objects.filter(kind__in=("csv", "all")):
        yield f"/studies/{SLUG}/results/download/{made.kind}"
        yield f"/studies/{SLUG}/results/download/{made.kind}?made={made.pk}"
    for name in ("study", "participant", "trial", "rating", "stored", "storedpart", "exclusion"):
        yield f"/admin/survey/{name}/"


def start_sessions() -> list[Row]:
    """Start sessions, and take them back: what a start costs beside so many ratings."""
    from django.db import transaction

    from survey.models import Study
    from survey.session.starting import start

    study = Study.objects.get(slug=SLUG)
    starts = 20

    def work() -> str:
        for _ in range(starts):
            start(study, is_simulated=True)
        return ""

    with transaction.atomic():
        start(study, is_simulated=True)
        row = measured("start of a session", work)
        transaction.set_rollback(True)
    each = f"mean of {starts}, {1000 * row.cpu / starts:.1f} ms of processor time"
    return [row._replace(wall=row.wall / starts, cpu=row.cpu / starts, more=each)]


STEPS: Final[dict[str, Callable[..., Any]]] = {
    "fill": fill,
    "make": make,
    "open": open_pages,
    "start": start_sessions,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        import django

        django.setup()
        print(json.dumps(STEPS[sys.argv[2]](*sys.argv[3:])))
    else:
        main()
