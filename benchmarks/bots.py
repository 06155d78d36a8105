"""Bots that take part in a study like the rating page, each on one keep-alive connection to 127.0.0.1."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from survey.simulation.client import Browser

Trial = dict[str, Any]
Seat = tuple["Player", list[Trial]]
STATE = re.compile(rb'<script id="state" type="application/json">(.*?)</script>', re.S)


@dataclass
class Tally:
    """Results of the bots: seconds of each answer, other requests, errors, and trials with an acknowledged answer."""

    seconds: list[float] = field(default_factory=list)
    others: int = 0
    errors: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0

    def report(self) -> dict[str, float | int]:
        """Return answers and all requests a second, percentiles of the answers in milliseconds, and errors."""
        took, ordered = self.ended - self.began, sorted(self.seconds)

        def at(share: float) -> float:
            place = min(len(ordered) - 1, int(share * len(ordered)))
            return round(1000 * ordered[place], 1) if ordered else 0.0

        return {
            "answers": len(ordered), "per_second": round(len(ordered) / took, 1),
            "requests_per_second": round((len(ordered) + self.others) / took, 1),
            "p50_ms": at(0.50), "p95_ms": at(0.95), "p99_ms": at(0.99), "errors": len(self.errors),
        }  # fmt: skip


class Player(Browser):
    """A browser that counts the `saved` trials of its session's `total`."""

    saved = 0
    total = 0


async def begin(browser: Player, slug: str) -> list[Trial]:
    """Start a session; return its next trials."""
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
    goes_on: Callable[[], bool],
    pause: float = 0.0,
    retry: bool = False,
    seat: Seat | None = None,
    kind: type[Player] = Player,
) -> None:
    """Play sessions one after the other while `goes_on()`. Each answer waits `pause` seconds on average.

    Args:
        port: Port of the server.
        slug: Name of the study.
        tally: Collects the results.
        goes_on: Asked before each answer whether another is wanted.
        pause: Mean seconds before an answer.
        retry: Send an answer again, like the page's outbox, until the server has saved it.
        seat: A session that has already started.
        kind: How the browser behaves.
    """
    rng = random.Random(id(seat))
    while goes_on():
        browser, ahead = seat or (kind(port), [])
        seat = None
        try:
            if not ahead:
                ahead = await begin(browser, slug)
                tally.others += 2
            await asyncio.sleep(rng.random() * pause)
            while ahead and goes_on():
                ahead = await _rate(browser, slug, ahead, rng, tally, retry)
                await asyncio.sleep(pause * (0.5 + rng.random()))
        except (OSError, EOFError, AssertionError) as error:
            tally.errors.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(0.2)
        browser.close()


async def _rate(
    browser: Player, slug: str, ahead: list[Trial], rng: random.Random, tally: Tally, retry: bool
) -> list[Trial]:
    trial = ahead[0]
    form = {"trial": trial["token"], "revision": str(trial["revision"]), "q-overall": str(rng.randint(1, 5))}
    form |= {"rt_ms": "900", "viewport_w": "1280", "viewport_h": "720", "dpr": "1", "input": "mouse"}
    # Like the page, which requests no more images if enough are loaded.
    form["known"] = (
        str(browser.saved) if len(ahead) > 12 or len(ahead) == browser.total - browser.saved else ""
    )
    began = time.perf_counter()
    while True:
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
    """Run `people` bots at once."""
    await asyncio.gather(*(act() for _ in range(people)))


async def knock(port: int, cookie: str, tally: Tally, goes_on: Callable[[], bool]) -> None:
    """Post a rating's form to the bare view repeatedly."""
    browser = Browser(port)
    form = {"participant": cookie, "revision": "0", "q-overall": "3", "rt_ms": "900", "known": "7"}
    while goes_on():
        began = time.perf_counter()
        status, _ = await browser.ask("POST", "/", form)
        if status == 200:
            tally.seconds.append(time.perf_counter() - began)
        else:
            tally.errors.append(f"bare: {status}")
    browser.close()
