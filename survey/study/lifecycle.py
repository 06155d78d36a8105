"""A study's life after it is published: its state, invitations, copies, the archive, and its end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.access.locking import locked
from survey.models import Invitation, Participant, Rating, Stimulus, StimulusProvenance, Study
from survey.study import erasure
from survey.study.definition import Definition, definition_of
from survey.study.prolific.pausing import pause_there_too
from survey.study.publish import check_slug, save_study

MAX_INVITATIONS: Final = 10_000


@dataclass(frozen=True)
class Contents:
    """How much a study holds: what `delete` would delete. Previews count as participants here."""

    participants: int
    ratings: int
    images: int
    versions: int
    invitations: int
    share_links: int


@transaction.atomic
def set_state(study: Study, state: Study.State, by: User | None) -> None:
    """Open, pause or close a study; a pause keeps every place, and answers under way are still kept.

    Raises DeskError for an archived study, one whose purge date has come, and a way back to a draft.
    """
    study = locked(Study.objects, study.pk)
    if study.state == state:
        return
    if state == Study.State.DRAFT:
        raise DeskError("A study cannot become a draft again. Pause it or close it.")
    if study.is_imported:
        raise DeskError("Its ratings were made elsewhere. Nobody can take part, so it stays closed.")
    if study.archived_at and state != Study.State.CLOSED:
        raise DeskError("The study is in the archive. Take it out first.")
    if state == Study.State.OPEN and study.is_purged:
        raise DeskError(f"Its personal data are deleted on {study.purge_on}. Set a later day first.")
    record("study.state", study, by, **{"from": study.state, "to": state.value})
    study.state = state
    study.save(update_fields=["state"])
    if state != Study.State.OPEN:
        pause_there_too(study)


@transaction.atomic
def invite(study: Study, count: int, by: User | None) -> list[Invitation]:
    """Make personal links; DeskError unless there are 1 to 10,000 of them, and once the purge date has come."""
    if study.is_purged:
        raise DeskError(f"Its personal links are deleted on {study.purge_on}. Set a later day first.")
    if not 1 <= count <= MAX_INVITATIONS:
        raise DeskError(f"count: 1 to {MAX_INVITATIONS}, not {count}")
    record("invitations.make", study, by, count=count)
    return Invitation.objects.bulk_create(Invitation(study=study) for _ in range(count))


def copy(
    study: Study, slug: str, by: User | None, *, simulated: bool = False, owner: User | None = None
) -> Study:
    """Return a draft that belongs to `owner` or else to `by`, who asks for it, with the same definition and images, and nobody in it.

    A `simulated` copy is open, for simulated participants only. Raises survey.study.pictures.PublishError when the slug is taken or not fit for an address.
    """
    check_slug(slug)
    saved: list[str] = []
    try:
        with transaction.atomic():
            definition = _as_copy(definition_of(study.version), "simulated" if simulated else "copy")
            state = Study.State.OPEN if simulated else Study.State.DRAFT
            made = save_study(slug, definition, owner or by, state, simulated)
            for stimulus in study.stimuli.select_related("provenance").order_by("pk"):
                saved.append(_copy_stimulus(stimulus, made))
            record("study.copy", made, by, of=study.slug)
    except BaseException:
        _remove_files(saved)
        raise
    return made


def undo_copy(made: Study, files: list[str]) -> None:
    """Remove a copy in which nobody has taken part, and the files of its images; it may be gone already, but for these."""
    with transaction.atomic():
        if Participant.objects.filter(study=made).exists():
            return
        if left := Study.objects.filter(pk=made.pk).first():
            record("study.delete", left, None, title=left.title)
            left.delete()
    _remove_files(files)


def _as_copy(definition: Definition, word: str) -> Definition:
    title = definition.title
    copied = f"{title} ({word})" if isinstance(title, str) else {k: f"{v} ({word})" for k, v in title.items()}
    day = definition.purge_on
    is_over = day is not None and day <= timezone.localdate()
    return definition.model_copy(update={"title": copied} | ({"purge_on": None} if is_over else {}))


def _copy_stimulus(stimulus: Stimulus, study: Study) -> str:
    """Save a stimulus's copy, with bytes and an opaque name of its own; return where its bytes lie."""
    with stimulus.image.open("rb") as file:
        data = file.read()
    fields = {
        field.name: getattr(stimulus, field.name)
        for field in Stimulus._meta.concrete_fields
        if field.name not in ("id", "name", "image", "study")
    }
    made = Stimulus(study=study, **fields)
    made.image.save("stimulus.png", ContentFile(data), save=False)
    made.save(force_insert=True)
    if hasattr(stimulus, "provenance"):
        told = stimulus.provenance
        StimulusProvenance.objects.create(stimulus=made, account=told.account, sha256=told.sha256)
    return str(made.image.name)


@transaction.atomic
def archive(study: Study, by: User | None) -> None:
    """Take a study off the list; everything stays. DeskError while it takes people."""
    study = locked(Study.objects, study.pk)
    _check_over(study)
    if study.archived_at is None:
        study.archived_at = timezone.now()
        study.save(update_fields=["archived_at"])
        record("study.archive", study, by)


@transaction.atomic
def restore(study: Study, by: User | None) -> None:
    """Put an archived study back on the list; it stays closed."""
    if Study.objects.filter(pk=study.pk, archived_at__isnull=False).update(archived_at=None):
        record("study.restore", study, by)


def contents(study: Study) -> Contents:
    """Count what a study holds."""
    return Contents(
        participants=study.participants.count(),
        ratings=Rating.objects.filter(trial__participant__study=study).count(),
        images=study.stimuli.count(),
        versions=study.versions.count(),
        invitations=study.invitations.count(),
        share_links=study.share_links.count(),
    )


@transaction.atomic
def purge(study: Study, typed: str, by: User) -> int:
    """Delete now what may tie answers to a person, as on the purge date; ratings stay. Return how many people.

    Raises DeskError while the study takes people, or unless `typed` is its slug.
    """
    study = locked(Study.objects, study.pk)
    _check_over(study)
    _check_typed(study, typed)
    return erasure.purge(study, by)


@transaction.atomic
def delete(study: Study, typed: str, by: User) -> None:
    """Delete a study with all that it holds; the log keeps that it was there, and how much went.

    Raises DeskError while the study takes people, or unless `typed` is its slug.
    """
    study = locked(Study.objects, study.pk)
    _check_over(study)
    _check_typed(study, typed)
    record("study.delete", study, by, title=study.title, **asdict(contents(study)))
    files = [str(name) for name in study.stimuli.values_list("image", flat=True)]
    study.delete()
    # Only then: a file cannot be rolled back.
    transaction.on_commit(partial(_remove_files, files))


def _check_over(study: Study) -> None:
    if study.state in (Study.State.OPEN, Study.State.PAUSED):
        raise DeskError(f"The study is {study.state}. Close it first.")


def _check_typed(study: Study, typed: str) -> None:
    if typed.strip() != study.slug:
        raise DeskError(f"Nothing was deleted. Type {study.slug} to confirm.")


def _remove_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)
