"""The roles as Django's groups. Admins are superusers; what a study lets whom do is in `survey.access.studies`."""

from __future__ import annotations

from typing import Any, Final

#: Group -> permissions (app label, codename). A viewer's right comes from each study's owner alone.
GROUPS: Final = {
    "Researchers": [("survey", "add_study"), ("generator", "add_imageset")],
    "Viewers": [],
}


def make_groups(**_: Any) -> None:
    """Make the groups that are not there; one that is there stays as its admins have made it."""
    from django.contrib.auth.models import Group, Permission

    for name, permissions in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            for app, codename in permissions:
                group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
