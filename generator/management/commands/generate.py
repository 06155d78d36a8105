"""generate PLAN.toml: make the images of a plan; --dry-run says what that takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from generator.making.dry_run import look_through
from generator.making.render import Summary, render
from generator.management.dry_run import in_words
from generator.management.names import command_line
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import Bar
from generator.models import Cell, ImageSet
from generator.plans.plan import Plan, load_plan
from generator.queue import distributed
from generator.sets.create import image_set_from_plan


class Command(BaseCommand):
    """Make the images of a plan."""

    help = "Make the images of a plan (docs/reference/plans.md). Run again, it goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the plan and how to make it."""
        parser.add_argument(
            "plan", metavar="PLAN.toml", type=Path, help="a plan file (docs/reference/plans.md)"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what it makes and takes, and write nothing"
        )
        parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda|cuda:1", help="default: auto")
        parser.add_argument("--retry-failed", action="store_true", help="try again what failed before")
        parser.add_argument(
            "--exact", action="store_true", help="bit by bit repeatable on this machine, and slower"
        )

        parser.add_argument(
            "--distributed",
            action="store_true",
            help="by the workers of the task queue (docs/how-to/operations.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the images; exit 1 when some failed."""
        with plain_errors(), stops_on_request():
            plan = load_plan(options["plan"])
            for warning in plan.warnings:
                self.stderr.write(f"warning: {warning}")
            if options["dry_run"]:
                self.stdout.write(in_words(look_through(plan, options["device"])))
                return
            self.prepare(plan, options)
            image_set, summary = (
                self._distributed(plan, options) if options["distributed"] else self._here(plan, options)
            )
        self._report(image_set, summary)
        self.after(image_set, options)
        self._say_what_is_next(image_set, options)

    def _here(self, plan: Plan, options: dict[str, Any]) -> tuple[ImageSet, Summary]:
        image_set = image_set_from_plan(plan)
        with Bar(sys.stderr) as bar:
            summary = render(
                image_set,
                device=options["device"],
                exact=options["exact"],
                retry_failed=options["retry_failed"],
                progress=bar.show,
            )
        return image_set, summary

    def _distributed(self, plan: Plan, options: dict[str, Any]) -> tuple[ImageSet, Summary]:
        try:
            image_set = distributed.enqueue_plan(plan, retry_failed=options["retry_failed"])
        except distributed.NoQueue as error:
            raise CommandError(f"--distributed: {error}", returncode=2) from error
        with Bar(sys.stderr) as bar:
            return image_set, distributed.follow(image_set, bar.show)

    def prepare(self, plan: Plan, options: dict[str, Any]) -> None:
        """Refuse, before hours of work, what could not be done after it. For a command that extends this one."""

    def after(self, image_set: ImageSet, options: dict[str, Any]) -> None:
        """Do more with the finished images. For a command that extends this one."""

    def next_commands(self, image_set: ImageSet, options: dict[str, Any]) -> list[tuple[str, ...]]:
        """Return the commands that somebody will want to run next."""
        return [("contact_sheet", image_set.slug)]

    def _say_what_is_next(self, image_set: ImageSet, options: dict[str, Any]) -> None:
        self.stdout.write(f"They are in {_store()}, under technical names.\nNext:")
        for words in self.next_commands(image_set, options):
            self.stdout.write(f"  {command_line(*words)}")

    def _report(self, image_set: ImageSet, summary: Summary) -> None:
        self.stdout.write(
            f"image set {image_set.slug!r}: {summary.done} images, {summary.made} of them made now"
        )
        if summary.failed:
            failed = image_set.cells.filter(status=Cell.Status.FAILED)
            for cell in failed[:20]:
                self.stderr.write(f"failed: {cell.label}: {cell.reason}")
            raise CommandError(f"{summary.failed} cells failed; generate ... --retry-failed tries them again")
        if summary.waiting:
            raise CommandError(
                f"{summary.waiting} cells were not made: the set was taken back from the workers"
            )


def _store() -> str:
    try:
        return default_storage.path("cells")
    except NotImplementedError:
        return "the media store"
