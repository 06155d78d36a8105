"""API tokens: made by an account for its programs, shown once, kept as a hash, revoked at will."""

from __future__ import annotations

import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.models import ApiToken

#: Lets scanners for leaked secrets know one when they see it.
PREFIX = "nstsite_"


@transaction.atomic
def make(user: User, name: str) -> str:
    """Make a token and return its secret, which cannot be had again; DeskError without a name of at most 100 letters."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise DeskError("Give the token a name of at most 100 characters: what it is for.")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(user=user, name=name, sha256=_hash(secret))
    record("token.make", None, user, token=token.pk, name=name)
    return secret


@transaction.atomic
def revoke(token: ApiToken, by: User) -> None:
    """End a token. Revoking twice changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        record("token.revoke", None, by, token=token.pk, name=token.name)


def user_of(secret: str) -> User | None:
    """Return the account that a token in force speaks for; None for any other, or an account that is switched off."""
    tokens = ApiToken.objects.filter(sha256=_hash(secret), revoked_at__isnull=True, user__is_active=True)
    token = tokens.select_related("user").first()
    if token is None:
        return None
    today = timezone.localdate()
    if token.last_used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)
    return token.user


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
