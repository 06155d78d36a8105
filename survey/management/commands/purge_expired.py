"""purge_expired: keep the promised purge dates."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from generator.management.base import PlainCommand
from survey.housekeeping import delete_expired


class Command(PlainCommand):
    """Delete what may tie answers to a person where a study's purge date has come, and ended sign-ins."""

    help = (
        "Delete the personal data of studies whose purge date has come, and the rows of ended sign-ins; ratings stay. "
        "The site starts this command by itself once an hour if something is due."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Kept open until the process ends, and so the lock with it.
        parser.add_argument(
            "--lock", type=int, metavar="FD", help="file descriptor of the lock, if the caller holds it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete what is due, and say how much that was."""
        deleted = delete_expired()
        people = f"{deleted.people} participant{'' if deleted.people == 1 else 's'} purged; ratings are kept"
        self.stdout.write(
            f"{people}; {deleted.sessions} ended sign-in{'' if deleted.sessions == 1 else 's'} deleted"
        )
