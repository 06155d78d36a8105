"""purge_expired: keep the promised purge dates. Run it daily."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from generator.management.base import PlainCommand
from survey.study.erasure import purge_expired


class Command(PlainCommand):
    """Delete what may tie answers to a person where a study's purge date has come."""

    help = "Delete the personal data of studies whose purge date has come; ratings stay. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete what is due, and say how much that was."""
        count = purge_expired(timezone.localdate())
        self.stdout.write(f"{count} participant{'' if count == 1 else 's'} purged; ratings are kept")
