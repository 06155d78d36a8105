"""create_study SLUG (--set NAME | --images DIR) [--from STUDY.toml]: images -> an open study."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from generator.files.images import ImageError
from generator.models import ImageSet
from survey.models import Study
from survey.study.definition import DefinitionError, load
from survey.study.publish import PublishError, publish_folder, publish_image_set


class Command(BaseCommand):
    """Publish images as a study that people can rate at once."""

    help = "Publish an image set or a folder of images as an open study."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the slug, where the images are, and the study file."""
        parser.add_argument("slug", help="the study's name in addresses: /s/SLUG/")
        images = parser.add_mutually_exclusive_group(required=True)
        images.add_argument("--set", metavar="NAME", help="an image set made by `generate`")
        images.add_argument("--images", metavar="DIR", type=Path, help="a folder of images (and items.csv)")
        parser.add_argument(
            "--from", metavar="STUDY.toml", type=Path, dest="file", help="see docs/reference/study.md"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish, and print the address."""
        try:
            study = _publish(options["slug"], options["set"], options["images"], options["file"])
        except (DefinitionError, PublishError, ImageError) as error:
            raise CommandError(str(error), returncode=2) from error
        count = study.stimuli.count()
        address = reverse("participant", args=[study.slug])
        self.stdout.write(f"Study {study.slug!r} is open with {count} images at {address}")


def _publish(slug: str, name: str | None, folder: Path | None, file: Path | None) -> Study:
    definition = load(file) if file else None
    base = file.parent if file else None
    if folder:
        return publish_folder(folder, slug, definition=definition, base=base)
    try:
        image_set = ImageSet.objects.get(slug=name)
    except ImageSet.DoesNotExist as error:
        names = list(ImageSet.objects.values_list("slug", flat=True))
        near = difflib.get_close_matches(name or "", names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`generate PLAN.toml` makes one"
        raise PublishError(f"--set: no image set {name!r}: {hint}") from error
    return publish_image_set(image_set, slug, definition=definition, base=base)
