"""An image set made by workers on many hosts.

The state is in the rows: `ImageSet.is_queued` lets workers make a set, its cells show what is left, and claims show
who makes what. The task queue only wakes workers, so a job may be lost, late or run twice. `sweep` wakes workers for
all rows that still wait. Another queue would need only `wake` and one task.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import nan

from django.apps import apps
from django.db import transaction

from generator.making import render
from generator.making.render import Step, Summary
from generator.models import Cell, ImageSet
from generator.plans.plan import Plan
from generator.sets import claims
from generator.sets.create import image_set_from_plan

# Limit on waiting jobs for one set: more than the number of GPUs, and few enough to search.
_MAX_JOBS = 64
# Seconds between checks while waiting for a set.
_POLL = 1.0
# The task that makes a batch, and its queue, by name, because `tasks` imports this module.
MAKE_BATCH, IMAGES = "generator.make_batch", "images"
_OPEN = (Cell.Status.WAITING, Cell.Status.RUNNING)


class NoQueue(Exception):
    """This installation has no task queue; the message gives the fix."""


def enqueue_plan(plan: Plan, *, retry_failed: bool = False) -> ImageSet:
    """Create the rows of a plan and give them to the workers, in one transaction.

    Args:
        plan: The plan.
        retry_failed: Try failed cells again.

    Raises:
        NoQueue: If there is no task queue.
        Exception: As in `create.image_set_from_plan`.
    """
    with transaction.atomic():
        image_set = image_set_from_plan(plan)
        if retry_failed:
            claims.retry_failed(image_set)
        enqueue(image_set)
    return image_set


def enqueue(image_set: ImageSet) -> None:
    """Let workers make the waiting cells of a set.

    Raises:
        NoQueue: If there is no task queue.
    """
    if not apps.is_installed("procrastinate.contrib.django"):
        raise NoQueue("no task queue: set GENERATOR_EXECUTOR=procrastinate and DATABASE_URL to PostgreSQL")
    with transaction.atomic():
        ImageSet.objects.filter(pk=image_set.pk).update(is_queued=True)
        wake(image_set)


def cancel(image_set: ImageSet) -> None:
    """Stop workers on a set. They free the cells that they were making."""
    ImageSet.objects.filter(pk=image_set.pk).update(is_queued=False)


def wake(image_set: ImageSet) -> None:
    """Put a job in the queue for each batch that could be made, unless enough jobs wait already."""
    from procrastinate.contrib.django import app
    from procrastinate.exceptions import AlreadyEnqueued

    waiting = image_set.cells.filter(status=Cell.Status.WAITING).count()
    for place in range(min(waiting, _MAX_JOBS)):
        try:
            with transaction.atomic():
                app.configure_task(MAKE_BATCH, queue=IMAGES, queueing_lock=f"{image_set.pk}/{place}").defer(
                    image_set=image_set.pk
                )
        except AlreadyEnqueued:
            continue


def make_batch(pk: int) -> int:
    """Make one batch of a queued set, in a worker; return how many cells were made."""
    wanted = ImageSet.objects.filter(pk=pk, is_queued=True)
    image_set = wanted.first()
    if image_set is None:
        return 0
    try:
        made = render.render_batch(image_set, progress=render.while_wanted(wanted))
    except render.TakenBack:
        return 0
    if image_set.cells.filter(status__in=_OPEN).exists():
        # The cells of a dead worker wait again, but its job is gone.
        wake(image_set)
    else:
        cancel(image_set)
    return made


def sweep() -> None:
    """Free the cells of dead workers, and wake workers for every queued set that has cells waiting."""
    claims.free_abandoned()
    for image_set in ImageSet.objects.filter(is_queued=True, cells__status=Cell.Status.WAITING).distinct():
        wake(image_set)


def follow(image_set: ImageSet, progress: Callable[[Step], None]) -> Summary:
    """Wait until workers have made a set, or somebody stops it. An interruption does not stop the workers."""
    before = finished = _finished(image_set)
    while True:
        running = tuple(
            image_set.cells.filter(status=Cell.Status.RUNNING).values_list("label", flat=True)[:20]
        )
        done, failed = _finished(image_set)
        total = image_set.cells.count()
        if (done, failed) != finished:
            finished = (done, failed)
            progress(Step(running, 0, 0, 0, done, failed, total, lambda: nan))
        image_set.refresh_from_db()
        if done + failed == total or not image_set.is_queued:
            return Summary(done=done, failed=failed, waiting=total - done - failed, made=done - before[0])
        time.sleep(_POLL)


def _finished(image_set: ImageSet) -> tuple[int, int]:
    done = image_set.cells.filter(status=Cell.Status.DONE).count()
    return done, image_set.cells.filter(status=Cell.Status.FAILED).count()
