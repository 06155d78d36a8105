from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class SurveyConfig(AppConfig):
    """Asks people: studies, participants, ratings, results."""

    name = "survey"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen: the groups are made once `migrate` has made all permissions, covariates follow their images."""
        from django.contrib.auth.signals import user_logged_out

        from generator.signals import described
        from survey.access.roles import make_groups
        from survey.study.covariates import on_described

        post_migrate.connect(make_groups, sender=apps.get_app_config("auth"), dispatch_uid="survey.groups")
        user_logged_out.connect(_discard_ratings_files, dispatch_uid="survey.ratings_files")
        described.connect(on_described, dispatch_uid="survey.covariates")


def _discard_ratings_files(**signal: Any) -> None:
    # Imported when somebody signs out: the analysis behind it takes a second, which no command should wait for.
    from survey.desk.ratings_files import discard_at_sign_out

    discard_at_sign_out(**signal)
