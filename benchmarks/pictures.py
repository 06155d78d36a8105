"""Trials of settings side by side: pictures, their figures, and sheets with enlarged details to look at.

    python -m benchmarks.pictures TRIALS.toml --output DIR

A file of trials names pairs of pictures (`pairs`), what all trials share (`preset`, `recipe`) and the trials with what
each changes (`preset`, `recipe`, `seed`), for some pairs alone too (`pairs`). Pictures that are in DIR already are kept, so a run that was stopped goes on; so another program's picture
is measured and drawn beside the others when it lies there as DIR/PAIR/NAME.png before the run. `--study FOLDER` copies
every picture with a table of what it shows, for `manage.py create_study --images FOLDER`. `--sheet FILE.jpg` draws all
pairs as one picture, a row each.
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from benchmarks.picture_sheets import overview, pair_sheet
from generator.demo.pictures import gather
from generator.files import images
from generator.nst import Recipe, load, preset, transfer

if TYPE_CHECKING:  # nst says how OpenMP waits before PyTorch is imported
    from torch import Tensor

    from benchmarks.picture_figures import Measure
    from generator.nst.weights.registry import Weights


@dataclass(frozen=True)
class Pair:
    """Two pictures by file name."""

    content: str
    style: str

    @property
    def name(self) -> str:
        return f"{Path(self.content).stem}-{Path(self.style).stem}"


@dataclass(frozen=True)
class Trial:
    """A name and the recipe of one column of the sheets; `own`: what it sets for a pair alone, by the pair's name."""

    name: str
    recipe: Recipe
    seed: int = 1
    own: dict[str, dict[str, Any]] = field(default_factory=dict)


def read(path: Path) -> tuple[list[Pair], list[Trial]]:
    """Read a file of trials. Raises SystemExit naming what is wrong."""
    document = tomllib.loads(path.read_text())
    pairs = [Pair(**each) for each in document["pairs"]]
    base = preset(document["preset"]).replace(**document.get("recipe", {}))
    trials = []
    for each in document["trials"]:
        name = each["name"]
        if not re.fullmatch(r"[\w.,+-]+", name):
            raise SystemExit(f"{path}: trial {name!r}: use letters, digits and . , + - only")
        own = preset(each["preset"]).replace(**document.get("recipe", {})) if "preset" in each else base
        recipe = own.replace(**each.get("recipe", {}))
        trials.append(Trial(name, recipe, each.get("seed", 1), each.get("pairs", {})))
    return pairs, trials


def run(
    pairs: Sequence[Pair], trials: Sequence[Trial], folder: Path, pictures: Path, weights: Weights
) -> None:
    """Make what is missing, then measure and draw each pair."""
    from benchmarks.picture_figures import Measure

    for pair in pairs:
        content, style = (_tensor(pictures / name) for name in (pair.content, pair.style))
        measure = Measure(content, style, weights)
        place = folder / pair.name
        place.mkdir(parents=True, exist_ok=True)
        for trial in trials:
            _make(place / f"{trial.name}.png", content, style, trial, pair, weights)
        rows = measured(place, [trial.name for trial in trials], measure)
        write_rows(folder / f"{pair.name}.csv", rows)
        made = {name: Image.open(place / f"{name}.png").convert("RGB") for name in rows}
        references = [Image.open(pictures / name).convert("RGB") for name in (pair.content, pair.style)]
        pair_sheet(references, made, rows).save(folder / f"{pair.name}.png")


def write_study(pairs: Sequence[Pair], folder: Path, study: Path) -> None:
    """Copy every picture of the pairs, and say in items.csv whose content, style and trial or program it is of."""
    study.mkdir(parents=True, exist_ok=True)
    with (study / "items.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "content", "style", "condition"])
        for pair in pairs:
            for path in sorted((folder / pair.name).glob("*.png")):
                name = f"{pair.name}-{path.name}"
                shutil.copyfile(path, study / name)
                writer.writerow([name, Path(pair.content).stem, Path(pair.style).stem, path.stem])


def write_sheet(pairs: Sequence[Pair], folder: Path, pictures: Path, path: Path) -> None:
    """Draw a row for each pair: its references and its pictures."""
    rows = []
    for pair in pairs:
        named = [("content", pictures / pair.content), ("style", pictures / pair.style)]
        named += [(each.stem, each) for each in sorted((folder / pair.name).glob("*.png"))]
        rows.append([(name, Image.open(each).convert("RGB")) for name, each in named])
    overview(rows).save(path, quality=88)


def measured(place: Path, order: Sequence[str], measure: Measure) -> dict[str, dict[str, float]]:
    """Return the figures of every picture in a folder: first those named, then the others."""
    found = {path.stem: path for path in sorted(place.glob("*.png"))}
    names = [*order, *(name for name in found if name not in order)]
    return {name: asdict(measure(_tensor(found[name]))) | _seconds(found[name]) for name in names}


def write_rows(path: Path, rows: dict[str, dict[str, float]]) -> None:
    """Write a table with one line for each picture."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["picture", *next(iter(rows.values()))])
        for name, row in rows.items():
            writer.writerow([name, *(f"{value:.4g}" for value in row.values())])


def _make(path: Path, content: Tensor, style: Tensor, trial: Trial, pair: Pair, weights: Weights) -> None:
    if path.exists():
        return
    started = time.process_time()
    made = transfer(
        content, style, trial.recipe.replace(**trial.own.get(pair.name, {})), seed=trial.seed, weights=weights
    )
    spent = time.process_time() - started
    if made.failure:
        print(f"{path}: {made.failure}", file=sys.stderr)
    images.to_image(made.image).save(path)
    path.with_suffix(".seconds").write_text(f"{spent:.1f} {made.evaluations}\n")
    told = f"{path}: {spent:.0f} s of processor time, {made.evaluations} evaluations, stopped by {made.stop}"
    print(told, file=sys.stderr, flush=True)


def _seconds(path: Path) -> dict[str, float]:
    """Return the processor seconds and evaluations that a picture took, where they are known."""
    noted = path.with_suffix(".seconds")
    seconds, evaluations = noted.read_text().split() if noted.exists() else ("nan", "nan")
    return {"seconds": float(seconds), "evaluations": float(evaluations)}


def _tensor(path: Path) -> Tensor:
    return images.to_tensor(images.read(path).convert("RGB"))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trials", type=Path, metavar="TRIALS.toml")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--pictures", type=Path, help="folder of the pairs' pictures (default: the demonstration's)"
    )
    parser.add_argument("--study", type=Path, metavar="FOLDER", help="copy all pictures there for a study")
    parser.add_argument("--sheet", type=Path, metavar="FILE.jpg", help="draw all pairs as one picture")
    parser.add_argument("--weights-dir", type=Path, default=Path("data/weights"))
    options = parser.parse_args(arguments)
    pairs, trials = read(options.trials)
    pictures = options.pictures or options.output / "references"
    if options.pictures is None:
        gather(pictures)
    from generator.making.engine import keep_freed_memory

    keep_freed_memory()
    run(pairs, trials, options.output, pictures, load("vgg16", options.weights_dir))
    if options.sheet:
        write_sheet(pairs, options.output, pictures, options.sheet)
    if options.study:
        write_study(pairs, options.output, options.study)


if __name__ == "__main__":
    main()
