"""People who all start at the same moment, as a class does when the lecturer says "now".

Three steps, each begun by everybody at once when the last one has ended the step before: open the study's link, give
consent and load the first page, fetch the first image. Seconds are counted from the step's beginning, so that waiting in
line counts. Processor time is the server's and the database's, which a busy machine stretches less.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.bots import Player, Trial, begin

_TICKS: Final = os.sysconf("SC_CLK_TCK")
#: Connections that are opened together: as many phones do not reach a server within one thousandth of a second.
_AT_ONCE: Final = 50


@dataclass
class Step:
    """What one step took: each person's seconds since its beginning, and what the server and its database worked."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    processor: float = 0.0
    own: float = 0.0

    def report(self, cores: int) -> dict[str, float | int]:
        """Return the last person's and the 95th of 100's seconds, the work for one, and how long that work takes at least."""
        ordered = sorted(self.seconds) or [0.0]
        return {
            "people": len(self.seconds), "errors": len(self.errors),
            "last_s": round(ordered[-1], 2), "p95_s": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
            "server_ms_each": round(1000 * self.processor / len(ordered), 1),
            "bots_ms_each": round(1000 * self.own / len(ordered), 1),
            "server_work_on_all_cores_s": round(self.processor / cores, 2),
        }  # fmt: skip


async def rush(port: int, slug: str, people: int, servers: list[int]) -> dict[str, Step]:
    """Let people come at once. `servers`: processes of the server and its database, whose children count too."""
    players = [Player(port) for _ in range(people)]
    ahead: dict[Player, list[Trial]] = {}

    async def open_link(player: Player) -> None:
        status, _ = await player.ask("GET", f"/s/{slug}/")
        assert status == 200, f"link: {status}"

    async def start(player: Player) -> None:
        ahead[player] = await begin(player, slug)

    async def first_image(player: Player) -> None:
        status, _ = await player.ask("GET", ahead[player][0]["images"][0]["src"])
        assert status == 200, f"image: {status}"

    for some in range(0, people, _AT_ONCE):
        await asyncio.gather(*(player.ask("GET", "/healthz") for player in players[some : some + _AT_ONCE]))
    steps = {
        "link_opened": await _step(players, open_link, servers),
        "consent_to_first_page": await _step(players, start, servers),
        "first_image": await _step([player for player in players if player in ahead], first_image, servers),
    }
    for player in players:
        player.close()
    return steps


async def _step(players: list[Player], act: Callable[[Player], Awaitable[None]], servers: list[int]) -> Step:
    step = Step(processor=-worked(servers), own=-time.process_time())
    began = time.perf_counter()

    async def one(player: Player) -> None:
        try:
            await act(player)
            step.seconds.append(time.perf_counter() - began)
        except (OSError, EOFError, AssertionError) as error:
            step.errors.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*map(one, players))
    step.processor += worked(servers)
    step.own += time.process_time()
    return step


def worked(pids: list[int]) -> float:
    """Return the seconds of processor time of some processes and their descendants, those that ended included."""
    return sum(_worked(pid) for pid in pids)


def _worked(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(int, fields[11:15])) / _TICKS + worked([int(child) for child in children])
    return 0.0
