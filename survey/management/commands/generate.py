"""generate PLAN.toml --publish SLUG: the generator's command, and the images as a study.

Django takes this command rather than the generator's, because `survey` stands first in INSTALLED_APPS: so the
generator need not know that there are studies.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from generator.files.images import ImageError
from generator.management.commands import generate
from generator.models import ImageSet
from survey.study.publish import PublishError, check_slug, publish_image_set


class Command(generate.Command):
    """Make the images of a plan and, if asked, publish them."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name of the study to the generator's arguments."""
        super().add_arguments(parser)
        parser.add_argument("--publish", metavar="SLUG", help="open a study of the images under this name")

    def prepare(self, options: dict[str, Any]) -> None:
        """Refuse a name that no study can get, before the work."""
        if options["publish"]:
            try:
                check_slug(options["publish"])
            except PublishError as error:
                raise CommandError(f"--publish: {error}", returncode=2) from error

    def after(self, image_set: ImageSet, options: dict[str, Any]) -> None:
        """Publish the finished images, and print the address."""
        if not options["publish"]:
            return
        try:
            study = publish_image_set(image_set, options["publish"])
        except (PublishError, ImageError) as error:
            raise CommandError(f"--publish: {error}", returncode=2) from error
        address = reverse("participant", args=[study.slug])
        self.stdout.write(f"study {study.slug!r} is open with {study.stimuli.count()} images at {address}")
