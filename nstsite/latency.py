"""Response times as a histogram over the workers of this host, for Prometheus.

gunicorn.conf.py sets a folder (PROMETHEUS_MULTIPROC_DIR) where each worker stores its part, so that any worker can
report all. Without the folder, as under `runserver`, a process reports only its own times.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_OWN: Final = CollectorRegistry()
_SECONDS: Final = Histogram(
    "nstsite_request_seconds",
    "Seconds until an answer was ready, by route.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=_OWN,
)
# Bytes: all routes with all methods take a quarter of it.
_ROOM: Final = 4 * 2**20
# Processes that have reserved it. A fork begins its own file.
_with_room: Final[set[int]] = set()
_one_at_a_time: Final = Lock()


def observe(method: str, route: str, seconds: float) -> None:
    """Record one response, unless the disk has no room for it. route: a URL pattern, never the URL itself."""
    if os.getpid() in _with_room or _reserve_room():
        _SECONDS.labels(method, route).observe(seconds)


def _reserve_room() -> bool:
    """Write out the whole file that this process will map into its memory; return whether there was room.

    prometheus_client makes it of holes. If the disk is full once such a page is first written, the process is killed.
    """
    pid = os.getpid()
    with _one_at_a_time:
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if folder and not (path := Path(folder) / f"histogram_{pid}.db").exists():
            unfinished = path.with_suffix(".part")
            try:
                unfinished.write_bytes(bytes(_ROOM))
            except OSError:
                unfinished.unlink(missing_ok=True)
                return False
            unfinished.replace(path)
        _with_room.add(pid)
    return True


def text() -> str:
    """Return the histogram in Prometheus's text format 0.0.4."""
    registry = _OWN
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry).decode()
