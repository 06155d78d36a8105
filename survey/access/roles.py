"""Roles: administrators are superusers, the others are groups. Rights on single studies are in `survey.access.studies`."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import Group, User

from survey.models import AccountLink

Role = AccountLink.Role
#: Group -> permissions (app label, codename). Viewers get their rights from each study's owner.
GROUPS: Final = {
    "Researchers": [("survey", "add_study"), ("generator", "add_imageset")],
    "Viewers": [],
}
_GROUP_OF: Final = {Role.RESEARCHER: "Researchers", Role.VIEWER: "Viewers"}


def make_groups(**_: Any) -> None:
    """Create missing groups. Existing groups stay as admins have set them."""
    from django.contrib.auth.models import Permission

    for name, permissions in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            for app, codename in permissions:
                group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


def role_of(user: User) -> AccountLink.Role:
    """Return what an account may do, whether by a group or by permissions of its own."""
    if user.is_superuser:
        return Role.ADMIN
    return Role.RESEARCHER if user.has_perm("survey.add_study") else Role.VIEWER


def give_role(user: User, role: AccountLink.Role) -> None:
    """Give a saved account one role in place of the one it has. Other groups of it stay."""
    user.is_superuser = user.is_staff = role == Role.ADMIN
    user.save(update_fields=["is_superuser", "is_staff"])
    user.groups.remove(*Group.objects.filter(name__in=GROUPS))
    user.user_permissions.clear()
    if role in _GROUP_OF:
        user.groups.add(Group.objects.get(name=_GROUP_OF[role]))
