"""A study's connection to Prolific: the token, what Prolific said last, and one act at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.access.studies import own_studies
from survey.access.vault import lock, relock, unlock
from survey.models import ProlificLink, Study
from survey.study.prolific.api import NotThere, Prolific, RemoteStudy, check_token

#: An act that takes longer has died: longer than all that `api` waits for.
_DEAD: Final = dt.timedelta(minutes=5)


def link_of(study: Study) -> ProlificLink | None:
    """Return a study's connection, if it ever had one."""
    return ProlificLink.objects.filter(study=study).select_related("study", "by").first()


@sensitive_variables("token")
def connect(study: Study, token: str, by: User) -> ProlificLink:
    """Keep a token that Prolific accepts.

    Raises:
        ProlificError: If it does not accept it, or cannot be asked.
        DeskError: If it is no token, or does not see the Prolific study that this study has.
    """
    client = Prolific(token := check_token(token))
    account = client.me()
    link = link_of(study)
    if link and link.remote:
        try:
            client.study(link.remote)
        except NotThere:
            raise DeskError(
                "This token’s account does not see the study on Prolific. Nothing was changed."
            ) from None
    with transaction.atomic():
        link, _ = ProlificLink.objects.select_for_update().get_or_create(study=study)
        link.secret, link.by, link.account = lock(token, _about(study)), by, account.title
        link.currency = (account.currency_code or link.currency)[:3]
        link.save(update_fields=["secret", "by", "account", "currency"])
        record("prolific.connect", study, by, account=account.title)
    return link


@transaction.atomic
def disconnect(study: Study, by: User) -> None:
    """Delete the token; the study on Prolific goes on as it is."""
    kept = ProlificLink.objects.filter(study=study).exclude(secret="")
    if kept.update(secret="", by=None, account="", follows=False, pause_asked_at=None):
        record("prolific.disconnect", study, by)


def is_connected(link: ProlificLink | None) -> bool:
    """Return whether there is a token, and who gave it may still change the study."""
    return bool(link and link.secret and link.by and _may_use(link.by, link.study))


@sensitive_variables()
def client_of(link: ProlificLink) -> Prolific:
    """Return Prolific's API with a study's token; DeskError where there is none to use."""
    if not is_connected(link):
        raise DeskError("The study is not connected to Prolific. Give a token first.")
    return Prolific(unlock(link.secret, _about(link.study)))


@contextmanager
def alone(study: Study) -> Iterator[ProlificLink]:
    """Let one act at a time deal with a study's connection. No transaction is open meanwhile.

    Raises:
        DeskError: If there is no connection, or another act is under way.
    """
    link = link_of(study)
    if link is None:
        raise DeskError("The study is not connected to Prolific. Give a token first.")
    now = timezone.now()
    free = Q(busy_since__isnull=True) | Q(busy_since__lt=now - _DEAD)
    if not ProlificLink.objects.filter(free, pk=link.pk).update(busy_since=now):
        raise DeskError("Something is under way on Prolific already. Look again in a moment.")
    try:
        # Read again: the act before may have just ended.
        link.refresh_from_db()
        yield link
    finally:
        ProlificLink.objects.filter(pk=link.pk, busy_since=now).update(busy_since=None)


def keep(link: ProlificLink, remote: RemoteStudy) -> None:
    """Keep what Prolific says of a study. What an answer leaves out stays as it was."""
    said: dict[str, Any] = {
        "places": remote.total_available_places,
        "taken": remote.places_taken,
        "minutes": _whole(remote.estimated_completion_time),
        "reward": _whole(remote.reward),
        "total": _whole(remote.total_cost),
        "currency": (remote.presentment_currency_code or remote.currency_code or "")[:3] or None,
    }
    known = {name: value for name, value in said.items() if value is not None}
    fields = {"remote": remote.id, "status": remote.status, "looked_at": timezone.now(), **known}
    for name, value in fields.items():
        setattr(link, name, value)
    ProlificLink.objects.filter(pk=link.pk).update(**fields)


def look(study: Study, by: User) -> ProlificLink:
    """Ask Prolific how its study stands, and keep that. A study that was deleted there is let go."""
    with alone(study) as link:
        if not link.remote:
            return link
        try:
            remote = client_of(link).study(link.remote)
        except NotThere:
            _let_go(link, by)
        else:
            keep(link, remote)
        return link


def renew_keys() -> tuple[int, int]:
    """Encrypt every token with the newest key; return how many were, and how many no key opens."""
    done = failed = 0
    for link in ProlificLink.objects.exclude(secret="").select_related("study"):
        try:
            secret = relock(link.secret, _about(link.study))
        except DeskError:
            failed += 1
        else:
            done += ProlificLink.objects.filter(pk=link.pk, secret=link.secret).update(secret=secret)
    return done, failed


@transaction.atomic
def _let_go(link: ProlificLink, by: User) -> None:
    record("prolific.gone", link.study, by, study_there=link.remote)
    # The mark stays: were the study there after all, `create` would find it by its name.
    link.remote = link.status = ""
    ProlificLink.objects.filter(pk=link.pk).update(
        remote="", status="", places=None, taken=None, minutes=None, reward=None, total=None, looked_at=None
    )


def _may_use(user: User, study: Study) -> bool:
    return user.is_active and own_studies(user).filter(pk=study.pk).exists()


def _about(study: Study) -> str:
    return f"prolific {study.pk}"


def _whole(number: float | None) -> int | None:
    return None if number is None else min(round(number), 2**31 - 1)
