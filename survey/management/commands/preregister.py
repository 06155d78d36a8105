"""preregister SLUG: the text of a pre-registration, from the study's definition."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from survey.management.studies import study_named
from survey.study.preregistration import preregistration


class Command(BaseCommand):
    """Print a pre-registration."""

    help = "Print a pre-registration of a study as Markdown: what is decided filled in, the rest left open."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study."""
        parser.add_argument("slug", metavar="SLUG", help="the study")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the text."""
        self.stdout.write(preregistration(study_named(options["slug"])), ending="")
