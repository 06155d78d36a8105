"""Rights on studies: admins have all studies, owners have their own, viewers read those shared with them."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.auth.models import AnonymousUser, User
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from survey.access.audit import record
from survey.access.locking import locked
from survey.models import ShareLink, Study

_SIMULATION: Final = "survey.simulation.people"


def readable_studies(user: User | AnonymousUser) -> QuerySet[Study]:
    """Return the studies whose results `user` may read."""
    if not user.is_authenticated:
        return Study.objects.none()
    if user.is_superuser:
        return Study.objects.all()
    return Study.objects.filter(Q(owner=user) | Q(viewers__user=user)).distinct()


def own_studies(user: User | AnonymousUser) -> QuerySet[Study]:
    """Return the studies that `user` may change."""
    if not user.is_authenticated:
        return Study.objects.none()
    return Study.objects.all() if user.is_superuser else Study.objects.filter(owner=user)


def give_owner(study: Study, owner: User) -> Study:
    """Give a study that has no owner this one, and return it; a study that has an owner keeps it."""
    with transaction.atomic():
        study = locked(Study.objects, study.pk)
        if study.owner is None:
            study.owner = owner
            study.save(update_fields=["owner"])
            record("study.owner", study, None, owner=owner.username)
    return study


def may_create_studies(user: User | AnonymousUser) -> bool:
    """Return whether `user` may create studies: admins, and users with the permission of the group Researchers."""
    return user.has_perm("survey.add_study")


def readable_study(user: User | AnonymousUser, slug: str) -> Study:
    """Return one study to read.

    Raises:
        Http404: If it does not exist or `user` may not read it. The two cases look the same.
    """
    return _one(readable_studies(user), slug)


def own_study(user: User | AnonymousUser, slug: str) -> Study:
    """Return one study to change.

    Raises:
        Http404: As in `readable_study`.
    """
    return _one(own_studies(user), slug)


def shared_study(token: str) -> Study:
    """Return the study of a valid share link.

    Raises:
        Http404: If the link is unknown or revoked.
    """
    link = ShareLink.objects.filter(token=token, revoked_at__isnull=True).select_related("study").first()
    if link is None:
        raise Http404("no such share link")
    return link.study


def _one(studies: QuerySet[Study], slug: str) -> Study:
    study = studies.filter(slug=slug).first()
    if study is None:
        raise Http404(f"no study {slug}")
    return study


def simulation_pass(study: Study) -> str:
    """Return a pass for a program of this installation into a simulated study, valid for a day."""
    return signing.TimestampSigner(salt=_SIMULATION).sign(str(study.pk))


def is_simulation_pass(study: Study, text: str) -> bool:
    """Return whether `text` is a valid pass into this simulated study."""
    try:
        named = signing.TimestampSigner(salt=_SIMULATION).unsign(text, max_age=dt.timedelta(days=1))
    except signing.BadSignature:
        return False
    return study.is_simulated and named == str(study.pk)
