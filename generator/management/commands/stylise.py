"""stylise --network FILE IMAGES...: pictures and videos in the style of a trained network, in one pass each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generator.files import networks
from generator.making import engine
from generator.making.stylise import stylise, target_of
from generator.management.base import PlainCommand
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import Silence


class Command(PlainCommand):
    """Stylise files by a trained network."""

    help = "Give pictures and videos the style of a network that `train_style` made."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the network, the files and where the results go."""
        parser.add_argument("files", metavar="IMAGE", type=Path, nargs="+", help="pictures or videos")
        parser.add_argument(
            "--network", metavar="FILE", type=Path, required=True, help="a file that `train_style` wrote"
        )
        parser.add_argument(
            "--output",
            metavar="DIR",
            type=Path,
            default=Path(),
            help="where to write (default: the current folder)",
        )
        parser.add_argument("--size", type=int, default=0, help="longest side in px; default: as the file is")
        parser.add_argument(
            "--device",
            default="auto",
            metavar="auto|cpu|cuda|cuda:1|mps",
            help="where to compute (default: auto)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Stylise each file; exit 2 for the first that cannot be used, with those before it kept."""
        from generator.nst.feedforward.network import Stylist

        targets = [target_of(file, options["network"], options["output"]) for file in options["files"]]
        for number, target in enumerate(targets):
            if target in targets[:number]:
                raise CommandError(
                    f"{target}: two of the files would be written there; rename one of them", returncode=2
                )
            if target.exists():
                raise CommandError(
                    f"{target}: is there already; delete it or choose another --output", returncode=2
                )
        if options["size"] < 0:
            raise CommandError("--size should be 0 or more", returncode=2)
        with plain_errors(), stops_on_request():
            engine.keep_freed_memory()
            network = networks.trained(str(options["network"]))
            is_terminal = sys.stderr.isatty()
            stylist = Stylist(network, engine.choose_device(options["device"]))
            for source, target in zip(options["files"], targets, strict=True):
                silence = Silence()
                with tqdm(desc=source.name, unit="frame", disable=not is_terminal, leave=False) as bar:

                    def show(done: int, total: int, bar: Any = bar, silence: Silence = silence) -> None:
                        bar.total = total or None
                        bar.update(done - bar.n)
                        if bar.disable and silence.is_long():
                            of = f" of {total}" if total else ""
                            self.stderr.write(f"frame {done}{of}")

                    stylise(source, target, stylist, longest=options["size"], progress=show)
                self.stdout.write(str(target))
