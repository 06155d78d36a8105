"""`common_scale PAIRS RATINGS --output DIR`: choices and ratings of the same images on one scale."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from generator.management.base import PlainCommand
from survey.analysis.pairs.common_scale import MEANING
from survey.exports.common_scale import NotCommon, collect_common, common_files
from survey.exports.folder import OutputError, write_folder
from survey.management.studies import study_named


class Command(PlainCommand):
    help = "Put the choices of a pair study and the ratings of another study of the same images on one scale."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pairs", metavar="PAIRS", help="the pair study")
        parser.add_argument("ratings", metavar="RATINGS", help="the study whose people rated the same images")
        parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the files")

    def handle(self, *args: Any, **options: Any) -> None:
        pairs, ratings = study_named(options["pairs"]), study_named(options["ratings"])
        try:
            export = collect_common(pairs, ratings)
            write_folder(common_files(export), options["output"])
        except (NotCommon, OutputError) as error:
            raise CommandError(str(error), returncode=2) from error
        if export.simulated:
            self.stdout.write(export.simulated)
        for name, scale in export.scales.items():
            self.stdout.write(f"{name}: {scale.summary['sentence']}")
        self.stdout.write(MEANING)
        self.stdout.write(str(options["output"]))
