"""reconstruct CONTENT STYLE: what each layer holds of the two images, as a contact sheet."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generator.files.store import write_atomically
from generator.making.reconstruction import BLOCKS, COLUMNS, ROWS, reconstruction_plan
from generator.making.render import render
from generator.management.base import PlainCommand
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import Bar
from generator.sets.create import image_set_from_plan
from generator.sets.sheets import contact_sheet


class Command(PlainCommand):
    """Draw reconstructions."""

    help = (
        "Show what each layer keeps: the content image made again from one layer at a time, "
        "the style image from more and more layers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the images and the few settings that matter."""
        parser.add_argument("content", metavar="CONTENT", type=Path, help="the content image")
        parser.add_argument("style", metavar="STYLE", type=Path, help="the style image")
        parser.add_argument(
            "--layers",
            nargs="+",
            default=BLOCKS,
            metavar="LAYER",
            help=f"layers to show (default: {' '.join(BLOCKS)})",
        )
        parser.add_argument(
            "--network", default="vgg16", help="a name from `weights list`, or a file (default: vgg16)"
        )
        parser.add_argument(
            "--size", type=int, default=256, metavar="PX", help="longest side of each image (256)"
        )
        parser.add_argument("--evaluations", type=int, default=240, help="evaluations per image (240)")
        parser.add_argument(
            "--tv-beta",
            type=float,
            help="smooth the images by the total variation to this power (Mahendran and Vedaldi)",
        )
        parser.add_argument(
            "--device",
            default="auto",
            metavar="auto|cpu|cuda|cuda:1|mps",
            help="where to compute (default: auto)",
        )
        parser.add_argument(
            "--output",
            type=Path,
            default=Path("reconstructions.png"),
            metavar="SHEET.png",
            help="the picture to write",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the images, or find them made, and draw the sheet."""
        settings = {key: options[key] for key in ("layers", "network", "size", "evaluations", "tv_beta")}
        with plain_errors(), stops_on_request():
            with Bar(sys.stderr) as bar:
                plan = reconstruction_plan(options["content"], options["style"], **settings)
                image_set = image_set_from_plan(plan)
                render(image_set, device=options["device"], progress=bar.show)
            sheet = contact_sheet(image_set, ROWS, COLUMNS, side=options["size"])
            buffer = io.BytesIO()
            sheet.save(buffer, "PNG")
            write_atomically(options["output"], buffer.getvalue())
        self.stdout.write(
            f"{options['output']}: {sheet.width} × {sheet.height} px, image set {image_set.slug}"
        )
