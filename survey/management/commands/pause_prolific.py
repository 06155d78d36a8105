"""pause_prolific: pause on Prolific the studies that paused here."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from generator.management.base import PlainCommand
from generator.management.plain_errors import stops_on_request
from survey.study.prolific.pausing import work


class Command(PlainCommand):
    help = "Pause on Prolific the studies that paused here and wait for it, then end. The site starts this command by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lock", type=int, metavar="FD", help="file descriptor of the lock, if the caller holds it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with stops_on_request():
            work(options["lock"])
