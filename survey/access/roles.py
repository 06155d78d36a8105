"""Roles as groups of Django. Admins are superusers. Rights on single studies are in `survey.access.studies`."""

from __future__ import annotations

from typing import Any, Final

#: Group -> permissions (app label, codename). Viewers get their rights from each study's owner.
GROUPS: Final = {
    "Researchers": [("survey", "add_study"), ("generator", "add_imageset")],
    "Viewers": [],
}


def make_groups(**_: Any) -> None:
    """Create missing groups. Existing groups stay as admins have set them."""
    from django.contrib.auth.models import Group, Permission

    for name, permissions in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            for app, codename in permissions:
                group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
