"""purge_expired: keep the promised purge dates."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from generator.management.base import PlainCommand
from survey.housekeeping import delete_expired


class Command(PlainCommand):
    """Delete what may tie answers to a person where a study's purge date has come, and ended sign-ins."""

    help = (
        "Delete the personal data of studies whose purge date has come, ended sign-ins, and old counts of wrong passwords; ratings stay. "
        "The site starts this command by itself when something is due."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Kept open until the process ends, and so the lock with it.
        parser.add_argument(
            "--lock", type=int, metavar="FD", help="file descriptor of the lock, if the caller holds it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete what is due, and say how much that was."""
        deleted = delete_expired()
        people, sessions, counts = (
            f"{count} {word}{'' if count == 1 else 's'}"
            for count, word in (
                (deleted.people, "participant"),
                (deleted.sessions, "ended sign-in"),
                (deleted.counts, "old count"),
            )
        )
        self.stdout.write(
            f"{people} purged; ratings are kept; {sessions} and {counts} of wrong passwords deleted"
        )
