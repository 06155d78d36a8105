"""API tokens: made by an account for its programs, shown once, kept as a hash, revoked at will."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.models import ApiToken, Study

#: Lets scanners for leaked secrets know one when they see it.
PREFIX = "nstsite_"


#: After how many days a token ends, as the account page offers it.
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
    """Make a token and return its secret, which cannot be had again; DeskError without a name of at most 100 letters.

    Args:
        study: the only study that it reads; None for every one that the account may read.
        scope: what it reads of a study.
        days: after so many days it ends.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise DeskError("Write what the token is for, in at most 100 characters.")
    secret = PREFIX + secrets.token_urlsafe(32)
    expires_at = timezone.now() + dt.timedelta(days=days)
    token = ApiToken.objects.create(
        user=user, name=name, sha256=_hash(secret), study=study, scope=scope, expires_at=expires_at
    )
    record("token.make", study, user, token=token.pk, name=name, scope=scope.value, days=days)
    return secret


@transaction.atomic
def revoke(token: ApiToken, by: User) -> None:
    """End a token. Revoking twice changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        record("token.revoke", None, by, token=token.pk, name=token.name)


def in_force() -> QuerySet[ApiToken]:
    """Return the tokens that are neither revoked nor past their end, of accounts that are switched on."""
    lasts = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return ApiToken.objects.filter(lasts, revoked_at__isnull=True, user__is_active=True)


def token_of(secret: str) -> ApiToken | None:
    """Return the token in force that has this secret, with its account, and note the day of its use."""
    token = in_force().filter(sha256=_hash(secret)).select_related("user").first()
    if token is None:
        return None
    today = timezone.localdate()
    if token.last_used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)
    return token


def user_of(secret: str) -> User | None:
    """Return the account that a token in force speaks for."""
    token = token_of(secret)
    return token.user if token else None


def within(token: ApiToken, studies: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of `studies` that a token reads."""
    return studies.filter(pk=token.study_id) if token.study_id else studies


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
