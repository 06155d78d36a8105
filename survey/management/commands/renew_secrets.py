"""renew_secrets: encrypt what other services' secrets are stored as with the newest SECRET_KEY."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from generator.management.base import PlainCommand
from generator.management.names import count
from survey.study.prolific.link import renew_keys


class Command(PlainCommand):
    help = "Encrypt stored tokens with the newest SECRET_KEY, so that those in SECRET_KEY_FALLBACKS can go."

    def handle(self, *args: Any, **options: Any) -> None:
        done, failed = renew_keys()
        self.stdout.write(f"{count(done, 'token')} encrypted with the newest key")
        if failed:
            raise CommandError(
                f"{count(failed, 'token')} cannot be opened by SECRET_KEY or SECRET_KEY_FALLBACKS; "
                "connect these studies to Prolific again"
            )
