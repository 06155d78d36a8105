"""`manage.py`: Django's command line with this project's commands first."""

from __future__ import annotations

import gc
import sys
import textwrap
from typing import Final

from django.core.management import BaseCommand, ManagementUtility, get_commands, load_command_class
from django.db import OperationalError, ProgrammingError

from generator.management.base import of_database

_OURS: Final = ("generator", "survey")

#: Each command by task, with one line on what it does.
TASKS: Final[dict[str, dict[str, str]]] = {
    "Make images": {
        "generate": "make stylised images from a plan file, or from images and a preset",
        "contact_sheet": "put the images of a set into one labelled picture",
        "preset_sheet": "make a small image by every preset, in one picture",
        "reconstruct": "show what each layer of the network keeps of two images",
        "reproduce": "make an image again from its own file, and compare the two",
        "train_style": "train a network for one style image",
        "stylise": "give pictures and videos the style of a trained network",
        "weights": "list, fetch and check the networks",
    },
    "Ask people": {
        "create_study": "make a study of images, and open it",
        "revise_study": "change the texts and rules of a study",
        "invite": "make single-use links to a study",
        "simulate": "let simulated participants rate a study",
        "preregister": "print the pre-registration of a study",
        "purge_expired": "delete personal data whose purge date has come (the site starts it)",
    },
    "Read results": {
        "export_study": "write the ratings and results of a study to files",
        "analyse": "analyse a file of ratings from anywhere",
        "grim": "check whether a published mean can come from whole ratings",
    },
    "Set up": {
        "doctor": "say what is installed, what is missing, and how to get it",
        "migrate": "make or update the tables of the database",
        "createsuperuser": "make an admin's account",
        "remove_second_factor": "let an account sign in by its password alone again",
        "demo": "make seven images and two studies of them",
        "work": "make images that were asked for in the browser (the site starts it)",
    },
}


class CommandLine(ManagementUtility):
    """Django's command line with another list of commands, and exit code 2 for an unknown command."""

    def main_help_text(self, commands_only: bool = False) -> str:
        """Return the list of commands: ours by task, then the names of Django's."""
        if commands_only:
            return super().main_help_text(commands_only)
        apps = get_commands()
        tasks = {
            task: {name: line for name, line in named.items() if name in apps}
            for task, named in TASKS.items()
        }
        listed = {name for named in tasks.values() for name in named}
        tasks["More"] = {
            name: _first_sentence(str(app), name)
            for name, app in sorted(apps.items())
            if app in _OURS and name not in listed
        }
        others = ", ".join(
            sorted(name for name, app in apps.items() if app not in _OURS and name not in listed)
        )
        lines = [f"Type `{self.prog_name} COMMAND --help` for the options of a command."]
        width = max(len(name) for named in tasks.values() for name in named)
        for task, named in tasks.items():
            if named:
                lines += ["", task, *(f"  {name:{width}}  {line}" for name, line in named.items())]
        lines += ["", "Django's own", textwrap.fill(others, 100, initial_indent="  ", subsequent_indent="  ")]
        if self.settings_exception is not None:
            lines += ["", f"The settings cannot be read: {self.settings_exception}"]
        return "\n".join(lines)

    def execute(self) -> None:
        """Run the command; a database without tables or without answer is one line for Django's commands, too."""
        try:
            super().execute()
        except (OperationalError, ProgrammingError) as error:
            sys.stderr.write(f"CommandError: {of_database(error)}\n")
            sys.exit(1)

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Return a command; exit with code 2 and the nearest name if it does not exist."""
        # What is imported stays: the collector would look through half a million objects again and again, for a quarter of a second.
        gc.disable()
        try:
            return super().fetch_command(subcommand)
        except SystemExit:
            sys.exit(2)
        finally:
            gc.freeze()
            gc.enable()


def _first_sentence(app: str, name: str) -> str:
    text = load_command_class(app, name).help.partition(". ")[0].rstrip(".")
    return text[:1].lower() + text[1:]
