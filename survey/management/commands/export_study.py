"""`export_study SLUG --format F --output PATH`: a study's ratings and results, in the form another program reads."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from threadpoolctl import threadpool_limits

from generator.management.base import PlainCommand
from survey.exports.files import FORMATS, NoSuchExport, write_export
from survey.exports.folder import OutputError
from survey.exports.images import export_images
from survey.management.studies import study_named
from survey.models import Study
from survey.results.collect import NoRatings

IMAGES = "images"


class Command(PlainCommand):
    help = "Write the ratings and results of a study to files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the study")
        parser.add_argument(
            "--format",
            choices=[*FORMATS, IMAGES],
            required=True,
            help="format of the files; images: the images under readable names, with their settings",
        )
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="PATH",
            help="a file with the ending of the format (.csv: the ratings; .zip: the images), or a folder for all its files",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        try:
            # A second thread of linear algebra saves no time: it waits, and keeps a processor busy.
            with threadpool_limits(1, "blas"):
                written = _write(study, options["format"], options["output"])
        except (NoRatings, NoSuchExport, OutputError) as error:
            raise CommandError(str(error), returncode=2) from error
        if any(path.name == "README.txt" for path in written):
            self.stdout.write(f"{len(written)} files in {options['output']}: README.txt says what each is")
            return
        for path in written:
            self.stdout.write(str(path))


def _write(study: Study, file_format: str, output: Path) -> list[Path]:
    return export_images(study, output) if file_format == IMAGES else write_export(study, file_format, output)
