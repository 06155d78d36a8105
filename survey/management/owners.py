"""`--owner NAME`: to whom a study belongs that a command makes."""

from __future__ import annotations

import difflib

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from generator.management.names import listed
from survey.access.roles import Role, role_of
from survey.models import Study


def add_owner(parser: CommandParser) -> None:
    """Declare the option."""
    parser.add_argument(
        "--owner",
        metavar="NAME",
        help="the account that the study belongs to, and that sees its results (default: only administrators do)",
    )


def owner_named(name: str | None) -> User | None:
    """Return the account; None for no name. CommandError (exit 2) for one that cannot own a study."""
    if not name:
        return None
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        names = sorted(User.objects.filter(is_active=True).values_list("username", flat=True))
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        there = (
            f"there are: {listed(names)}" if names else "there is none yet: `createsuperuser` makes the first"
        )
        raise CommandError(f"--owner: no account {name!r}{hint}; {there}", returncode=2)
    if role_of(found) == Role.VIEWER:
        raise CommandError(
            f"--owner: {name} is a viewer and owns no studies; an administrator can make {name} a researcher",
            returncode=2,
        )
    return found


def only_researcher() -> str:
    """Return the name of the one account that owns studies and is no administrator's; "" for none or several."""
    found = [user for user in User.objects.filter(is_active=True) if role_of(user) == Role.RESEARCHER]
    return found[0].username if len(found) == 1 else ""


def who_sees(study: Study) -> str:
    """Return a line that says who sees the results of a study."""
    if study.owner is None:
        return "It has no owner, so only administrators see its results. `--owner NAME` names one."
    return f"{study.owner.username} sees its results."
