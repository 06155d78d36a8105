"""The progress of an image set: counts, pace, and whether a run is at work on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count
from django.utils import timezone

from generator.models import Cell, ImageSet, PlanRun
from generator.sets import claims

# The pace is that of the last images, since cells and machines differ.
_LOOKED_BACK: Final = 20
_NAMED: Final = 8


@dataclass(frozen=True)
class SetProgress:
    """The progress of one image set.

    The five counts are numbers of cells.

    Attributes:
        state: "done", "making", "queued" (behind `ahead` other plans), "stopping" (a person stopped it, and some
            images are still being made) or "stopped" (it can be continued).
        images_per_hour: None while unknown.
        seconds_left: None while unknown.
        pace: Both in rounded words, so that unchanged words need not be sent again.
        problem: Why the last run ended before the set was done.
    """

    state: str
    total: int
    done: int
    failed: int
    running: int
    waiting: int
    at_work: list[str]
    images_per_hour: float | None
    seconds_left: float | None
    pace: str
    ahead: int
    problem: str
    may_stop: bool


def progress(image_set: ImageSet) -> SetProgress:
    """Return a set's progress, by its rows and its run."""
    counts = dict(image_set.cells.values_list("status").annotate(Count("pk")).order_by())
    running, waiting = counts.get(Cell.Status.RUNNING, 0), counts.get(Cell.Status.WAITING, 0)
    run = image_set.runs.order_by("-pk").first()
    state = _state(image_set, run, running, waiting)
    made = _recently_made(image_set, run)
    each = _seconds_for_one(made) if state == "making" else None
    an_hour = 3600 / each if each else None
    left = _seconds_left(each, made, running + waiting, run) if state == "making" else None
    return SetProgress(
        state=state,
        total=sum(counts.values()),
        done=counts.get(Cell.Status.DONE, 0),
        failed=counts.get(Cell.Status.FAILED, 0),
        running=running,
        waiting=waiting,
        at_work=_at_work(image_set) if running else [],
        images_per_hour=an_hour,
        seconds_left=left,
        pace=in_words(an_hour, left),
        ahead=run.ahead if run and state == "queued" else 0,
        problem=run.problem if run and state == "stopped" else "",
        may_stop=image_set.is_queued or (run is not None and run.state in PlanRun.OPEN),
    )


def in_words(images_per_hour: float | None, seconds_left: float | None) -> str:
    """Return "about 3 min left, 240 images an hour", or the part of it that is known."""
    parts = []
    if seconds_left is not None:
        parts.append(f"{duration(seconds_left)} left")
    if images_per_hour is not None:
        parts.append(f"{images_per_hour:.0f} images an hour")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return "about 3 min", or the like in seconds or hours."""
    return f"about {_duration(seconds)}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _state(image_set: ImageSet, run: PlanRun | None, running: int, waiting: int) -> str:
    if run and run.state in PlanRun.OPEN:
        return "queued" if run.state == PlanRun.State.QUEUED else "making"
    if not running and not waiting:
        return "done"
    if running and not image_set.is_queued and _was_just_stopped(image_set):
        return "stopping"
    return "making" if running or image_set.is_queued else "stopped"


def _was_just_stopped(image_set: ImageSet) -> bool:
    """Return whether cells in progress may still belong to the stopped run; later they belong to another run."""
    at = image_set.stopped_at
    return at is not None and timezone.now() - at < claims.LEASE


def _at_work(image_set: ImageSet) -> list[str]:
    rows = image_set.cells.filter(status=Cell.Status.RUNNING).order_by("index")
    return list(rows.values_list("label", flat=True)[:_NAMED])


def _recently_made(image_set: ImageSet, run: PlanRun | None) -> list[datetime]:
    """Return when the last images were made, oldest first, preceded by the run's start if it is recent enough."""
    began = run.began if run else None
    made = image_set.cells.filter(status=Cell.Status.DONE)
    if began is not None:
        made = made.filter(made_at__gt=began)
    newest = made.order_by("-made_at").values_list("made_at", flat=True)[:_LOOKED_BACK]
    last = sorted(at for at in newest if at is not None)
    return [began, *last] if began is not None and len(last) < _LOOKED_BACK else last


def _seconds_for_one(made: Sequence[datetime]) -> float | None:
    if len(made) < 2:
        return None
    return (made[-1] - made[0]).total_seconds() / (len(made) - 1) or None


def _seconds_left(
    each: float | None, made: Sequence[datetime], left: int, run: PlanRun | None
) -> float | None:
    """Return the seconds until all are made, at that pace or, before the first image, by the dry run's forecast."""
    spent = (timezone.now() - made[-1]).total_seconds() if made else 0.0
    if each is not None:
        return max(0.0, left * each - spent)
    foretold = run.dry_run.get("seconds") if run else None
    return max(0.0, foretold - spent) if foretold else None
