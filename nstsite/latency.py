"""Response times as a histogram over the workers of this host, for Prometheus.

gunicorn.conf.py sets a folder (PROMETHEUS_MULTIPROC_DIR) where each worker stores its part, so that any worker can
report all. Without the folder, as under `runserver`, a process reports only its own times.
"""

from __future__ import annotations

import os
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


def observe(method: str, route: str, seconds: float) -> None:
    """Record one response. route: a URL pattern, never the URL itself."""
    _SECONDS.labels(method, route).observe(seconds)


def text() -> str:
    """Return the histogram in Prometheus's text format 0.0.4."""
    registry = _OWN
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry).decode()
