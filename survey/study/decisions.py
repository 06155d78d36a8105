"""What a researcher decides about a study's results: who is left out, who may look. One function a change."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.models import Exclusion, Participant, ShareLink, Study, Viewer
from survey.study import erasure


@transaction.atomic
def exclude(participant: Participant, reason: str, by: User) -> Exclusion:
    """Leave a participant out of the results, with a reason; nothing is deleted, and `lift` takes it back.

    Raises DeskError without a reason, or where the participant is left out already.
    """
    reason = checked_reason(reason)
    try:
        with transaction.atomic():
            exclusion = Exclusion.objects.create(participant=participant, reason=reason, by=by)
    except IntegrityError as error:
        raise DeskError(f"Participant {participant.code} is already left out.") from error
    record("exclusion.make", participant.study, by, exclusion=exclusion.pk)
    return exclusion


def checked_reason(reason: str) -> str:
    """Return a reason as it is kept; DeskError for none, or one of more than 200 characters."""
    if not (reason := " ".join(reason.split())):
        raise DeskError("Give a reason. It is printed with the results.")
    if len(reason) > 200:
        raise DeskError("Shorten the reason to at most 200 characters.")
    return reason


@transaction.atomic
def lift(exclusion: Exclusion, by: User) -> None:
    """Count a participant again; the exclusion stays as history. Lifting twice changes nothing."""
    in_force = Exclusion.objects.filter(pk=exclusion.pk, lifted_at__isnull=True)
    if in_force.update(lifted_at=timezone.now(), lifted_by=by):
        record("exclusion.lift", exclusion.participant.study, by, exclusion=exclusion.pk)


@transaction.atomic
def withdraw(participant: Participant, typed: str, by: User) -> None:
    """Delete a participant with every answer, as they could themselves; DeskError unless `typed` is their code."""
    if typed.strip().upper() != participant.code:
        raise DeskError(f"Nothing was deleted. Type {participant.code} to confirm.")
    # Nothing in the log says whose answers they were.
    record("participant.withdraw", participant.study, by)
    erasure.withdraw(participant, asked_at_desk=True)


@transaction.atomic
def share(study: Study, by: User) -> ShareLink:
    """Make an address that shows the results without sign-in."""
    link = ShareLink.objects.create(study=study, by=by)
    record("share.make", study, by, link=link.pk)
    return link


@transaction.atomic
def revoke(link: ShareLink, by: User) -> None:
    """End a share link. Revoking twice changes nothing."""
    if ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        record("share.revoke", link.study, by, link=link.pk)


@transaction.atomic
def add_viewer(study: Study, username: str, by: User) -> Viewer:
    """Let an account read the results; DeskError where there is no account of that name."""
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise DeskError(f"There is no account named {username.strip()!r}.")
    viewer, is_new = Viewer.objects.get_or_create(study=study, user=user)
    if is_new:
        record("viewer.add", study, by, viewer=user.get_username())
    return viewer


@transaction.atomic
def remove_viewer(viewer: Viewer, by: User) -> None:
    """Take an account's right to read the results back."""
    record("viewer.remove", viewer.study, by, viewer=viewer.user.get_username())
    viewer.delete()
