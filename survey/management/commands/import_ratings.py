"""`import_ratings SLUG RATINGS [--images DIR]`: ratings made elsewhere, as a study of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from generator.files.images import ImageError
from generator.management.base import PlainCommand
from survey.access.studies import give_owner
from survey.analysis import OptionError, TableError, read_ratings
from survey.management.owners import add_owner, owner_named, who_sees
from survey.management.ratings_options import add_options, options_of
from survey.management.studies import site_address
from survey.study.imported import import_study, unrated_note
from survey.study.pictures import PublishError
from survey.study.publish import check_slug


class Command(PlainCommand):
    """Import ratings as a study."""

    help = (
        "Make a study of ratings made elsewhere. It has results, exports and sharing as any other, is marked as "
        "imported, and has no page for participants."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study's name, the file, where the images are, and how to read the file."""
        parser.add_argument("slug", metavar="SLUG", help="the study's name in addresses")
        parser.add_argument("ratings", type=Path, metavar="RATINGS", help="a file of ratings")
        parser.add_argument("--images", type=Path, metavar="DIR", help="a folder with an image of each item")
        parser.add_argument(
            "--title", default="", metavar="TEXT", help="the study's title (default: the file's name)"
        )
        add_owner(parser)
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the file and save the study; exit 2 for a file that holds no ratings."""
        path, owner = options["ratings"], owner_named(options["owner"])
        try:
            reading = options_of(options)
            check_slug(options["slug"])
            ratings = read_ratings(path, reading)
            title = options["title"] or path.stem
            study = import_study(options["slug"], ratings, title, folder=options["images"])
        except (OptionError, TableError, PublishError, ImageError) as error:
            raise CommandError(str(error), returncode=2) from error
        study = give_owner(study, owner) if owner else study
        if ratings.said_simulated:
            self.stdout.write(ratings.said_simulated)
        for note in (*ratings.notes.values(), unrated_note(ratings)):
            if note:
                self.stdout.write(f"Note: {note}")
        people = study.participants.count()
        self.stdout.write(
            f"Study {study.slug!r} holds {len(ratings.table)} imported ratings of {study.stimuli.count()} items by {people} "
            f"participants; its results are at {site_address()}{reverse('results', args=[study.slug])}"
        )
        self.stdout.write(who_sees(study))
