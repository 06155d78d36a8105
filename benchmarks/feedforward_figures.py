"""The two figures of docs/how-to/feedforward.md: `python -m benchmarks.feedforward_figures NETWORK STYLE PHOTOGRAPH...`.

The training curve comes from the provenance in the network file. The network makes the pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from PIL import Image

from generator.files import images
from generator.nst.feedforward.network import Stylist, load_network

DOCS = Path(__file__).parents[1] / "docs"
# The side of a photograph's square in the figure, and the white between two, in px.
SIDE, GAP = 256, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("network", "style"):
        parser.add_argument(name, type=Path)
    parser.add_argument("photographs", type=Path, nargs="+")
    options = parser.parse_args()
    network = load_network(options.network)
    draw_curve(network.provenance, DOCS / "feedforward-curve.png")
    stylise = Stylist(network)
    rows = [[_square(options.style), *map(_square, options.photographs)]]
    made = [stylise(images.to_tensor(picture)[None])[0] for picture in rows[0][1:]]
    rows.append([Image.new("RGB", (SIDE, SIDE), "white"), *map(images.to_image, made)])
    _sheet(rows).save(DOCS / "feedforward-results.jpg", quality=85)


def draw_curve(account: dict[str, Any], path: Path) -> None:
    """Draw the weighted losses of training against steps, both axes logarithmic."""
    curve = account["curve"]
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for term in ("content", "style", "tv"):
        axes.plot(curve["evaluation"], curve[term], label=term, linewidth=1)
    axes.set(xlabel="step", ylabel="weighted loss", xscale="log", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=100)


def _square(path: Path) -> Image.Image:
    """Return the middle square of a picture."""
    picture = images.read(path)
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _sheet(rows: list[list[Image.Image]]) -> Image.Image:
    step = SIDE + GAP
    sheet = Image.new("RGB", (len(rows[0]) * step - GAP, len(rows) * step - GAP), "white")
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            sheet.paste(picture, (across * step, down * step))
    return sheet


if __name__ == "__main__":
    main()
