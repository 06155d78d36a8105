from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from survey.management.studies import study_named
from survey.simulation import SimulationError, simulate


class Command(BaseCommand):
    """Simulate participants of a study."""

    help = "Let simulated participants take part in a study; it is then shown as simulated everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the study, how many people, and the seed."""
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--participants", type=int, required=True, metavar="N")
        parser.add_argument(
            "--seed", type=int, default=1, metavar="S", help="same seed, same people (default: 1)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the sessions; exit 2 for a study that cannot be simulated."""
        if not 1 <= options["participants"] <= 100_000:
            raise CommandError(f"--participants {options['participants']}: from 1 to 100000", returncode=2)
        if options["seed"] < 0:
            raise CommandError(f"--seed {options['seed']}: 0 or more", returncode=2)
        study = study_named(options["slug"])
        try:
            count = simulate(study, participants=options["participants"], seed=options["seed"])
        except SimulationError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"{count} simulated participants took part in {study.slug!r}")
