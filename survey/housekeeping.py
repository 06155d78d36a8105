"""What a site deletes by itself because its day has come: personal data past a purge date, and ended sign-ins.

Each web process has a clock. Once an hour it looks whether something is due, and starts a process that deletes it.
So the promise on the welcome page needs nothing of the host, and no request waits for a deletion.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import dataclass
from typing import Final

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.utils import timezone

from generator.queue import process
from survey.study.erasure import due, purge_expired

log = logging.getLogger(__name__)

_NAME: Final = "expired"
#: Seconds until the first look of a web process, which first answers what waits, and between later ones.
_FIRST: Final = 5.0
_BETWEEN: Final = 3600.0
#: Ended sign-ins are rows of no use. They may lie for so long, or each hour would start a process for a few of them.
_LEFT: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Deleted:
    """How many people's data were purged, and how many ended sign-ins were deleted."""

    people: int
    sessions: int


def delete_expired() -> Deleted:
    """Delete what is due."""
    people = purge_expired(timezone.localdate())
    ended = Session.objects.filter(expire_date__lt=timezone.now()).count()
    SessionStore.clear_expired()
    return Deleted(people, ended)


def waits() -> bool:
    """Say whether there is something that is due."""
    ended = Session.objects.filter(expire_date__lt=timezone.now() - _LEFT)
    return due(timezone.localdate()).exists() or ended.exists()


def wake() -> None:
    """Start a process that deletes what is due, unless nothing is or one is at work."""
    process.wake(_NAME, "purge_expired", waits)


def start_clock(first: float = _FIRST, between: float = _BETWEEN) -> threading.Thread:
    """Let this web process look from time to time, for as long as it lives."""
    clock = threading.Thread(target=_look, args=(first, between), name="housekeeping", daemon=True)
    clock.start()
    return clock


def _look(first: float, between: float) -> None:
    pause = threading.Event()
    pause.wait(first)
    while True:
        try:
            wake()
        except Exception:
            # The database may be away, or not be migrated yet: the next look is in an hour.
            log.exception("what is due could not be deleted")
        finally:
            # An hour is too long to keep a connection.
            connections.close_all()
        pause.wait(between)
