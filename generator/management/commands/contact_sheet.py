"""contact_sheet SET [--rows F] [--columns G]: the images of a factor plane in one picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generator.files.store import write_atomically
from generator.management.base import PlainCommand
from generator.management.names import image_set_named
from generator.management.plain_errors import plain_errors
from generator.models import ImageSet
from generator.sets.planes import plane
from generator.sets.sheets import SheetError, chosen, contact_sheet


class Command(PlainCommand):
    """Draw a contact sheet."""

    help = "Put the images of a set into one labelled PNG: one factor down, another across, the others in panels."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the set and the plane."""
        parser.add_argument("set", metavar="SET", help="the name of the image set")
        parser.add_argument(
            "--rows", default="", metavar="FACTOR", help="factor down (default: as on the set's page)"
        )
        parser.add_argument(
            "--columns", default="", metavar="FACTOR", help="factor across (default: as on the set's page)"
        )
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="FACTOR=LEVEL",
            help="show only this level of another factor; may be repeated",
        )
        parser.add_argument(
            "--side", type=int, default=256, metavar="PX", help="longest side of each image (256)"
        )
        parser.add_argument(
            "--output", type=Path, metavar="SHEET.png", help="the picture to write (default: SET.png)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Draw and write the sheet."""
        output = options["output"] or Path(f"{options['set']}.png")
        with plain_errors():
            image_set = image_set_named(options["set"])
            where = _where(options["where"])
            rows, columns = _plane(image_set, options["rows"], options["columns"], where)
            sheet = contact_sheet(image_set, rows, columns, where, options["side"])
            buffer = io.BytesIO()
            sheet.save(buffer, "PNG")
            write_atomically(output, buffer.getvalue())
        self.stdout.write(f"{output}: {sheet.width} × {sheet.height} px")


def _plane(image_set: ImageSet, rows: str, columns: str, where: dict[str, str]) -> tuple[str, str]:
    """Return the factors of rows and columns: what is not asked for is chosen as for the set's page."""
    if rows and columns:
        return rows, columns
    cells = list(image_set.cells.defer("recipe", "provenance", "covariates"))
    found = plane(chosen(cells, list(where), where), rows, columns)
    return rows or found.rows, columns or found.columns


def _where(options: list[str]) -> dict[str, str]:
    pairs = {}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign:
            raise SheetError(f"--where {option}: should be FACTOR=LEVEL")
        pairs[name] = value
    return pairs
