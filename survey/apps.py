from __future__ import annotations

from django.apps import AppConfig


class SurveyConfig(AppConfig):
    """Asks people: studies, participants, ratings, results."""

    name = "survey"
    default_auto_field = "django.db.models.BigAutoField"
