"""generate PLAN.toml --publish SLUG: the generator's command, and the images as a study.

Django takes this command rather than the generator's, because `survey` stands first in INSTALLED_APPS: so the
generator need not know that there are studies.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from generator.files.images import ImageError
from generator.management.commands import generate
from generator.models import ImageSet
from generator.plans.plan import Plan
from generator.sets.create import cell_keys, read_references
from survey.access.studies import give_owner
from survey.management.owners import add_owner, only_researcher, owner_named, who_sees
from survey.management.studies import free_name, where
from survey.models import Stimulus, Study


class Command(generate.Command):
    """Make the images of a plan and, if asked, publish them."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name of the study to the generator's arguments."""
        super().add_arguments(parser)
        parser.add_argument("--publish", metavar="SLUG", help="open a study of the images under this name")
        add_owner(parser)

    def prepare(self, plan: Plan, options: dict[str, Any]) -> None:
        """Refuse a name that no study can get, before the work."""
        slug = options["publish"]
        if options["owner"] and not slug:
            raise CommandError("--owner: names the owner of a study; give --publish SLUG too", returncode=2)
        owner_named(options["owner"])
        if not slug or _shows(slug, plan):
            return
        from survey.study.pictures import PublishError
        from survey.study.publish import check_slug

        try:
            check_slug(slug)
        except PublishError as error:
            raise CommandError(f"--publish: {error}", returncode=2) from error

    def after(self, image_set: ImageSet, options: dict[str, Any]) -> None:
        """Publish the finished images, and print the address."""
        if slug := options["publish"]:
            # Imports the analysis, which a dry run does without.
            from survey.study.pictures import PublishError
            from survey.study.publish import publish_image_set
            from survey.study.republish import published_before

            try:
                before, owner = published_before(slug, image_set), owner_named(options["owner"])
                study = before or publish_image_set(image_set, slug)
                study = give_owner(study, owner) if owner else study
            except (PublishError, ImageError) as error:
                raise CommandError(f"--publish: {error}", returncode=2) from error
            self.stdout.write(where(study, is_new=before is None))
            self.stdout.write(who_sees(study))

    def next_commands(self, image_set: ImageSet, options: dict[str, Any]) -> list[tuple[str, ...]]:
        """Add how to ask people. Where there is one researcher, the study is made to be that account's."""
        commands = super().next_commands(image_set, options)
        if options["publish"]:
            return commands
        owner = only_researcher()
        study = ("create_study", free_name(image_set.slug), "--set", image_set.slug)
        return [*commands, (*study, "--owner", owner) if owner else study]


def _shows(slug: str, plan: Plan) -> bool:
    """Say whether there is a study of this name of the very images of the plan."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        return False
    main = study.stimuli.filter(role=Stimulus.Role.MAIN)
    return set(main.values_list("cell__key", flat=True)) == set(cell_keys(plan, read_references(plan)))
