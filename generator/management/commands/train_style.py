"""train_style STYLE.jpg --photos DIR: train a network that paints any photograph in one style, in one pass."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generator.making.training import Training, find_photographs, train_style
from generator.management.base import PlainCommand
from generator.management.plain_errors import plain_errors, stops_on_request
from generator.management.progress import Silence

if TYPE_CHECKING:
    from generator.nst.feedforward.training import Report, Settings


class Command(PlainCommand):
    """Train a feed-forward network for one style image."""

    help = (
        "Train a network that gives any photograph the style of one image in one pass. "
        "Run again, it continues where it stopped, with the same result."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the images, the file to write, and the settings of training."""
        add = parser.add_argument
        add("style", metavar="STYLE.jpg", type=Path, help="the style image")
        add(
            "--photos",
            metavar="DIR",
            type=Path,
            required=True,
            help="a folder of photographs; its subfolders count too",
        )
        add("--output", metavar="FILE", type=Path, help="the network to write (default: STYLE.safetensors)")
        add(
            "--sample",
            metavar="IMAGE",
            type=Path,
            nargs="+",
            default=[],
            help="pictures to stylise at each checkpoint",
        )
        add("--steps", type=int, default=40_000, help="steps of training (default: 40000)")
        add("--batch", type=int, default=4, help="crops per step (default: 4)")
        add("--crop", type=int, default=256, help="side of a crop in px (default: 256)")
        add(
            "--style-size", type=int, default=256, help="longest side of the style image in px (default: 256)"
        )
        add(
            "--style-weight",
            type=float,
            default=20.0,
            help="weight of the style, where the content has 1 (default: 20)",
        )
        add(
            "--width",
            type=int,
            default=32,
            help="channels at full size (default: 32, as in Johnson et al. 2016)",
        )
        add("--blocks", type=int, default=5, help="residual blocks (default: 5, as in Johnson et al. 2016)")
        add("--learning-rate", type=float, default=1e-3, help="learning rate of Adam (default: 0.001)")
        add("--network", default="vgg16", help="network of the losses: a name from `weights list`, or a file")
        add("--seed", type=int, default=1, help="seed of the weights and of the crops (default: 1)")
        add(
            "--checkpoint-every",
            metavar="STEPS",
            type=int,
            default=500,
            help="steps between checkpoints (default: 500)",
        )
        add("--licence", default="", help="licence of the network, written into its file")
        add(
            "--device",
            default="auto",
            metavar="auto|cpu|cuda|cuda:1|mps",
            help="where to compute (default: auto)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Train; exit 1 where training itself fails, 2 for bad input."""
        from generator.nst.feedforward.training import TrainingError

        output = options["output"] or Path(f"{options['style'].stem}.safetensors")
        if output.suffix != ".safetensors":
            raise CommandError(f"--output {output}: should end in .safetensors", returncode=2)
        if output.exists():
            raise CommandError(
                f"{output}: is there already; delete it or choose another --output", returncode=2
            )
        if options["checkpoint_every"] < 1:
            raise CommandError("--checkpoint-every should be at least 1", returncode=2)
        with plain_errors(), stops_on_request(), _Bar() as bar:
            training = Training(
                style=options["style"],
                photographs=find_photographs(options["photos"], options["crop"]),
                output=output,
                settings=_settings(options),
                licence=options["licence"],
                samples=tuple(options["sample"]),
            )
            try:
                curve = train_style(
                    training,
                    device=options["device"],
                    checkpoint_every=options["checkpoint_every"],
                    progress=bar.show,
                )
            except TrainingError as error:
                raise CommandError(str(error), returncode=1) from error
        share = curve.waiting / curve.seconds
        self.stdout.write(
            f"{output}: {curve.step} steps in {curve.seconds:.0f} s, {share:.1%} of it waiting for photographs"
        )


def _settings(options: dict[str, Any]) -> Settings:
    from generator.nst.feedforward.training import LOSSES, Settings

    losses = LOSSES.replace(
        network=options["network"], beta=options["style_weight"], size=options["style_size"]
    )
    own = ("steps", "batch", "crop", "width", "blocks", "learning_rate", "seed")
    return Settings(losses=losses, **{name: options[name] for name in own})


class _Bar:
    """Progress on standard error: a bar on a terminal, else a line at each checkpoint and after each long silence."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None
        self._silence = Silence()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, report: Report) -> None:
        """Take a report."""
        curve = report.curve
        losses = ", ".join(f"{term} {values[-1]:.3g}" for term, values in curve.terms.items())
        waiting = f"waiting for photographs {curve.waiting / curve.seconds:.1%}"
        if not sys.stderr.isatty():
            if self._silence.is_long() or report.checkpointed:
                left = (report.steps - report.step) * curve.seconds / report.step
                sys.stderr.write(
                    f"step {report.step} of {report.steps}: {losses}; {waiting}; {left:.0f} s left\n"
                )
            return
        if self._bar is None:
            self._bar = tqdm(
                total=report.steps, initial=report.step, unit="step", dynamic_ncols=True, leave=False
            )
        self._bar.set_postfix_str(f"{losses}; {waiting}", refresh=False)
        self._bar.update(report.step - self._bar.n)
