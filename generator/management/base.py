"""What the commands of this project share: a short --help, and errors in one line."""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

# How SQLite and PostgreSQL say that a table or a column is missing.
_NOT_MIGRATED = ("no such table", "no such column", "has no column", "does not exist")


class PlainCommand(BaseCommand):
    """A command whose --help lists its own options only; Django's options work all the same."""

    suppressed_base_arguments = {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }
    # The check of the addresses imports every page, which takes a second. `check` and `migrate` make it.
    requires_system_checks: list[str] = ["generator"]

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Return the parser; --skip-checks is hidden here, because Django adds it in another way than the rest."""
        parser = super().create_parser(prog_name, subcommand, **options)
        for action in parser._actions:
            if "--skip-checks" in action.option_strings:
                action.help = SUPPRESS
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; a database without tables or without answer, and Ctrl-C, raise CommandError too."""
        try:
            output = super().execute(*args, **options)
            # Here and not when Python exits: a reader that has gone is then no traceback.
            self.stdout.flush()
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(of_database(error), returncode=1) from error
        except KeyboardInterrupt:
            raise CommandError("stopped", returncode=130) from None
        except BrokenPipeError:
            # Whoever reads the output has gone, as in `... | head`; Python would complain again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        return output


def of_database(error: Exception) -> str:
    """Return one line on a database that lacks tables or does not answer."""
    reason = str(error).strip().partition("\n")[0]
    if any(words in reason for words in _NOT_MIGRATED):
        return f"the database lacks tables or columns ({reason}): run `python manage.py migrate` first"
    return f"the database does not answer: {reason}"
