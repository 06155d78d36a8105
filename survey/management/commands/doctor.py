from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from generator.management.base import PlainCommand
from survey.doctor import examine, fast_ways


class Command(PlainCommand):
    """Print the findings; exit 1 when something needed is missing."""

    help = "Say what is installed, what is missing, and how to get it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--device",
            metavar="cuda|cuda:1|mps",
            help="also list which fast ways have proved themselves on the GPU",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for finding in [*examine(), *(fast_ways(options["device"]) if options["device"] else ())]:
            failed |= finding.fails
            mark = "FAIL" if finding.fails else "note" if finding.fix else "ok"
            self.stdout.write(f"{mark:4}  {finding.name:9} {finding.state}")
            if finding.fix:
                self.stdout.write(f"{'':16}-> {finding.fix}")
        if failed:
            sys.exit(1)
