"""`export_study SLUG --format F --output PATH`: a study's ratings and results, in the form another program reads."""

from __future__ import annotations

import difflib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.exports.collect import NoRatings, collect
from survey.exports.files import FORMATS, write_export
from survey.exports.folder import OutputError
from survey.models import Study


class Command(BaseCommand):
    help = "Export a study: tidy ratings, tables, LaTeX, SUREAL, suJSON, Psych-DS, or all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--format", choices=list(FORMATS), required=True)
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="PATH",
            help="a file that ends as the format does (.csv: the tidy ratings), or a folder for all its files",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = _study(options["slug"])
        try:
            written = write_export(collect(study), options["format"], options["output"])
        except (NoRatings, OutputError) as error:
            raise CommandError(str(error), returncode=2) from error
        for path in written:
            self.stdout.write(str(path))


def _study(slug: str) -> Study:
    try:
        return Study.objects.get(slug=slug)
    except Study.DoesNotExist:
        slugs = list(Study.objects.values_list("slug", flat=True))
        close = difflib.get_close_matches(slug, slugs, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(slugs) or 'none'}"
        raise CommandError(f"no study {slug!r}; {hint}", returncode=2) from None
