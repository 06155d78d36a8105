"""preset_sheet CONTENT STYLE: every preset on one pair of pictures, in one picture."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generator.files.store import write_atomically
from generator.making.preset_sheet import preset_plan, preset_sheet
from generator.making.render import render
from generator.management.base import PlainCommand
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import Bar
from generator.sets.create import image_set_from_plan


class Command(PlainCommand):
    """Draw every preset."""

    help = "Make a small image by every preset, all with one network, and put them into one JPEG."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the images and how small the work is."""
        parser.add_argument("content", metavar="CONTENT", type=Path, help="the content image")
        parser.add_argument("style", metavar="STYLE", type=Path, help="the style image")
        parser.add_argument(
            "--network", default="vgg16", help="a name from `weights list`, or a file (default: vgg16)"
        )
        parser.add_argument(
            "--size", type=int, default=192, metavar="PX", help="longest side of each image (192)"
        )
        parser.add_argument(
            "--evaluations",
            type=int,
            default=200,
            help="evaluations per image and pyramid level, at most (200)",
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
            default=Path("presets.jpg"),
            metavar="SHEET.jpg",
            help="the picture to write",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the images, or find them made, and draw the sheet."""
        settings = {key: options[key] for key in ("size", "evaluations", "network")}
        with plain_errors(), stops_on_request():
            with Bar(sys.stderr) as bar:
                plan = preset_plan(options["content"], options["style"], **settings)
                image_set = image_set_from_plan(plan)
                render(image_set, device=options["device"], progress=bar.show)
            sheet = preset_sheet(image_set, options["size"])
            buffer = io.BytesIO()
            sheet.save(buffer, "JPEG", quality=88)
            write_atomically(options["output"], buffer.getvalue())
        self.stdout.write(
            f"{options['output']}: {sheet.width} × {sheet.height} px, image set {image_set.slug}"
        )
