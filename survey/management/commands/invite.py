"""invite SLUG COUNT: personal links to a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from generator.management.base import PlainCommand
from survey.access.errors import DeskError
from survey.management.studies import site_address, study_named
from survey.study.lifecycle import invite


class Command(PlainCommand):
    """Make personal links and print them, one on each line."""

    help = "Make personal links to a study and print them, one on each line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study, how many, and the site's address."""
        parser.add_argument("slug", metavar="SLUG", help="the study")
        parser.add_argument("count", type=int, metavar="COUNT", help="number of links")
        parser.add_argument(
            "--site",
            metavar="URL",
            help="address of the site (default: the first of CSRF_TRUSTED_ORIGINS, or this computer)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the links."""
        study = study_named(options["slug"])
        try:
            tickets = invite(study, options["count"], None)
        except DeskError as error:
            raise CommandError(str(error), returncode=2) from error
        address = (options["site"] or site_address()).rstrip("/") + reverse("participant", args=[study.slug])
        for ticket in tickets:
            self.stdout.write(f"{address}?invitation={ticket.token}")
