"""make_results: make the figures and exports of large studies that somebody asked for in the browser."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from generator.management.base import PlainCommand
from generator.management.plain_errors import stops_on_request
from survey.exports.background import work

# Participants' pages come first on the machine that serves them.
_NICE = 10


class Command(PlainCommand):
    help = "Make the figures and exports of large studies that wait, then end. The site starts this command by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lock", type=int, metavar="FD", help="file descriptor of the lock, if the caller holds it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(_NICE)
        with stops_on_request():
            work(options["lock"])
