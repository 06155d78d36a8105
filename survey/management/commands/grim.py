"""`grim --mean 3.66 --n 45 [--sd 1.1] [--scale 1:5]`: whether a published mean can come from whole ratings."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from generator.management.base import PlainCommand
from survey.analysis.grimmer import HOW, sentence, verdicts
from survey.analysis.scale import parse_scale


class Command(PlainCommand):
    help = "Check whether a published mean and SD can come from whole ratings, under each way of rounding."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--mean", required=True, metavar="MEAN", help="the mean with all its printed digits"
        )
        parser.add_argument(
            "--n", required=True, type=int, metavar="N", help="how many ratings it is the mean of"
        )
        parser.add_argument("--sd", metavar="SD", help="the standard deviation with all its printed digits")
        parser.add_argument("--scale", default="1:5", metavar="LOW:HIGH[:STEP]", help="the rating scale")

    def handle(self, *args: Any, **options: Any) -> None:
        mean, sd, n = options["mean"], options["sd"], options["n"]
        try:
            scale = parse_scale(options["scale"])
            found = verdicts(mean, sd, n, scale)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(sentence(mean, sd, n, scale, found))
        for how, words in HOW.items():
            text = f"  {words}: mean {'possible' if found.mean[how] else 'not possible'}"
            if found.sd is not None:
                divisors = " or ".join(found.sd[how])
                text += f", with the SD {f'possible (divisor {divisors})' if divisors else 'not possible'}"
            self.stdout.write(text)
        self.stdout.write(
            "This says nothing about why: other numbers of ratings, half points or weights may be the reason."
        )
