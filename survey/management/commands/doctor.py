from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from survey.doctor import examine


class Command(BaseCommand):
    """Print the findings; exit 1 when something needed is missing."""

    help = (
        "Say in words what is there (Python, torch, device, weights, database, browser) and what is missing."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for finding in examine():
            failed |= finding.fails
            mark = "FAIL" if finding.fails else "note" if finding.mend else "ok"
            self.stdout.write(f"{mark:4}  {finding.name:9} {finding.state}")
            if finding.mend:
                self.stdout.write(f"{'':16}-> {finding.mend}")
        if failed:
            sys.exit(1)
