"""Prolific pauses when the study does, where its researcher said so: by a process in the background.

What pauses the study only notes that Prolific is to pause. A participant may be waiting for that, so Prolific is not asked there.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from django.db import transaction
from django.utils import timezone

from generator.queue import process
from survey.access.audit import FOLLOWING
from survey.access.errors import DeskError
from survey.models import ProlificLink, Study
from survey.study.prolific.acts import step

log = logging.getLogger(__name__)

_NAME: Final = "prolific"
#: States of Prolific in which people come, or soon will.
_COMES: Final = ("ACTIVE", "PUBLISHING", "SCHEDULED")
#: Seconds before each try: Prolific may be away for a moment.
_WAITS: Final = (0, 10, 60)


def pause_there_too(study: Study) -> None:
    """Note that Prolific is to pause, where it follows the study. Call it in the transaction that pauses or closes the study."""
    # Whatever was its state when Prolific was asked last: it may have been published there since.
    following = ProlificLink.objects.filter(study=study, follows=True).exclude(secret="").exclude(remote="")
    if following.update(pause_asked_at=timezone.now(), problem=""):
        transaction.on_commit(wake)


def wake() -> None:
    """Start a process that pauses what waits, unless one is at work."""
    process.wake(_NAME, "pause_prolific", lambda: _waiting() is not None)


def work(lock: int | None = None) -> None:
    """Pause on Prolific what waits for it, until nothing does. `lock` is an inherited lock."""

    def pause_all() -> None:
        while link := _waiting():
            _pause(link)

    process.work_off(_NAME, lock, pause_all, lambda: _waiting() is not None)


def _waiting() -> ProlificLink | None:
    return (
        ProlificLink.objects.filter(pause_asked_at__isnull=False)
        .select_related("study")
        .order_by("pause_asked_at")
        .first()
    )


def _pause(link: ProlificLink) -> None:
    """Pause one study on Prolific; after three tries keep why it could not be done."""
    problem = ""
    for wait in _WAITS:
        time.sleep(wait)
        link.study.refresh_from_db()
        if link.study.takes_people:
            # Opened again meanwhile.
            problem = ""
            break
        try:
            step(link.study, "PAUSE", FOLLOWING)
        except DeskError as error:
            problem = str(error)
        else:
            problem = ""
        link.refresh_from_db()
        if not problem or link.status not in _COMES:
            problem = ""
            break
    if problem:
        log.warning("study %s is not paused on Prolific: %s", link.study.pk, problem)
    ProlificLink.objects.filter(pk=link.pk, pause_asked_at=link.pause_asked_at).update(
        pause_asked_at=None, problem=problem[:300]
    )
