"""`simulate SLUG --participants N --seed S [--http URL]`: try a study whole, and see what its analysis gets back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from generator.management.base import PlainCommand
from survey.analysis.planning.retrieval import retrieval_html, retrieval_text
from survey.exports.folder import OutputError, write_folder
from survey.exports.tables import json_bytes
from survey.management.studies import free_name, site_address, study_named
from survey.models import Study
from survey.simulation.bots import player
from survey.simulation.people import SimulationError, is_in_use, refuse_people, simulate
from survey.study.pictures import PublishError
from survey.study.stopping import pause_note

CARELESS = 0.15


class Command(PlainCommand):
    """Simulate participants of a study."""

    help = (
        "Let simulated participants rate a study, and report how well the analysis finds the true scores. "
        "The study is then marked as simulated, and people can no longer take part."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study, how many people of which kind, the seed, the way in, and where the report goes."""
        parser.add_argument("slug", metavar="SLUG", help="the study")
        parser.add_argument(
            "--copy",
            nargs="?",
            const="",
            metavar="NAME",
            help="simulate a copy of the study under this name (default: SLUG-simulated); the study stays as it is",
        )
        parser.add_argument(
            "--yes", action="store_true", help="do not ask before a study of people is simulated"
        )
        parser.add_argument(
            "--participants", type=int, required=True, metavar="N", help="number of simulated participants"
        )
        parser.add_argument(
            "--seed", type=int, default=1, metavar="S", help="same seed, same people (default: 1)"
        )
        parser.add_argument(
            "--careless",
            type=float,
            default=CARELESS,
            metavar="SHARE",
            help=f"share who click at random, give one answer, rush, or do not read traps (default: {CARELESS})",
        )
        parser.add_argument(
            "--http",
            metavar="URL",
            help="play through this machine's running server, such as http://127.0.0.1:8000",
        )
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="folder for the report as simulation.json and .html"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the sessions; exit 2 for a study that cannot be simulated."""
        _check(options)
        study = study_named(options["slug"])
        try:
            if options["copy"] is None:
                refuse_people(study)
                if is_in_use(study) and not options["yes"]:
                    _ask(study)
            copy_as = ""
            if options["copy"] is not None:
                copy_as = options["copy"] or free_name(f"{study.slug}-simulated")
            play = player(options["http"]) if options["http"] else None
            outcome = simulate(
                study,
                participants=options["participants"],
                seed=options["seed"],
                careless=options["careless"],
                play=play,
                copy_as=copy_as,
            )
            study = outcome.study
            if options["output"]:
                title = f"{study.title}: what the analysis got back"
                files = {
                    "simulation.json": json_bytes(outcome.report),
                    "simulation.html": retrieval_html(outcome.report, title).encode(),
                }
                write_folder(files, options["output"])
        except (PublishError, SimulationError, OutputError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"{len(outcome.kinds)} simulated participants took part in {study.slug!r}")
        study.refresh_from_db()
        if note := pause_note(study):
            self.stdout.write(f"{note[0].upper()}{note[1:]}, so no more took part")
        self.stdout.write(retrieval_text(outcome.report))
        self.stdout.write(f"\nIts results: {site_address()}{reverse('results', args=[study.slug])}")


def _ask(study: Study) -> None:
    """Go on only if somebody at a terminal agrees that people can no longer take part; else exit 2."""
    if not sys.stdin.isatty():
        raise CommandError(
            f"study {study.slug!r} is open to people, who could no longer take part: "
            f"--copy simulates a copy of it, --yes the study itself",
            returncode=2,
        )
    sys.stderr.write(
        f"Study {study.slug!r} is open to people. Once simulated, it takes no people any more.\n"
    )
    sys.stderr.write("(--copy simulates a copy of it.) Simulate the study itself? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was simulated", returncode=2)


def _check(options: dict[str, Any]) -> None:
    if not 1 <= options["participants"] <= 100_000:
        raise CommandError(f"--participants {options['participants']}: from 1 to 100000", returncode=2)
    if options["seed"] < 0:
        raise CommandError(f"--seed {options['seed']}: 0 or more", returncode=2)
    if not 0 <= options["careless"] <= 1:
        raise CommandError(f"--careless {options['careless']:g}: a share from 0 to 1", returncode=2)
