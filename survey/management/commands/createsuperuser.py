"""createsuperuser: Django's, without a question about an e-mail address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from generator.management.base import PlainCommand


class Command(PlainCommand, createsuperuser.Command):
    """Make an administrator's account. No mail is ever sent, so an address is kept only where one is given."""

    help = "Make an administrator's account."

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for what is needed, as Django's does."""
        required = self.UserModel.REQUIRED_FIELDS
        self.UserModel.REQUIRED_FIELDS = ["email"] if options["email"] else []
        try:
            super().handle(*args, **options)
        finally:
            self.UserModel.REQUIRED_FIELDS = required
