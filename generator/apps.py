from __future__ import annotations

from django.apps import AppConfig


class GeneratorConfig(AppConfig):
    """Makes stimuli: image sets from plans."""

    name = "generator"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from generator import checks  # noqa: F401
