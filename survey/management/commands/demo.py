from __future__ import annotations

import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from generator.demo.pictures import PictureMissing
from generator.management.base import PlainCommand
from generator.management.names import command_line
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import Bar


class Command(PlainCommand):
    """From nothing to a table of Mean Opinion Scores."""

    help = "Make seven images and two studies of them, one with simulated participants, and print its scores."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the demonstration and say where to look; what is done already is not done again."""
        call_command("migrate", verbosity=0)
        # Its modules read the database's tables, which the line above makes.
        from survey.simulation import demo

        self.stderr.write("Seven images from photographs (a few minutes the first time) ...")
        try:
            with plain_errors(), stops_on_request(), Bar(sys.stderr) as bar:
                made = demo.demonstrate(progress=bar.show)
        except (PictureMissing, demo.DemoError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_report(made))


def _report(made: Any) -> str:
    from survey.management.studies import site_address
    from survey.simulation import demo

    rows = [
        f"  {row.item:44} {row.n:3d}  {row.mos:.2f}  {row.sd:.2f}  {row.ci_low:.2f} to {row.ci_high:.2f}"
        for row in made.mos.itertuples()
    ]
    address = site_address()
    return "\n".join(
        [
            "",
            f"Mean Opinion Scores of {demo.PARTICIPANTS} simulated participants (study {demo.SIMULATED!r})",
            f"  {'image':44}   n   MOS    SD  95 % CI",
            *rows,
            "",
            "Serve it with `make serve`, then open",
            f"  {address}/s/{demo.OPEN}/   rate the images yourself",
            f"  {address}/sign-in/   the results: name {demo.RESEARCHER}, password {made.password}",
            "",
            f"That account is a researcher's. For one that invites others: {command_line('createsuperuser')}",
        ]
    )
