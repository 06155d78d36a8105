"""preregister SLUG: the text of a pre-registration, from the study's definition."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from generator.management.base import PlainCommand
from survey.management.studies import study_named
from survey.study.preregistration import preregistration


class Command(PlainCommand):
    """Print a pre-registration."""

    help = "Print the pre-registration of a study as Markdown; what is not decided yet is left open."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study."""
        parser.add_argument("slug", metavar="SLUG", help="the study")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the text."""
        self.stdout.write(preregistration(study_named(options["slug"])), ending="")
