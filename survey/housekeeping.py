"""What a site deletes by itself because its time has come, whether or not anybody opens a page.

These are personal data past a purge date, ended sign-ins, old counts of wrong passwords, and uploaded ratings files. Each
web process has a clock. Every ten minutes it looks whether something is due. What lies in the database is deleted by a
process of its own. So the promise on the welcome page needs nothing of the host, and no request waits for a deletion.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import dataclass
from typing import Final

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from generator.queue import process
from survey.study.erasure import due, purge_expired

log = logging.getLogger(__name__)

_NAME: Final = "expired"
#: Seconds until the first look of a web process, which first answers what waits, and between later ones.
_FIRST: Final = 5.0
_BETWEEN: Final = 600.0
#: Rows that are of no use and tell nothing may lie for so long, or each look would start a process for a few of them.
_LEFT: Final = dt.timedelta(days=1)
_LEFT_COUNTS: Final = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Deleted:
    """How many people's data were purged, and how many ended sign-ins and counts of wrong passwords were deleted."""

    people: int
    sessions: int
    counts: int


def delete_expired() -> Deleted:
    """Delete what is due."""
    people = purge_expired(timezone.localdate())
    ended = Session.objects.filter(expire_date__lt=timezone.now()).count()
    SessionStore.clear_expired()
    counts, _ = _old_counts(timezone.now()).delete()
    return Deleted(people, ended, counts)


def waits() -> bool:
    """Say whether there is something that is due."""
    now = timezone.now()
    ended = Session.objects.filter(expire_date__lt=now - _LEFT)
    return due(timezone.localdate()).exists() or ended.exists() or _old_counts(now - _LEFT_COUNTS).exists()


def _old_counts(now: dt.datetime) -> QuerySet[AccessAttempt]:
    """Return the counts of wrong passwords that no wait depends on any more; django-axes deletes them at the next try."""
    day = dt.timedelta(hours=settings.AXES_COOLOFF_TIME)
    old: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(attempt_time__lt=now - day)
    return old


def wake() -> None:
    """Start a process that deletes what is due, unless nothing is or one is at work."""
    process.wake(_NAME, "purge_expired", waits)


def _discard_files() -> None:
    # With pandas, which the web process has loaded, and the command does not need.
    from survey.desk.ratings_files import discard_expired

    discard_expired()


def start_clock(first: float = _FIRST, between: float = _BETWEEN) -> threading.Thread:
    """Let this web process look from time to time, for as long as it lives."""
    clock = threading.Thread(target=_look, args=(first, between), name="housekeeping", daemon=True)
    clock.start()
    return clock


def _look(first: float, between: float) -> None:
    pause = threading.Event()
    pause.wait(first)
    while True:
        for delete in (_discard_files, wake):
            try:
                delete()
            except Exception:
                # The database may be away, or not be migrated yet: there is a next look.
                log.exception("what is due could not be deleted")
        # Until the next look no connection is needed.
        connections.close_all()
        pause.wait(between)
