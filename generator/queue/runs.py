"""Changes of state of plans from the browser, one function each. `generator.queue.worker` does the work."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from generator.models import Cell, ImageSet, PlanRun
from generator.plans.document import Document, PlanError, document_of
from generator.plans.plan import check_settings
from generator.queue import worker
from generator.sets import claims
from generator.sets.create import free_slug

State = PlanRun.State
_BEFORE_GO = (State.NEW, State.PLANNING, State.PLANNED, State.REFUSED)


class RunError(ValueError):
    """A change that is not possible; the one-line message is for the user."""


def submit(owner: User, text: str) -> PlanRun:
    """Submit a plan for a dry run.

    Raises:
        PlanError: If the plan is not well-formed, names files in other folders, or has invalid settings.
    """
    text = "\n".join(text.splitlines()) + "\n"
    document = document_of(text, "plan")
    _check_names(document)
    check_settings(document)
    waiting = PlanRun.objects.exclude(state__in=[State.DONE, State.REFUSED]).filter(image_set=None)
    wanted = slugify(document.title).replace("_", "-")[:80].strip("-") or "images"
    slug = document.slug or free_slug(wanted, also=waiting.values_list("slug", flat=True))
    with transaction.atomic():
        run = PlanRun.objects.create(owner=owner, slug=slug, title=document.title or slug, plan=text)
        _wake("plans")
    return run


def go(run: PlanRun) -> None:
    """Start making the images of a checked plan.

    Raises:
        RunError: If it is not checked, or started already.
    """
    with transaction.atomic():
        if not PlanRun.objects.filter(pk=run.pk, state=State.PLANNED).update(state=State.QUEUED):
            raise RunError("Only a plan that was checked and not yet started can be started.")
        _wake("sets")


def discard(run: PlanRun) -> None:
    """Delete a plan without an image set.

    Raises:
        RunError: If its images are being made.
    """
    gone, _ = PlanRun.objects.filter(
        pk=run.pk, image_set=None, state__in=[*_BEFORE_GO, State.FAILED, State.STOPPED]
    ).delete()
    if not gone:
        raise RunError("Its images are being made. Stop that first.")


def stop_run(run: PlanRun) -> None:
    """Stop a plan that waits or is being made. Finished images are kept. Stopping again has no effect."""
    with transaction.atomic():
        if PlanRun.objects.filter(pk=run.pk, state__in=PlanRun.OPEN).update(state=State.STOPPED):
            ImageSet.objects.filter(runs=run).update(stopped_at=timezone.now())


def stop_set(image_set: ImageSet) -> None:
    """Stop all work on a set that the browser or the task queue started. A command in a terminal continues."""
    with transaction.atomic():
        stopped = image_set.runs.filter(state__in=PlanRun.OPEN).update(state=State.STOPPED)
        stopped += ImageSet.objects.filter(pk=image_set.pk, is_queued=True).update(is_queued=False)
        if stopped:
            ImageSet.objects.filter(pk=image_set.pk).update(stopped_at=timezone.now())


def take_up(image_set: ImageSet, owner: User, *, retry_failed: bool = False) -> PlanRun:
    """Continue a set: its waiting cells and, if `retry_failed`, its failed cells.

    Raises:
        RunError: If nothing is left to do, or the set is being made already.
    """
    wanted: list[Any] = [Cell.Status.WAITING, Cell.Status.RUNNING]
    if retry_failed:
        wanted.append(Cell.Status.FAILED)
    if not image_set.cells.filter(status__in=wanted).exists():
        raise RunError("Every image of this set is made already.")
    try:
        with transaction.atomic():
            run = PlanRun.objects.create(
                owner=owner,
                state=State.QUEUED,
                slug=image_set.slug,
                title=image_set.title,
                plan=image_set.plan,
                image_set=image_set,
                retries_failed=retry_failed,
            )
            ImageSet.objects.filter(pk=image_set.pk).update(stopped_at=None)
            _wake("sets")
    except IntegrityError as error:
        raise RunError("This set is waiting or being made already.") from error
    return run


def tend() -> None:
    """Detect dead processes, and start a process if a run waits. It is fast enough for every page."""
    for queue in worker.QUEUES:
        worker.wake(queue)
    if Cell.objects.filter(status=Cell.Status.RUNNING).exists():
        claims.free_abandoned()


def _wake(queue: str) -> None:
    transaction.on_commit(partial(worker.wake, queue))


def _check_names(document: Document) -> None:
    """Refuse paths outside the owner's pictures: a plan from the browser reads no other file."""
    named = document.model_dump(exclude={"title": True, "images": {"licences"}})
    for text in _strings([named, list(document.images.licences)]):
        if set("/\\") & set(text) or text == ".." or not text.isprintable():
            raise PlanError(
                f"plan: {text[:60]!r} leads to another folder; name pictures that you uploaded, and networks by name"
            )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _strings(key)
            # Labels are for people and name no file.
            yield from () if key == "label" else _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)
