"""generate PLAN.toml, or images and a preset: make the images; --dry-run says what that takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import CommandError, CommandParser

from generator.making.dry_run import look_through
from generator.making.engine import all_gpus
from generator.making.on_all_gpus import render_on_all
from generator.making.render import Summary, render
from generator.management.base import PlainCommand
from generator.management.dry_run import in_words
from generator.management.names import command_line, count
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import AT_FIRST, Bar
from generator.models import Cell, ImageSet
from generator.plans.one_line import plan_of_words
from generator.plans.plan import Plan, load_plan
from generator.queue import distributed
from generator.sets.alike import alike_in_words
from generator.sets.create import image_set_from_plan
from generator.sets.earlier import made_otherwise
from generator.sets.folder import check_folder, write_set


class Command(PlainCommand):
    """Make the images of a plan, or of images and a preset."""

    help = (
        "Make stylised images: those of a plan file, or every --content with every --style. "
        "Run again, it continues where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to make and how."""
        add = parser.add_argument
        add("plan", metavar="PLAN.toml", type=Path, nargs="?", help="a plan file (docs/reference/plans.md)")
        add("--content", metavar="FILE", nargs="+", action="extend", default=[], help="content images")
        add("--style", metavar="FILE", nargs="+", action="extend", default=[], help="style images")
        add("--preset", default="", metavar="NAME", help="a preset or a shipped plan; default: modern")
        add(
            "--set",
            metavar="KEY=VALUE",
            nargs="+",
            action="extend",
            default=[],
            dest="words",
            help="settings that differ from the preset's, such as ratio=0.01 size=512",
        )
        add("--output", metavar="DIR", type=Path, help="write the images and a table of their factors here")
        add("--dry-run", action="store_true", help="say what would be made and what it takes; write nothing")
        add(
            "--device",
            default="auto",
            metavar="auto|cpu|cuda|cuda:1|mps|all",
            help="where to compute (default: auto; all: every GPU)",
        )
        add("--retry-failed", action="store_true", help="try failed images again")
        add("--exact", action="store_true", help="give the same bits each time on this machine (slower)")
        add(
            "--distributed",
            action="store_true",
            help="let the workers of the task queue make them (docs/how-to/operations.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the images; exit 1 when some failed."""
        with plain_errors(), stops_on_request():
            plan = _plan(options)
            for warning in [*plan.warnings, *made_otherwise(plan)]:
                self.stderr.write(f"warning: {warning}")
            if options["dry_run"]:
                device = all_gpus()[0] if options["device"] == "all" else options["device"]
                self.stdout.write(in_words(look_through(plan, device)))
                return
            if options["output"]:
                check_folder(options["output"])
            self.prepare(plan, options)
            at_first = "waiting for the workers" if options["distributed"] else AT_FIRST
            with Bar(sys.stderr, at_first=at_first) as bar:
                make = self._distributed if options["distributed"] else self._here
                image_set, summary = make(plan, options, bar)
            self.stdout.write(
                f"image set {image_set.slug!r}: {count(summary.done, 'image')}, {summary.made} of them made now"
            )
            for trouble in summary.troubles:
                self.stderr.write(f"warning: {trouble}; the other processes made its cells")
            for warning in alike_in_words(image_set):
                self.stderr.write(f"warning: {warning}")
            self._say_where(image_set, options)
        self._check(image_set, summary)
        self.after(image_set, options)
        self.stdout.write("Next:")
        for words in self.next_commands(image_set, options):
            self.stdout.write(f"  {command_line(*words)}")

    def _here(self, plan: Plan, options: dict[str, Any], bar: Bar) -> tuple[ImageSet, Summary]:
        image_set = image_set_from_plan(plan)
        how = {"exact": options["exact"], "retry_failed": options["retry_failed"], "progress": bar.show}
        if options["device"] == "all":
            return image_set, render_on_all(image_set, **how)
        return image_set, render(image_set, device=options["device"], **how)

    def _distributed(self, plan: Plan, options: dict[str, Any], bar: Bar) -> tuple[ImageSet, Summary]:
        try:
            image_set = distributed.enqueue_plan(plan, retry_failed=options["retry_failed"])
        except distributed.NoQueue as error:
            raise CommandError(f"--distributed: {error}", returncode=2) from error
        return image_set, distributed.follow(image_set, bar.show)

    def prepare(self, plan: Plan, options: dict[str, Any]) -> None:
        """Refuse, before hours of work, what could not be done after it. For a command that extends this one."""

    def after(self, image_set: ImageSet, options: dict[str, Any]) -> None:
        """Do more with the finished images. For a command that extends this one."""

    def next_commands(self, image_set: ImageSet, options: dict[str, Any]) -> list[tuple[str, ...]]:
        """Return the commands that somebody will want to run next."""
        return [("contact_sheet", image_set.slug)]

    def _say_where(self, image_set: ImageSet, options: dict[str, Any]) -> None:
        if folder := options["output"]:
            written = count(write_set(image_set, folder), "image")
            self.stdout.write(f"{folder}: {written} and items.csv, a table of their factors and covariates")
        else:
            self.stdout.write(f"They are in {_store()}; with --output DIR they get readable names.")

    def _check(self, image_set: ImageSet, summary: Summary) -> None:
        """Raise CommandError (exit 1) where images are missing."""
        if summary.failed:
            failed = image_set.cells.filter(status=Cell.Status.FAILED)
            for cell in failed[:20]:
                self.stderr.write(f"failed: {cell.label}: {cell.reason}")
            raise CommandError(
                f"{count(summary.failed, 'cell')} failed; generate ... --retry-failed tries them again"
            )
        if summary.waiting:
            raise CommandError(f"{count(summary.waiting, 'cell')} not made: somebody stopped the set")


def _plan(options: dict[str, Any]) -> Plan:
    words = {key: options[key] for key in ("content", "style", "preset", "words")}
    if options["plan"] is None:
        if not any(words.values()):
            raise CommandError("name a PLAN.toml, or images: --content FILE --style FILE", returncode=2)
        return plan_of_words(words["content"], words["style"], words["preset"], words["words"])
    if any(words.values()):
        raise CommandError(
            f"{options['plan']}: a plan has its own images and settings; leave out --content, --style, --preset and --set",
            returncode=2,
        )
    return load_plan(options["plan"])


def _store() -> str:
    try:
        return default_storage.path("cells")
    except NotImplementedError:
        return "the media store"
