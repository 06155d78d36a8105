"""Accounts: invitations and new passwords by link, roles, and accounts that are switched off and on.

A link works once and for a limited time. Its secret is shown once; only a hash is stored.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from survey.access import guesses
from survey.access.audit import record
from survey.access.errors import DeskError
from survey.access.roles import Role, give_role, role_of
from survey.access.secrets import hash_of, new_secret
from survey.models import AccountLink, Study, Viewer

#: Choices of an invitation's lifetime in days.
DAYS: Final = (1, 7, 30)
RESET_HOURS: Final = 24


@transaction.atomic
def invite(
    by: User, role: AccountLink.Role, *, note: str = "", days: int = 7, study: Study | None = None
) -> str:
    """Create an invitation and return its secret, which cannot be shown again.

    Args:
        by: Who invites: an administrator, or the owner of `study` for a viewer.
        role: The new account's role.
        note: For whom it is.
        days: Its lifetime.
        study: A study that the new account may read.

    Raises:
        DeskError: If the note is longer than 100 characters.
    """
    note = " ".join(note.split())
    if len(note) > 100:
        raise DeskError("Say in at most 100 characters for whom it is.")
    secret = new_secret()
    link = AccountLink.objects.create(
        kind=AccountLink.Kind.INVITE,
        sha256=hash_of(secret),
        role=role,
        note=note,
        study=study,
        by=by,
        expires_at=timezone.now() + dt.timedelta(days=days),
    )
    record("account.invite", study, by, invitation=link.pk, role=str(role), days=days)
    return secret


@transaction.atomic
def make_reset(user: User, by: User | None) -> str:
    """Create a link to a new password and return its secret. Earlier ones of this account end.

    Raises:
        DeskError: If the account is switched off.
    """
    if not user.is_active:
        raise DeskError("This account is switched off. Switch it on first.")
    _end_resets(user)
    secret = new_secret()
    AccountLink.objects.create(
        kind=AccountLink.Kind.RESET,
        sha256=hash_of(secret),
        user=user,
        by=by,
        expires_at=timezone.now() + dt.timedelta(hours=RESET_HOURS),
    )
    record("account.reset_link", None, by, account=user.get_username(), hours=RESET_HOURS)
    return secret


def open_links() -> QuerySet[AccountLink]:
    """Return the links that work: neither used, revoked nor expired, and not of an account that is switched off."""
    resets = Q(user__isnull=True) | Q(user__is_active=True)
    return AccountLink.objects.filter(
        resets, used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now()
    )


def open_invitations() -> QuerySet[AccountLink]:
    """Return the invitations that nobody has used yet."""
    return open_links().filter(kind=AccountLink.Kind.INVITE).select_related("by", "study")


def link_of(secret: str, kind: AccountLink.Kind) -> AccountLink | None:
    """Return the link with this secret, whether it still works or not; None if there never was one."""
    digest = hash_of(secret)
    link = AccountLink.objects.filter(sha256=digest, kind=kind).select_related("user", "study").first()
    return link if link and constant_time_compare(link.sha256, digest) else None


def works(link: AccountLink) -> bool:
    """Return whether a link can still be used."""
    return open_links().filter(pk=link.pk).exists()


@transaction.atomic
def join(link: AccountLink, account: User) -> User:
    """Save a new account, whose password is set, by an invitation.

    Raises:
        DeskError: If the invitation has ended, or somebody used it a moment ago.
    """
    account.save()
    _use(link, account)
    give_role(account, Role(link.role))
    if link.study:
        Viewer.objects.create(study=link.study, user=account)
    record("account.join", link.study, account, invitation=link.pk, role=link.role)
    return account


@transaction.atomic
def reset_password(link: AccountLink, password: str) -> User:
    """Set a new password by a link. All sessions of the account end, since they hold a hash of the old one.

    Raises:
        DeskError: If the link has ended, or was used a moment ago.
    """
    assert link.user is not None  # noqa: S101 - a constraint of the database
    _use(link, link.user)
    link.user.set_password(password)
    link.user.save(update_fields=["password"])
    guesses.forget_all(link.user)
    record("account.reset", None, link.user)
    return link.user


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Set one's own new password. Links to a new password end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    _end_resets(user)
    record("account.password", None, user)


@transaction.atomic
def revoke(link: AccountLink, by: User) -> None:
    """End an invitation. Ending it again has no effect."""
    if open_links().filter(pk=link.pk).update(revoked_at=timezone.now()):
        record("account.uninvite", link.study, by, invitation=link.pk)


@transaction.atomic
def set_role(user: User, role: AccountLink.Role, by: User) -> None:
    """Give an account another role.

    Raises:
        DeskError: If it is one's own account, or the last administrator.
    """
    user = _changeable(user, by, keeps=role == Role.ADMIN)
    before = role_of(user)
    if before != role:
        give_role(user, role)
        if before == Role.ADMIN:
            _end_invitations(user)
        record("account.role", None, by, account=user.get_username(), before=str(before), role=str(role))


@transaction.atomic
def switch(user: User, *, on: bool, by: User) -> None:
    """Switch an account off or on. Switched off, it can neither sign in nor use its tokens; what it owns stays.

    Raises:
        DeskError: As in `set_role`.
    """
    _changeable(user, by, keeps=on)
    if User.objects.filter(pk=user.pk, is_active=not on).update(is_active=on):
        if not on:
            _end_invitations(user)
        record("account.on" if on else "account.off", None, by, account=user.get_username())


@transaction.atomic
def delete(user: User, by: User | None) -> None:
    """Delete an account. Its studies and image sets stay, without an owner."""
    _end_invitations(user)
    record("account.delete", None, by, account=user.get_username())
    user.delete()


@transaction.atomic
def end_wait(user: User, by: User | None) -> None:
    """Let an account sign in again now, after wrong passwords or codes."""
    guesses.forget_all(user)
    record("account.unlock", None, by, account=user.get_username())


def _changeable(user: User, by: User, *, keeps: bool) -> User:
    """Lock all administrators and return the account, if `by` may change it. `keeps`: it stays an administrator's."""
    admins = set(
        User.objects.select_for_update()
        .filter(is_superuser=True, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    if user.pk == by.pk:
        raise DeskError("Another administrator has to change your own account.")
    if not keeps and admins == {user.pk}:
        raise DeskError("This is the last administrator. Make another one first.")
    # Anew: a user object remembers the permissions that it had.
    return User.objects.get(pk=user.pk)


def _use(link: AccountLink, account: User) -> None:
    # The conditional update lets one of two requests through.
    if not open_links().filter(pk=link.pk).update(used_at=timezone.now(), user=account):
        raise DeskError("This link has ended. Ask for a new one.")


def _end_resets(user: User) -> None:
    open_links().filter(kind=AccountLink.Kind.RESET, user=user).update(revoked_at=timezone.now())


def _end_invitations(user: User) -> None:
    # Otherwise who leaves could let themselves in again.
    open_links().filter(kind=AccountLink.Kind.INVITE, by=user).update(revoked_at=timezone.now())
