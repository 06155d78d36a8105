"""`analyse RATINGS.csv --output DIR`: the whole analysis of any ratings file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.analysis import TableError
from survey.exports.analysis import analyse_file
from survey.exports.folder import OutputError


class Command(BaseCommand):
    help = "Analyse a CSV of ratings (columns participant, item, rating): tables, summary, report."
    # The file is all there is: no database is asked, so that this runs before any set-up.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ratings", type=Path, metavar="RATINGS.csv", help="a file of ratings")
        parser.add_argument(
            "--output", type=Path, required=True, metavar="DIR", help="folder for the results"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ratings, output = options["ratings"], options["output"]
        try:
            summary = analyse_file(ratings, output).summary
        except (TableError, OutputError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(
            f"{summary['ratings']} ratings of {summary['items']} items by {summary['participants']} participants: "
            f"read {output / 'report.html'}"
        )
