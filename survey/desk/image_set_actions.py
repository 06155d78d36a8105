"""What a researcher decides about plans and image sets: the generator's acts, each with its entry in the log."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from generator.models import Cell, ImageSet, PlanRun
from generator.queue import runs
from generator.sets.progress import progress
from generator.sets.removal import remove_set
from survey.access.audit import record
from survey.access.errors import DeskError
from survey.access.locking import locked
from survey.models import Study

#: As the model has it.
MAX_TITLE: Final = 200


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


@transaction.atomic
def rename_set(image_set: ImageSet, title: str, by: User) -> None:
    """Give a set another title; its addresses stay. Raises DeskError for a title that is empty or too long."""
    title = " ".join(title.split())
    if not title:
        raise DeskError("Give the set a name.")
    if len(title) > MAX_TITLE:
        raise DeskError(f"This name has {len(title)} characters. At most {MAX_TITLE} are possible.")
    before = image_set.title
    ImageSet.objects.filter(pk=image_set.pk).update(title=title)
    record("images.rename", None, by, set=image_set.slug, before=before, after=title)


@transaction.atomic
def delete_set(image_set: ImageSet, by: User) -> None:
    """Delete a set with its images. Raises DeskError with the reason where it has to stay."""
    image_set = locked(ImageSet.objects, image_set.pk)
    if reason := why_kept(image_set):
        raise DeskError(reason)
    images = image_set.cells.filter(status=Cell.Status.DONE).count()
    record("images.delete", None, by, set=image_set.slug, title=image_set.title, images=images)
    remove_set(image_set)


def why_kept(image_set: ImageSet) -> str:
    """Return why a set cannot be deleted now, or an empty text."""
    count = Study.objects.filter(stimuli__cell__image_set=image_set).distinct().count()
    if count == 1:
        return "A study uses its images. Delete that study first."
    if count:
        return f"{count} studies use its images. Delete those studies first."
    if progress(image_set).state in ("making", "queued", "stopping"):
        return "Its images are being made. Stop that first."
    return ""
