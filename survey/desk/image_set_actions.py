"""What a researcher decides about plans and image sets: the generator's acts, each with its entry in the log."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from generator.models import ImageSet, PlanRun
from generator.queue import runs
from survey.access.audit import record


@transaction.atomic
def go(run: PlanRun, by: User) -> None:
    """Let a plan's images be made. Raises generator.queue.runs.RunError, as the others here do."""
    runs.go(run)
    record("images.make", None, by, set=run.slug)


@transaction.atomic
def discard(run: PlanRun, by: User) -> None:
    """Forget a plan of which no image set was made."""
    runs.discard(run)
    record("images.discard", None, by, set=run.slug)


@transaction.atomic
def stop_run(run: PlanRun, by: User) -> None:
    """Take back a plan that waits or is at work."""
    runs.stop_run(run)
    record("images.stop", None, by, set=run.slug)


@transaction.atomic
def stop_set(image_set: ImageSet, by: User) -> None:
    """Stop making a set; what was finished is kept."""
    runs.stop_set(image_set)
    record("images.stop", None, by, set=image_set.slug)


@transaction.atomic
def take_up(image_set: ImageSet, by: User, *, retry_failed: bool) -> None:
    """Go on with a set."""
    runs.take_up(image_set, by, retry_failed=retry_failed)
    record("images.resume", None, by, set=image_set.slug, retry_failed=retry_failed)
