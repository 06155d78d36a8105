"""What a researcher decides about a study's results: who is left out, who may look. One function a change."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from survey.models import Exclusion, Participant, ShareLink, Study, Viewer


class DeskError(ValueError):
    """A change that cannot be made; the message is one line for the person who asked for it."""


def exclude(participant: Participant, reason: str, by: User) -> Exclusion:
    """Leave a participant out of the results, with a reason; nothing is deleted, and `lift` takes it back.

    Raises DeskError without a reason, or where the participant is left out already.
    """
    if not (reason := " ".join(reason.split())):
        raise DeskError("Give a reason: it is printed with the results.")
    if len(reason) > 200:
        raise DeskError("The reason is too long: at most 200 characters.")
    try:
        with transaction.atomic():
            return Exclusion.objects.create(participant=participant, reason=reason, by=by)
    except IntegrityError as error:
        raise DeskError(f"Participant {participant.code} is left out already.") from error


def lift(exclusion: Exclusion, by: User) -> None:
    """Count a participant again; the exclusion stays as history. Lifting twice changes nothing."""
    Exclusion.objects.filter(pk=exclusion.pk, lifted_at__isnull=True).update(
        lifted_at=timezone.now(), lifted_by=by
    )


def share(study: Study, by: User) -> ShareLink:
    """Make an address that shows the results without sign-in."""
    return ShareLink.objects.create(study=study, by=by)


def revoke(link: ShareLink) -> None:
    """End a share link. Revoking twice changes nothing."""
    ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


def add_viewer(study: Study, username: str) -> Viewer:
    """Let an account read the results; DeskError where there is no account of that name."""
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise DeskError(f"There is no account named {username.strip()!r}.")
    viewer, _ = Viewer.objects.get_or_create(study=study, user=user)
    return viewer


def remove_viewer(viewer: Viewer) -> None:
    """Take an account's right to read the results back."""
    viewer.delete()
