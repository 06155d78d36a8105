"""A sheet of one pair: both references, every picture whole, and the same details of each, enlarged pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Share of the picture's longest side that a detail takes, and how wide the sheet is in px.
_DETAIL = 0.2
_WIDTH = 1500
_LINE = 30


def details(content: Image.Image) -> list[tuple[float, float]]:
    """Return the corners of two details, in parts of width and height: where the content is flattest, and where busiest."""
    small = np.asarray(content.convert("L").resize((40, 40)), dtype=float)
    window = round(40 * _DETAIL)
    places = [(y, x) for y in range(1, 39 - window, 2) for x in range(1, 39 - window, 2)]
    spread = {(y, x): small[y : y + window, x : x + window].std() for y, x in places}
    return [
        (x / 40, y / 40)
        for y, x in (min(spread, key=spread.__getitem__), max(spread, key=spread.__getitem__))
    ]


def pair_sheet(
    references: Sequence[Image.Image],
    made: Mapping[str, Image.Image],
    figures: Mapping[str, Mapping[str, float]],
    columns: int = 4,
) -> Image.Image:
    """Draw a pair's references, its pictures with their figures, and two details of each."""
    side = _WIDTH // columns - 4
    wholes = [("content", references[0]), ("style", references[1])]
    for name, picture in made.items():
        row = figures.get(name, {})
        numbers = " ".join(
            f"{key[:2]} {row[key]:.2f}" for key in ("clip", "luma", "chroma", "content", "w2") if key in row
        )
        wholes.append((f"{name}\n{numbers}", picture))
    lines = [_row(wholes[at : at + columns], side) for at in range(0, len(wholes), columns)]
    across = columns + 2
    for corner in details(references[0]):
        cut = [(name, _detail(picture, corner)) for name, picture in made.items()]
        lines += [
            _row(cut[at : at + across], _WIDTH // across - 4, Image.Resampling.NEAREST)
            for at in range(0, len(cut), across)
        ]
    return _stacked(lines)


def overview(rows: Sequence[Sequence[tuple[str, Image.Image]]]) -> Image.Image:
    """Draw rows of pictures with their names, each row as high as its pictures at one width."""
    side = _WIDTH // max(len(row) for row in rows) - 4
    return _stacked([_row(row, side) for row in rows])


def _stacked(lines: Sequence[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (_WIDTH, sum(line.height for line in lines)), "white")
    top = 0
    for line in lines:
        sheet.paste(line, (0, top))
        top += line.height
    return sheet


def _detail(picture: Image.Image, corner: tuple[float, float]) -> Image.Image:
    side = math.ceil(max(picture.size) * _DETAIL)
    left = min(round(corner[0] * picture.width), picture.width - side)
    top = min(round(corner[1] * picture.height), picture.height - side)
    return picture.crop((max(left, 0), max(top, 0), left + side, top + side))


def _row(
    pictures: Sequence[tuple[str, Image.Image]],
    side: int,
    filtered: Image.Resampling = Image.Resampling.LANCZOS,
) -> Image.Image:
    scaled = []
    for name, picture in pictures:
        scale = side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        scaled.append((name, picture.resize(size, filtered)))
    row = Image.new("RGB", (_WIDTH, max(picture.height for _, picture in scaled) + _LINE), "white")
    draw, font = ImageDraw.Draw(row), ImageFont.load_default(12)
    for number, (name, picture) in enumerate(scaled):
        row.paste(picture, (number * (side + 4), _LINE))
        draw.text((number * (side + 4) + 2, 1), name, fill="black", font=font, spacing=1)
    return row
