"""Settings of gunicorn, which reads them from its working directory. Its command line overrides them.

Its log has no network addresses. Its workers collect their response times in a folder (nstsite/latency.py).
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

from gunicorn import glogging
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config

#: Processes that answer. One for each core; beyond 2 or 3 with PostgreSQL only (docs/how-to/operations.md).
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "gthread"
#: Requests that a process answers at the same time.
threads = 4
#: Seconds: nginx keeps its connections for 60.
keepalive = 75
# Processes that have answered so many requests are replaced, one after the other: memory that they lost comes back.
max_requests, max_requests_jitter = 20_000, 2_000

_PREFIX = "nstsite-latency-"


def remove_leftovers() -> None:
    """Delete the folders of servers that were killed: each has its server's process id in its name."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            if owner.isdecimal() and not is_alive(int(owner)) and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def is_alive(pid: int) -> bool:
    """Return whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


remove_leftovers()
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")


def on_exit(server: Arbiter) -> None:
    """Take the workers' latency away with them."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


class Discreet(logging.Filter):
    """Take out of a record what came from a client: the address it has, and the one that it asked for."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten gunicorn's two messages that name either; every record passes."""
        for opening in ("Invalid request", "Error handling request"):
            if str(record.msg).startswith(opening):
                record.msg, record.args = opening, ()
        return True


class Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's log, without people."""

    def setup(self, cfg: Config) -> None:
        """Set up as gunicorn does, and filter."""
        super().setup(cfg)
        self.error_log.addFilter(Discreet())


logger_class = Logger
# A second thread of linear algebra saves a results page of 20,000 ratings no time, and takes 0.2 s of a processor from raters.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nobody manages the server by it, and the line in the log about it puzzles newcomers.
control_socket_disable = True
