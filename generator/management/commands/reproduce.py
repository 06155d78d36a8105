"""reproduce FILE.png: make an image again from what is written in it, and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generator.files import images
from generator.files.store import write_atomically
from generator.making.reproduce import reproduce
from generator.management.base import PlainCommand
from generator.management.plain_errors import plain_errors, stops_on_request


class Command(PlainCommand):
    """Make an image again."""

    help = (
        "Make an image again from the settings in its file, and print the largest difference between pixels."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file, and the reference images for where the media store lacks them."""
        parser.add_argument("file", metavar="FILE.png", type=Path, help="an image made by `generate`")
        parser.add_argument(
            "--device",
            default="auto",
            metavar="auto|cpu|cuda|cuda:1|mps",
            help="where to compute (default: auto)",
        )
        parser.add_argument(
            "--content", type=Path, help="the content image, if the media store no longer has it"
        )
        parser.add_argument("--style", type=Path, help="the style image, if the media store no longer has it")
        parser.add_argument(
            "--other",
            type=Path,
            action="append",
            default=[],
            help="another style image, a mask or a map, if the media store no longer has it; may be repeated",
        )
        parser.add_argument("--output", metavar="NEW.png", type=Path, help="write the new image here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the differences, and what is not as it was when the image was made."""
        with plain_errors(), stops_on_request():
            found = reproduce(
                options["file"],
                device=options["device"],
                content=options["content"],
                style=options["style"],
                others=options["other"],
            )
            if options["output"]:
                write_atomically(options["output"], images.encode_png(found.picture))
        self.stdout.write(f"largest difference {found.largest} of 255, mean {found.mean:.3g}")
        for note in found.notes:
            self.stdout.write(f"  {note}")
