"""Bots play whole rating sessions against the production server on 127.0.0.1; every acknowledged answer is looked up.

    python -m benchmarks.survey_load [--seconds 10] [--database sqlite|postgres|both] [--only rush] [--otree PROGRAM]

For each database: sessions as fast as the server answers (ratings/s), the bare view of `benchmarks/bare.py` in the
same server on the same rows (requests/s), 400 people who rate once in 4 s (100 ratings/s offered), and 300 people who
start at the same moment. The bots share the cores with the server. `--otree` measures oTree doing the same job, with 16 bots. Results with the hardware go to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from benchmarks import otree_site
from benchmarks.bots import Player, Seat, Tally, begin, crowd, knock, play
from benchmarks.rush import rush, worked
from benchmarks.site import ROOT, Site
from tests import postgres

_GoesOn = Callable[[], bool]


async def _for(seconds: float, people: int, act: Callable[[Tally, _GoesOn], Awaitable[None]]) -> Tally:
    """Let so many bots act until the time is up."""
    tally = Tally()
    tally.ended = tally.began + seconds
    await crowd(people, lambda: act(tally, lambda: time.perf_counter() < tally.ended))
    return tally


async def _seated(port: int, people: int) -> tuple[Tally, list[Seat]]:
    """Seat people, eight at a time."""
    starts, seats = Tally(), []
    queue = iter(range(people))

    async def seat() -> None:
        for _ in queue:
            browser = Player(port)
            began = time.perf_counter()
            seats.append((browser, await begin(browser, "load")))
            starts.seconds.append(time.perf_counter() - began)

    await crowd(8, seat)
    starts.ended = time.perf_counter()
    return starts, seats


async def _paced(port: int, people: int, seconds: float) -> tuple[Tally, Tally]:
    """Return the tallies of starting and of rating once in 4 s."""
    starts, seats = await _seated(port, people)
    taken = iter(seats)
    return starts, await _for(
        seconds, people, lambda tally, goes_on: play(port, "load", tally, goes_on, 4, seat=next(taken))
    )


def measure(site: Site, asked: argparse.Namespace, database: list[int]) -> dict[str, object]:
    """Measure one installation. database: processes of its database server."""
    site.publish("load", asked.images, asked.session)
    found: dict[str, object] = {}
    if asked.only != "rush":
        found |= _measure_ratings(site, asked, database)
    if asked.only != "ratings":
        found[f"rush_of_{asked.rush}"] = _measure_rush(site, asked, database)
    return found


def _measure_ratings(site: Site, asked: argparse.Namespace, database: list[int]) -> dict[str, object]:
    """Measure full load, what one rating is for the processor, the bare view, the pace of people."""
    with site.serve(asked.workers) as (port, server):
        asyncio.run(_for(2, 8, lambda tally, goes_on: play(port, "load", tally, goes_on)))
        full = asyncio.run(
            _for(asked.seconds, asked.people, lambda tally, goes_on: play(port, "load", tally, goes_on))
        )
        work, more = asyncio.run(_work_of_ratings(port, asked, [server, *database]))
        starts, paced = asyncio.run(_paced(port, asked.paced, asked.seconds))
    kept = full.acknowledged + more + paced.acknowledged
    lost, doubled = site.missing(kept)
    cookie = site.manage("shell", "--verbosity", "0", "-c", A_COOKIE).split()[-1]
    with site.serve(asked.workers, "benchmarks.bare") as (port, _):
        bare = asyncio.run(
            _for(asked.seconds, asked.people, lambda tally, goes_on: knock(port, cookie, tally, goes_on))
        )
    share = float(full.report()["requests_per_second"]) / float(bare.report()["requests_per_second"])
    return {
        "ratings_full_load": full.report(), "server_ms_for_a_rating": work, "starts_with_first_page": starts.report(),
        f"ratings_{asked.paced}_people": paced.report(), "bare_view": bare.report(),
        "share_of_bare": round(share, 3), "acknowledged": len(kept), "lost": lost, "doubled": doubled,
    }  # fmt: skip


async def _work_of_ratings(
    port: int, asked: argparse.Namespace, servers: list[int]
) -> tuple[float, list[str]]:
    """Return the milliseconds for which the server and its database work at one rating, and what was acknowledged."""
    _, seats = await _seated(port, asked.people)
    before, tally = worked(servers), Tally()
    # Half of each session, so that nobody starts another meanwhile.
    enough = asked.people * (asked.session or asked.images) // 2
    act = partial(play, port, "load", tally, lambda: len(tally.seconds) < enough)
    await asyncio.gather(*(act(seat=seat) for seat in seats))
    return round(1000 * (worked(servers) - before) / len(tally.seconds), 2), tally.acknowledged


def _measure_rush(site: Site, asked: argparse.Namespace, database: list[int]) -> dict[str, object]:
    """Measure people who all start at once, in a server that has served before."""
    with site.serve(asked.workers) as (port, server):
        asyncio.run(rush(port, "load", 8, []))
        steps = asyncio.run(rush(port, "load", asked.rush, [server, *database]))
    return {name: step.report(os.cpu_count() or 1) for name, step in steps.items()}


A_COOKIE = "from survey.models import Participant; print(Participant.objects.first().token)"


def measure_otree(folder: Path, asked: argparse.Namespace) -> dict[str, object]:
    """Measure oTree at full load."""
    with otree_site.serve(asked.otree, folder) as port:
        link = otree_site.make_session(port, asked.people * 4)
        full = asyncio.run(
            _for(
                asked.seconds,
                asked.people,
                lambda tally, goes_on: otree_site.play(port, link, tally, goes_on),
            )
        )
    return {"ratings_full_load": full.report()}


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=16, help="bots at once under full load")
    parser.add_argument("--paced", type=int, default=400, help="bots that rate once in 4 s")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--session", type=int, help="images that each person rates; all of them without it")
    parser.add_argument("--rush", type=int, default=300, help="bots that start at the same moment")
    parser.add_argument("--only", choices=["ratings", "rush"], help="measure only this")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--otree", type=Path, help="the program `otree` of a virtual environment that has it")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/survey_load.json")
    asked = parser.parse_args()
    if max(asked.people, asked.paced, asked.rush) > 2000 or asked.seconds > 120:
        parser.error("at most 2000 people and 120 seconds")
    report: dict[str, object] = {
        "hardware": _hardware(),
        "settings": {k: str(v) for k, v in vars(asked).items() if k != "output"},
    }
    for database in ("sqlite", "postgres") if asked.database == "both" else (asked.database,):
        with tempfile.TemporaryDirectory(prefix="survey-load-") as folder, contextlib.ExitStack() as stack:
            server = stack.enter_context(postgres.server()) if database == "postgres" else None
            site = Site(Path(folder), server.url if server else None)
            report[database] = measure(site, asked, [server.pid] if server else [])
        print(database, json.dumps(report[database], indent=1))
    if asked.otree:
        with tempfile.TemporaryDirectory(prefix="survey-load-") as folder:
            report["otree"] = measure_otree(Path(folder), asked)
        print("otree", json.dumps(report["otree"], indent=1))
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    # A part would take the place of the whole.
    if asked.only is None:
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
