"""API tokens: created by an account for its programs, shown once, stored as a hash, and revocable."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.access.secrets import hash_of, new_secret
from survey.models import ApiToken, Study

#: Lets scanners for leaked secrets recognise a token.
PREFIX = "nstsite_"


#: Choices of a token's lifetime in days on the account page.
DAYS: Final = (30, 90, 365)


@transaction.atomic
def make(
    user: User,
    name: str,
    *,
    study: Study | None = None,
    scope: ApiToken.Scope = ApiToken.Scope.ALL,
    days: int = 90,
) -> str:
    """Create a token and return its secret, which cannot be shown again.

    Args:
        user: The account.
        name: What it is for.
        study: The only study that it reads; None for all studies that the account may read.
        scope: What it reads of a study.
        days: Its lifetime.

    Raises:
        DeskError: If the name is empty or longer than 100 characters.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise DeskError("Write what the token is for, in at most 100 characters.")
    secret = PREFIX + new_secret()
    expires_at = timezone.now() + dt.timedelta(days=days)
    token = ApiToken.objects.create(
        user=user, name=name, sha256=hash_of(secret), study=study, scope=scope, expires_at=expires_at
    )
    record("token.make", study, user, token=token.pk, name=name, scope=scope.value, days=days)
    return secret


@transaction.atomic
def revoke(token: ApiToken, by: User) -> None:
    """Revoke a token. Revoking it again has no effect."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        record("token.revoke", None, by, token=token.pk, name=token.name)


def in_force() -> QuerySet[ApiToken]:
    """Return the valid tokens: neither revoked nor expired, of active accounts."""
    lasts = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return ApiToken.objects.filter(lasts, revoked_at__isnull=True, user__is_active=True)


def token_of(secret: str) -> ApiToken | None:
    """Return the valid token with this secret, with its account, and record the day of its use."""
    token = in_force().filter(sha256=hash_of(secret)).select_related("user").first()
    if token is None:
        return None
    today = timezone.localdate()
    if token.last_used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)
    return token


def user_of(secret: str) -> User | None:
    """Return the account of a valid token."""
    token = token_of(secret)
    return token.user if token else None


def within(token: ApiToken, studies: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of `studies` that a token may read."""
    return studies.filter(pk=token.study_id) if token.study_id else studies
