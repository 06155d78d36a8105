from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class SurveyConfig(AppConfig):
    """Asks people: studies, participants, ratings, results."""

    name = "survey"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the groups made once `migrate` has made all permissions: those of the apps before auth exist then."""
        from survey.access.roles import make_groups

        post_migrate.connect(make_groups, sender=apps.get_app_config("auth"), dispatch_uid="survey.groups")
