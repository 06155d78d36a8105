"""work plans|sets: check plans, or make image sets, that somebody asked for in the browser."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandParser

from generator.management.base import PlainCommand
from generator.management.plain_errors import stops_on_request
from generator.queue.worker import QUEUES, work

# Participants' pages come first where images are made on the machine that serves them.
_NICE = 10


class Command(PlainCommand):
    """Do the work that waits in one queue."""

    help = "Make what was asked for in the browser, then end. The site starts this command by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the queue."""
        parser.add_argument("queue", choices=[*QUEUES], help="plans: dry runs; sets: the images themselves")
        parser.add_argument(
            "--lock",
            type=int,
            metavar="FD",
            help="file descriptor of the queue's lock, if the caller holds it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until nothing waits."""
        os.nice(_NICE)
        with stops_on_request():
            work(options["queue"], options["lock"])
