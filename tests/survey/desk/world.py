"""One of each person and of each thing that an address can name."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from survey.access import accounts
from survey.access.roles import Role
from survey.models import AccountLink, ApiToken, Study
from survey.study import decisions
from survey.study.lifecycle import invite
from tests.survey.desk.access_table import ROWS
from tests.survey.desk.sets import things_of


def make_world(study: Study, owner: User) -> dict[str, Any]:
    """Make them around the rated `study` of `owner`; return what addresses call them by."""
    researchers = Group.objects.get(name="Researchers")
    owner.groups.add(researchers)
    admin = User.objects.create_superuser("admin")
    User.objects.create_user("researcher").groups.add(researchers)
    viewer = User.objects.create_user("viewer")
    viewer.groups.add(Group.objects.get(name="Viewers"))
    stranger = User.objects.create_user("stranger")
    person, other, *_ = study.participants.all()
    invite(study, 1, owner)
    link = decisions.share(study, owner)
    accounts.invite(owner, Role.VIEWER, study=study)
    reader_invitation = AccountLink.objects.get().pk
    invitation = accounts.invite(admin, Role.ADMIN)
    stimulus = study.stimuli.first()
    assert stimulus is not None
    return {
        "slug": study.slug,
        "other": other.pk,
        "other_code": other.code,
        "stimulus": stimulus.name,
        "exclusion": decisions.exclude(person, "a test", owner).pk,
        "link": link.pk,
        "link_token": link.token,
        "token": ApiToken.objects.create(user=owner, name="a test").pk,
        "stranger": stranger.pk,
        "invitation": AccountLink.objects.get(role=Role.ADMIN).pk,
        "reader_invitation": reader_invitation,
        "invitation_token": invitation,
        "reset_token": accounts.make_reset(stranger, admin),
        "viewing": decisions.add_viewer(study, "viewer", owner).pk,
        **things_of(owner),
    }


def named_patterns(resolver: URLResolver | None = None) -> dict[str, URLPattern]:
    """Return every address of the site by its name, Django's admin apart."""
    found: dict[str, URLPattern] = {}
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            found[str(entry.name)] = entry
        elif entry.app_name != "admin":
            found |= named_patterns(entry)
    return found


def filled(values: dict[str, Any], world: dict[str, Any]) -> dict[str, Any]:
    """Return values with what stands for things of the world replaced by them."""
    return {
        key: world[value[1:]] if isinstance(value, str) and value.startswith("$") else value
        for key, value in values.items()
    }


def address_of(name: str, pattern: URLPattern, world: dict[str, Any]) -> str:
    """Return the address of things of the world."""
    keys = {"slug": world["slug"], **filled(ROWS[name].keys, world)}
    return reverse(name, kwargs={key: keys[key] for key in pattern.pattern.converters})
