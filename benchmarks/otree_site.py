"""The same study in oTree (https://otree.org): 60 rounds of one image and one answer, on oTree's server.

oTree pins old versions of its dependencies, so it needs a separate virtual environment: `--otree VENV/bin/otree`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.bots import Tally
from survey.simulation.client import Browser
from tests import postgres

PROJECT = Path(__file__).parent / "otree"
KEY = "of this run only"


@contextlib.contextmanager
def serve(program: Path, folder: Path) -> Iterator[int]:
    """Run oTree's production server on its default SQLite database; yield its port."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    (folder / "_static").mkdir(exist_ok=True)
    port = postgres.free_port()
    env = {"PATH": f"{program.parent}:{os.environ['PATH']}", "OTREE_PRODUCTION": "1", "OTREE_REST_KEY": KEY}
    # The first of its two processes starts the second; ending their group ends both.
    server = subprocess.Popen([program, "prodserver", str(port)], cwd=folder, env=env, start_new_session=True,
                              stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield port
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=30)


def make_session(port: int, people: int) -> str:
    """Wait for the server, make a session with places for so many people, and return the path of its link."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/sessions",
        json.dumps({"session_config_name": "rate", "num_participants": people}).encode(),
        {"otree-rest-key": KEY, "Content-Type": "application/json"},
    )
    for _ in range(150):
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(request) as answer:  # noqa: S310
            return str(urlsplit(json.load(answer)["session_wide_url"]).path)
        time.sleep(0.2)
    raise RuntimeError("oTree did not start")


async def play(port: int, link: str, tally: Tally, goes_on: Callable[[], bool]) -> None:
    """Rate image after image. An answer is complete when the next page has arrived."""
    while goes_on():
        browser = Browser(port)
        page = await _follow(browser, link)
        while goes_on() and "/Rate/" in page:
            began = time.perf_counter()
            status, _ = await browser.ask("POST", page, {"overall": "3"})
            assert status == 302, status
            page = await _follow(browser, browser.location)
            tally.seconds.append(time.perf_counter() - began)
            tally.others += 1
        browser.close()


async def _follow(browser: Browser, path: str) -> str:
    """Get a page through its redirects; return the address of the last one."""
    browser.location = path
    while browser.location:
        path = urlsplit(browser.location).path
        await browser.ask("GET", path)
    return path
