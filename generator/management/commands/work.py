"""work plans|sets: look plans through, or make image sets, that somebody asked for in the browser."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from generator.management.plain_errors import stops_on_request
from generator.queue.worker import QUEUES, work

# Participants' pages come first where images are made on the machine that serves them.
_NICE = 10


class Command(BaseCommand):
    """Do the work that waits in one queue."""

    help = "Work off what was asked for in the browser, and end. The site starts it by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the queue."""
        parser.add_argument("queue", choices=[*QUEUES], help="dry runs, or the images themselves")
        parser.add_argument(
            "--lock", type=int, metavar="FD", help="the queue's lock, where it is held already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until nothing waits."""
        os.nice(_NICE)
        with stops_on_request():
            work(options["queue"], options["lock"])
