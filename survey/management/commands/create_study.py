"""create_study SLUG (--set NAME | --images DIR) [--from STUDY.toml]: images -> an open study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generator.files.images import ImageError
from generator.management.base import PlainCommand
from generator.management.names import image_set_named
from generator.models import ImageSet
from survey.access.studies import give_owner
from survey.management.owners import add_owner, owner_named, who_sees
from survey.management.studies import where
from survey.models import Study
from survey.study.definition import definition_of
from survey.study.pictures import PublishError
from survey.study.publish import publish_folder, publish_image_set
from survey.study.readiness import blocking, same_pictures, wording_gaps
from survey.study.republish import published_before
from survey.study.study_file import DefinitionError, load


class Command(PlainCommand):
    """Publish images as a study that people can rate at once."""

    help = "Make a study of an image set or of a folder of images, and open it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the slug, where the images are, and the study file."""
        parser.add_argument("slug", help="name of the study; participants find it at /s/SLUG/")
        images = parser.add_mutually_exclusive_group(required=True)
        images.add_argument("--set", metavar="NAME", help="an image set that `generate` made")
        images.add_argument(
            "--images",
            metavar="DIR",
            type=Path,
            help="a folder of images; items.csv in it may give their factors",
        )
        parser.add_argument(
            "--from",
            metavar="STUDY.toml",
            type=Path,
            dest="file",
            help="texts, questions and rules of the study (docs/reference/study.md)",
        )
        add_owner(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish, and print the address."""
        source = options["images"] or image_set_named(options["set"])
        owner = owner_named(options["owner"])
        try:
            study, is_new = _publish(options["slug"], source, options["file"])
        except (DefinitionError, PublishError, ImageError) as error:
            raise CommandError(str(error), returncode=2) from error
        study = give_owner(study, owner) if owner else study
        line = where(study, is_new=is_new)
        self.stdout.write(line[0].upper() + line[1:])
        self.stdout.write(who_sees(study))
        definition = definition_of(study.version)
        for finding in blocking(study, definition):
            self.stdout.write(f"Before people take part: {finding.text}")
        for remark in [*same_pictures(study), *wording_gaps(definition)]:
            self.stdout.write(remark)


def _publish(slug: str, source: ImageSet | Path, file: Path | None) -> tuple[Study, bool]:
    definition = load(file) if file else None
    base = file.parent if file else None
    if found := published_before(slug, source, definition=definition, base=base):
        return found, False
    if isinstance(source, Path):
        return publish_folder(source, slug, definition=definition, base=base), True
    return publish_image_set(source, slug, definition=definition, base=base), True
