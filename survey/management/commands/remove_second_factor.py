"""remove_second_factor NAME: let an account sign in by its password alone again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from generator.management.base import PlainCommand
from survey.access.second_factor import is_on, remove


class Command(PlainCommand):
    """Remove the second factor of an administrator who lost both phone and recovery codes."""

    help = "Remove an account's second factor, when its phone and its recovery codes are lost."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the account."""
        parser.add_argument("name", metavar="NAME", help="the account's user name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove it, and say so."""
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"no account {options['name']!r}", returncode=2)
        had = is_on(user)
        remove(user, None)
        said = "removed. Set it up again after signing in." if had else "not on. Nothing changed."
        self.stdout.write(f"The second factor of {user.get_username()} is {said}")
