"""revise_study SLUG STUDY.toml: change what a published study says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generator.management.base import PlainCommand
from survey.management.studies import study_named
from survey.study.pictures import PublishError
from survey.study.revise import revise
from survey.study.study_file import DefinitionError, load


class Command(PlainCommand):
    """Give a study its next version."""

    help = "Change the texts and rules of a study. Once people have taken part, this makes a new version."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study and its new file."""
        parser.add_argument("slug", metavar="SLUG", help="the study")
        parser.add_argument("file", type=Path, metavar="STUDY.toml", help="the changed study file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Revise, and print the version."""
        study = study_named(options["slug"])
        try:
            version = revise(study, load(options["file"]))
        except (DefinitionError, PublishError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"Study {study.slug!r} is at version {version.number} ({version.sha256[:12]})")
