"""`analyse RATINGS --output DIR`: the whole analysis of any ratings file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from threadpoolctl import threadpool_limits

from generator.management.base import PlainCommand
from survey.analysis import OptionError, TableError
from survey.exports.analysis import analyse_file
from survey.exports.folder import OutputError
from survey.management.ratings_options import add_options, options_of


class Command(PlainCommand):
    help = "Analyse a file of ratings from anywhere: tables, a summary and a report."
    # No database is needed: it works before any set-up.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ratings", type=Path, metavar="RATINGS", help="a file of ratings")
        parser.add_argument(
            "--output", type=Path, required=True, metavar="DIR", help="folder for the results"
        )
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        ratings, output = options["ratings"], options["output"]
        try:
            # A second thread of linear algebra saves no time: it waits, and keeps a processor busy.
            with threadpool_limits(1, "blas"):
                outcome = analyse_file(ratings, output, options_of(options))
        except (OptionError, TableError, OutputError) as error:
            raise CommandError(str(error), returncode=2) from error
        for remark in outcome.remarks:
            self.stdout.write(remark)
        self.stdout.write(f"{outcome.sentence}: read {output / 'report.html'}")
